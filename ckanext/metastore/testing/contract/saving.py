"""Saving: what goes in comes back, as one chain of revisions, and nobody's edit is lost silently."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ckanext.metastore.core import Author, Backend, Conflict, NotFound
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, GRACE, OTHER, PACKAGE, Contract, titled


class SavingContract(Contract):
    """``create``, ``update`` and ``fetch``."""

    def test_create(self, backend: Backend) -> None:
        package = backend.create(PACKAGE, document=DOCUMENT, author=ADA, message="A first look")
        assert package.id == PACKAGE
        assert package.document == DOCUMENT
        assert package.revision.author == ADA
        assert package.revision.message == "A first look"
        assert package.revision.parents == ()
        assert package.revision.tags == ()
        assert backend.fetch(PACKAGE) == package

    def test_create_says_when(self, backend: Backend) -> None:
        before = datetime.now(timezone.utc) - timedelta(seconds=1)
        revision = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision
        assert before <= revision.timestamp <= datetime.now(timezone.utc)

    def test_create_what_exists(self, backend: Backend) -> None:
        package = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        with pytest.raises(Conflict) as conflict:
            backend.create(PACKAGE, document=titled("Mine"), author=GRACE)
        assert conflict.value.current == package.revision
        assert backend.fetch(PACKAGE) == package

    def test_update(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        second = backend.update(PACKAGE, document=titled("City trees"), author=GRACE, message="Better title")
        assert second.document == titled("City trees")
        assert second.revision.parents == (first.revision.id,)
        assert second.revision.author == GRACE
        assert backend.fetch(PACKAGE) == second
        assert backend.fetch(PACKAGE, revision_ref=first.revision.id) == first

    def test_update_replaces_the_whole_document(self, backend: Backend) -> None:
        backend.create(PACKAGE, document={**DOCUMENT, "version": "1"}, author=ADA)
        assert backend.update(PACKAGE, document=DOCUMENT, author=ADA).document == DOCUMENT

    def test_update_from_the_head(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        second = backend.update(PACKAGE, document=titled("2"), author=ADA, base_revision=first.revision.id)
        assert second.revision.parents == (first.revision.id,)

    def test_update_from_an_older_revision(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        newer = backend.update(PACKAGE, document=titled("Grace's title"), author=GRACE)
        with pytest.raises(Conflict) as conflict:
            backend.update(PACKAGE, document=titled("Ada's"), author=ADA, base_revision=first.revision.id)
        assert conflict.value.current == newer.revision
        assert backend.fetch(PACKAGE) == newer
        assert len(backend.revision_list(PACKAGE)) == 2

    def test_a_base_revision_is_a_full_sha(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        with pytest.raises(Conflict):
            backend.update(PACKAGE, document=titled("2"), author=ADA, base_revision=first.revision.id[:10])

    def test_saving_what_is_there_makes_no_revision(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        reordered = dict(reversed(DOCUMENT.items()))
        assert backend.update(PACKAGE, document=reordered, author=GRACE, message="Nothing") == first
        assert len(backend.revision_list(PACKAGE)) == 1

    def test_update_of_nothing(self, backend: Backend) -> None:
        with pytest.raises(NotFound) as error:
            backend.update(PACKAGE, document=DOCUMENT, author=ADA)
        assert error.value.kind == "dataset"

    def test_fetch_of_nothing(self, backend: Backend) -> None:
        with pytest.raises(NotFound) as error:
            backend.fetch(PACKAGE)
        assert error.value.kind == "dataset"

    def test_packages_are_apart(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        other = backend.create(OTHER, document=titled("Other"), author=GRACE)
        assert backend.fetch(PACKAGE) == first
        assert backend.fetch(OTHER) == other

    @pytest.mark.parametrize(
        "document",
        [
            {},
            {"name": None, "list": [], "object": {}, "nested": [[{"deep": [None, True, False]}]]},
            {"numbers": [0, -1, 1.0, 0.1, 1e300, 10**40], "texts": ["", " ", "1", "true", "null"]},
            {"Überschrift": "Bäume 🌳 木 شجرة", "line\nbreak": "tab\t, return\r\n, NUL \0, DEL \x7f, LS \u2028"},
            {"decomposed": "A\u0308", "composed": "\u00c4", "surrogate": "\ud800", "noncharacter": "\uffff"},
            {"resources": [], "ckan": {"extras": [{"key": "b", "value": ""}, {"key": "a", "value": None}]}},
            {"resources": [{"name": "a"}, {"name": "a"}, {}], "": "an empty key", "$schema": "x", "title": 7},
            {"resources": "no list", "description": ["no", "text"], "name": {"no": "name"}},
        ],
        ids=["empty", "nested", "numbers", "unicode", "oddities", "extras", "duplicates", "types"],
    )
    def test_any_document_comes_back_as_it_was(self, backend: Backend, document: dict[str, Any]) -> None:
        backend.create(PACKAGE, document=document, author=ADA)
        assert backend.fetch(PACKAGE).document == document

    def test_numbers_keep_their_types(self, backend: Backend) -> None:
        backend.create(PACKAGE, document={"n": [1, 1.0, True]}, author=ADA)
        assert [type(n) for n in backend.fetch(PACKAGE).document["n"]] == [int, float, bool]
        backend.update(PACKAGE, document={"n": [1.0, True, 1]}, author=ADA)
        assert len(backend.revision_list(PACKAGE)) == 2

    def test_a_document_of_five_megabytes(self, backend: Backend) -> None:
        document = {**DOCUMENT, "description": "Bäume\n" * 800_000}
        backend.create(PACKAGE, document=document, author=ADA)
        assert backend.fetch(PACKAGE).document == document

    # -- who, when and why -------------------------------------------------------------------------------------

    def test_messages_by_default(self, backend: Backend) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        backend.update(PACKAGE, document=titled("2"), author=ADA, message=" \n")
        backend.delete(PACKAGE, author=ADA)
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        messages = [revision.message for revision in backend.revision_list(PACKAGE)]
        assert messages == ["Create dataset", "Delete dataset", "Update dataset", "Create dataset"]

    @pytest.mark.parametrize(
        "message", ["Bäume 🌳 木", "Title\n\nBody\n\n- list", "CKAN-User: admin", "#1", "x" * 10_000]
    )
    def test_a_message_comes_back_as_it_was(self, backend: Backend, message: str) -> None:
        assert backend.create(PACKAGE, document=DOCUMENT, author=ADA, message=message).revision.message == message

    @pytest.mark.parametrize("name", ["Zoë", "李小龍", "محمد", "O'Brien", "Jr. J", "a" * 500])
    def test_an_author_comes_back_as_they_are(self, backend: Backend, name: str) -> None:
        author = Author(name, "someone@example.org")
        assert backend.create(PACKAGE, document=DOCUMENT, author=author).revision.author == author

    def test_authors_differ(self, backend: Backend) -> None:
        revision = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision
        assert revision.author == ADA
        assert revision.author != GRACE
        assert revision.author != Author(ADA.name, GRACE.email)

    def test_a_time_of_the_callers(self, backend: Backend) -> None:
        time = datetime(2019, 5, 17, 12, 30, tzinfo=timezone(timedelta(hours=2)))
        revision = backend.create(PACKAGE, document=DOCUMENT, author=ADA, timestamp=time).revision
        assert revision.timestamp == time
        assert revision.timestamp.utcoffset() == timedelta(0)

    def test_no_revision_is_older_than_its_parent(self, backend: Backend) -> None:
        late = datetime(2030, 1, 1, tzinfo=timezone.utc)
        early = datetime(2020, 1, 1, tzinfo=timezone.utc)
        backend.create(PACKAGE, document=DOCUMENT, author=ADA, timestamp=late)
        assert backend.update(PACKAGE, document=titled("2"), author=ADA, timestamp=early).revision.timestamp == late
