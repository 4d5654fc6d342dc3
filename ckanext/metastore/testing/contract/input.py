"""Bad input: every refusal says what is wrong, and nothing is stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from ckanext.metastore.core import Author, Backend, Invalid, InvalidName, NotFound
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE, Contract, titled

BAD_TAG_NAMES = [
    "",
    " ",
    "a b",
    "a\u00a0b",
    "a..b",
    "a~b",
    "a^b",
    "a:b",
    "a?b",
    "a*b",
    "a[b",
    "a\\b",
    "a/b",
    "/a",
    "a/",
    "a.lock",
    "-a",
    ".a",
    "a.",
    "..",
    "HEAD",
    "@",
    "a@{b",
    "abcdef0",
    "ABCDEF0",
    "20260101",
    "0" * 40,
    "x" * 201,
    "ä" * 101,
    "a\0b",
    "a\nb",
    "a\tb",
    "a\x7fb",
    "a\x85b",
    "\ud800",
    None,
    1,
    b"v1",
]

STRANGE_IDS = [
    "..",
    "../..",
    "/etc",
    "a/b",
    "A",
    "a",
    "Ä",
    "a\u0308",
    " ",
    "-x",
    ".git",
    "x" * 1000,
    "con",
    "\ud800",
    "\n",
]

BAD_DOCUMENTS: list[Any] = [
    None,
    [],
    "text",
    {"x": float("nan")},
    {"x": [float("inf")]},
    {1: "x"},
    {"x": {None: 1}},
    {"x": datetime(2026, 1, 1)},
    {"x": b"bytes"},
    {"x": {1, 2}},
    {"x": 10**5000},
]


class InputContract(Contract):
    """What is refused, and what only looks strange."""

    @pytest.mark.parametrize("name", BAD_TAG_NAMES)
    def test_bad_tag_names(self, backend: Backend, name: Any) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        tag = backend.tag_create(PACKAGE, name="good", author=ADA)
        with pytest.raises(InvalidName) as error:
            backend.tag_create(PACKAGE, name=name, author=ADA)
        assert error.value.field == "name"
        if name is not None:
            with pytest.raises(InvalidName):
                backend.tag_update(PACKAGE, tag="good", name=name, author=ADA)
        assert backend.tag_list(PACKAGE) == [tag]

    @pytest.mark.parametrize("package_id", ["", None, 7, b"bytes", ["x"]])
    def test_ids_that_are_none(self, backend: Backend, package_id: Any) -> None:
        with pytest.raises(InvalidName) as error:
            backend.create(package_id, document=DOCUMENT, author=ADA)
        assert error.value.field == "package_id"
        for read in (backend.fetch, backend.revision_list, backend.tag_list, backend.purge):
            with pytest.raises(InvalidName):
                read(package_id)

    def test_strange_ids_are_apart(self, backend: Backend) -> None:
        for package_id in STRANGE_IDS:
            backend.create(package_id, document=titled(repr(package_id)), author=ADA)
        for package_id in STRANGE_IDS:
            assert backend.fetch(package_id).document == titled(repr(package_id))
            assert backend.fetch(package_id).id == package_id

    @pytest.mark.parametrize("document", BAD_DOCUMENTS, ids=lambda document: type(document).__name__)
    def test_documents_that_are_no_json(self, backend: Backend, document: Any) -> None:
        if document is not None:
            with pytest.raises(Invalid) as error:
                backend.record(PACKAGE, document=document, author=ADA)
            assert error.value.field == "document"
        with pytest.raises(Invalid):
            backend.create(PACKAGE, document=document, author=ADA)
        with pytest.raises(NotFound):
            backend.fetch(PACKAGE)

    def test_a_document_that_holds_itself(self, backend: Backend) -> None:
        document: dict[str, Any] = {}
        document["self"] = document
        with pytest.raises(Invalid):
            backend.create(PACKAGE, document=document, author=ADA)

    def test_a_bad_update_changes_nothing(self, backend: Backend) -> None:
        package = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        with pytest.raises(Invalid):
            backend.update(PACKAGE, document={"x": float("nan")}, author=ADA)
        with pytest.raises(Invalid):
            backend.update(PACKAGE, document=titled("2"), author=ADA, message="x" * 10_001)
        assert backend.fetch(PACKAGE) == package

    @pytest.mark.parametrize("document", [None, [], {"x": float("nan")}], ids=repr)
    def test_an_update_never_deletes(self, backend: Backend, document: Any) -> None:
        package = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        with pytest.raises(Invalid):
            backend.update(PACKAGE, document=document, author=ADA)
        assert backend.fetch(PACKAGE) == package

    def test_a_message_that_is_too_long(self, backend: Backend) -> None:
        with pytest.raises(Invalid) as error:
            backend.create(PACKAGE, document=DOCUMENT, author=ADA, message="x" * 10_001)
        assert error.value.field == "message"

    @pytest.mark.parametrize(
        ("name", "email"),
        [
            ("", ""),
            (" \n", "<>"),
            ("\ud800\0\ufffe", "a b"),
            ("Eve <eve@x>\nparent 0", "x>\ncommitter y"),
            ("...", ";"),
        ],
    )
    def test_strange_authors(self, backend: Backend, name: str, email: str) -> None:
        author = backend.create(PACKAGE, document=DOCUMENT, author=Author(name, email)).revision.author
        assert author.name
        assert author.email
        assert not set("<>\n\0") & set(author.name + author.email)

    def test_a_message_of_nothing_printable(self, backend: Backend) -> None:
        revision = backend.create(PACKAGE, document=DOCUMENT, author=ADA, message="\0\x1b\ud800\r\n").revision
        assert revision.message == "Create dataset"
