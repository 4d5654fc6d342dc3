"""Tags: named versions that stay where they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ckanext.metastore.core import Backend, Conflict, Invalid, NotFound, Revision
from ckanext.metastore.core.record import record_tag
from ckanext.metastore.core.types import TagUpdate
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, GRACE, PACKAGE, Contract, titled
from ckanext.metastore.testing.git import git


class TagContract(Contract):
    """``tag_create``, ``tag_list``, ``tag_fetch``, ``tag_update`` and ``tag_delete``."""

    @pytest.fixture
    def revision(self, backend: Backend) -> Revision:
        return backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision

    def test_tag_create(self, backend: Backend, revision: Revision) -> None:
        tag = backend.tag_create(PACKAGE, name="v1.0", author=GRACE, description="The first release")
        assert (tag.name, tag.revision_id, tag.description) == ("v1.0", revision.id, "The first release")
        assert tag.author == GRACE
        assert backend.tag_fetch(PACKAGE, tag="v1.0") == tag
        assert backend.tag_list(PACKAGE) == [tag]

    def test_a_tag_is_a_ref(self, backend: Backend, revision: Revision) -> None:
        backend.tag_create(PACKAGE, name="v1", author=ADA)
        backend.update(PACKAGE, document=titled("2"), author=ADA)
        package = backend.fetch(PACKAGE, revision_ref="v1")
        assert package.document == DOCUMENT
        assert package.revision.id == revision.id

    def test_a_revision_names_its_tags(self, backend: Backend, revision: Revision) -> None:
        for name in ("v1", "a", "z"):
            backend.tag_create(PACKAGE, name=name, author=ADA)
        newer = backend.update(PACKAGE, document=titled("2"), author=ADA).revision
        assert newer.tags == ()
        assert [revision.tags for revision in backend.revision_list(PACKAGE)] == [(), ("a", "v1", "z")]
        assert backend.revision_fetch(PACKAGE, revision_ref="v1").tags == ("a", "v1", "z")

    def test_tag_an_older_revision(self, backend: Backend, revision: Revision) -> None:
        backend.update(PACKAGE, document=titled("2"), author=ADA)
        assert backend.tag_create(PACKAGE, name="v1", author=ADA, revision_ref=revision.id).revision_id == revision.id
        assert backend.tag_create(PACKAGE, name="same", author=ADA, revision_ref="v1").revision_id == revision.id

    def test_tag_a_revision_that_is_not_there(self, backend: Backend, revision: Revision) -> None:
        with pytest.raises(NotFound) as error:
            backend.tag_create(PACKAGE, name="v1", author=ADA, revision_ref="0" * 40)
        assert error.value.kind == "revision"
        assert backend.tag_list(PACKAGE) == []

    def test_tag_what_is_not_there(self, backend: Backend) -> None:
        with pytest.raises(NotFound) as error:
            backend.tag_create(PACKAGE, name="v1", author=ADA)
        assert error.value.kind == "dataset"

    def test_a_tag_that_exists(self, backend: Backend, revision: Revision) -> None:
        tag = backend.tag_create(PACKAGE, name="v1", author=ADA, description="Ada's")
        backend.update(PACKAGE, document=titled("2"), author=ADA)
        with pytest.raises(Conflict):
            backend.tag_create(PACKAGE, name="v1", author=GRACE, description="Grace's")
        assert backend.tag_list(PACKAGE) == [tag]

    @pytest.mark.parametrize("description", ["", "Bäume 🌳 木", "Title\n\nBody", "object 0", "x" * 10_000])
    def test_a_description_comes_back_as_it_was(self, backend: Backend, revision: Revision, description: str) -> None:
        assert backend.tag_create(PACKAGE, name="v1", author=ADA, description=description).description == description

    def test_a_description_that_is_too_long(self, backend: Backend, revision: Revision) -> None:
        with pytest.raises(Invalid) as error:
            backend.tag_create(PACKAGE, name="v1", author=ADA, description="x" * 10_001)
        assert error.value.field == "description"
        assert backend.tag_list(PACKAGE) == []

    @pytest.mark.parametrize("name", ["v1.0", "2026-spring", "Frühling", "春", "@2", "1234567g", "(1)"])
    def test_names(self, backend: Backend, revision: Revision, name: str) -> None:
        assert backend.tag_create(PACKAGE, name=name, author=ADA).name == name
        assert backend.fetch(PACKAGE, revision_ref=name).revision.id == revision.id

    def test_two_spellings_are_one_name(self, backend: Backend, revision: Revision) -> None:
        tag = backend.tag_create(PACKAGE, name="Fru\u0308hling", author=ADA)
        assert tag.name == "Fr\u00fchling"
        assert backend.tag_fetch(PACKAGE, tag="Fru\u0308hling") == tag
        with pytest.raises(Conflict):
            backend.tag_create(PACKAGE, name="Fr\u00fchling", author=ADA)

    def test_tags_are_listed_newest_first(self, backend: Backend, revision: Revision) -> None:
        for year, name in enumerate(["b", "a2", "c", "a1"], start=2020):
            time = datetime(min(year, 2022), 1, 1, tzinfo=timezone.utc)
            tag = record_tag(name=name, revision_id=revision.id, author=ADA, timestamp=time)
            backend.publish(PACKAGE, tags=[TagUpdate(name, True, tag)])
        assert [tag.name for tag in backend.tag_list(PACKAGE)] == ["a1", "c", "a2", "b"]

    # -- tag_update --------------------------------------------------------------------------------------------

    def test_rename_a_tag(self, backend: Backend, revision: Revision) -> None:
        backend.tag_create(PACKAGE, name="v1", author=ADA, description="First")
        backend.update(PACKAGE, document=titled("2"), author=ADA)
        tag = backend.tag_update(PACKAGE, tag="v1", name="v1.0", author=GRACE)
        assert (tag.name, tag.revision_id, tag.description) == ("v1.0", revision.id, "First")
        assert tag.author == GRACE
        assert backend.tag_list(PACKAGE) == [tag]
        with pytest.raises(NotFound):
            backend.tag_fetch(PACKAGE, tag="v1")

    def test_describe_a_tag_anew(self, backend: Backend, revision: Revision) -> None:
        backend.tag_create(PACKAGE, name="v1", author=ADA, description="First")
        backend.update(PACKAGE, document=titled("2"), author=ADA)
        tag = backend.tag_update(PACKAGE, tag="v1", description="The first", author=GRACE)
        assert (tag.name, tag.revision_id, tag.description) == ("v1", revision.id, "The first")
        assert tag.author == GRACE
        assert backend.tag_update(PACKAGE, tag="v1", description="", author=ADA).description == ""

    def test_rename_a_tag_to_one_that_exists(self, backend: Backend, revision: Revision) -> None:
        tags = [backend.tag_create(PACKAGE, name=name, author=ADA) for name in ("a", "b")]
        with pytest.raises(Conflict):
            backend.tag_update(PACKAGE, tag="a", name="b", author=GRACE)
        assert sorted(backend.tag_list(PACKAGE), key=lambda tag: tag.name) == tags

    def test_rename_a_tag_to_its_own_name(self, backend: Backend, revision: Revision) -> None:
        backend.tag_create(PACKAGE, name="v1", author=ADA)
        assert backend.tag_update(PACKAGE, tag="v1", name="v1", author=ADA).name == "v1"

    def test_update_a_tag_that_is_not_there(self, backend: Backend, revision: Revision) -> None:
        with pytest.raises(NotFound) as error:
            backend.tag_update(PACKAGE, tag="v1", name="v2", author=ADA)
        assert error.value.kind == "tag"

    # -- tag_delete --------------------------------------------------------------------------------------------

    def test_delete_a_tag(self, backend: Backend, revision: Revision) -> None:
        backend.tag_create(PACKAGE, name="v1", author=ADA)
        backend.tag_delete(PACKAGE, tag="v1")
        assert backend.tag_list(PACKAGE) == []
        assert backend.revision_fetch(PACKAGE).tags == ()
        with pytest.raises(NotFound) as error:
            backend.tag_delete(PACKAGE, tag="v1")
        assert error.value.kind == "tag"
        assert backend.tag_create(PACKAGE, name="v1", author=GRACE).author == GRACE

    @pytest.mark.parametrize("name", ["v1", "", "HEAD", "../heads/main", "\0", "\ud800"])
    def test_tags_that_are_not_there(self, backend: Backend, revision: Revision, name: str) -> None:
        for ask in (backend.tag_fetch, backend.tag_delete):
            with pytest.raises(NotFound):
                ask(PACKAGE, tag=name)
        assert backend.revision_fetch(PACKAGE) == revision

    # -- as git sees them --------------------------------------------------------------------------------------

    def test_tags_are_annotated(self, backend: Backend, revision: Revision, clone: Callable[[str], Path]) -> None:
        backend.tag_create(PACKAGE, name="v1", author=GRACE, description="The first release")
        repository = clone(PACKAGE)
        fields = "%(objecttype) %(*objectname) %(taggername) %(taggeremail) %(contents:subject)"
        expected = f"tag {revision.id} {GRACE.name} <{GRACE.email}> The first release"
        assert git("for-each-ref", "refs/tags/v1", f"--format={fields}", cwd=repository).strip() == expected
        assert git("tag", "-n", cwd=repository).split() == ["v1", "The", "first", "release"]
