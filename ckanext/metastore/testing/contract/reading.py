"""Reading the past: lists of revisions, what a ref means, and what differs."""

from __future__ import annotations

from typing import Any

import pytest

from ckanext.metastore.core import Author, Backend, Invalid, NotFound, Revision, objects
from ckanext.metastore.core.types import Change, RecordedRevision
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, GRACE, OTHER, PACKAGE, Contract, titled


def history(backend: Backend, length: int) -> list[Revision]:
    """Make a history; give its revisions, newest first."""
    revisions = [backend.create(PACKAGE, document=titled("0"), author=ADA).revision]
    for number in range(1, length):
        revisions.insert(0, backend.update(PACKAGE, document=titled(str(number)), author=GRACE).revision)
    return revisions


def twins() -> tuple[RecordedRevision, RecordedRevision]:
    """Make two revisions whose shas begin with the same seven digits: a root, and its merge with another root."""
    tree = objects.tree([])
    first, second = (
        objects.commit(
            tree=tree.sha,
            parents=[],
            author=ADA_OF_TWINS,
            committer=ADA_OF_TWINS,
            timestamp=1_700_000_000,
            message=text,
        )
        for text in ("Root 8512", "Root 30096")
    )
    merge = objects.commit(
        tree=tree.sha,
        parents=[first.sha, second.sha],
        author=ADA,
        committer=ADA,
        timestamp=1_700_000_001,
        message="Merge",
    )
    return (
        RecordedRevision(first.sha, (), tree.data, ADA, "", 1_700_000_000, True, (tree, first)),
        RecordedRevision(merge.sha, (first.sha, second.sha), tree.data, ADA, "", 1_700_000_001, True, (second, merge)),
    )


ADA_OF_TWINS = Author("Ada Lovelace", "ada@example.com")


class ReadingContract(Contract):
    """``fetch`` at a ref, ``revision_list``, ``revision_fetch`` and ``diff``."""

    def test_revisions_are_listed_newest_first(self, backend: Backend) -> None:
        revisions = history(backend, 5)
        assert backend.revision_list(PACKAGE) == revisions
        assert [revision.parents for revision in revisions] == [(older.id,) for older in revisions[1:]] + [()]

    def test_pages(self, backend: Backend) -> None:
        revisions = history(backend, 5)
        assert backend.revision_list(PACKAGE, limit=2) == revisions[:2]
        assert backend.revision_list(PACKAGE, limit=2, offset=2) == revisions[2:4]
        assert backend.revision_list(PACKAGE, limit=2, offset=4) == revisions[4:]
        assert backend.revision_list(PACKAGE, offset=5) == []

    def test_a_page_is_twenty_revisions(self, backend: Backend) -> None:
        history(backend, 21)
        assert len(backend.revision_list(PACKAGE)) == 20

    @pytest.mark.parametrize(("field", "value"), [("limit", 0), ("limit", -1), ("offset", -1)])
    def test_pages_that_cannot_be(self, backend: Backend, field: str, value: int) -> None:
        history(backend, 1)
        with pytest.raises(Invalid) as error:
            backend.revision_list(PACKAGE, **{field: value})
        assert error.value.field == field

    def test_revisions_of_nothing(self, backend: Backend) -> None:
        for read in (backend.revision_list, backend.revision_fetch, backend.tag_list):
            with pytest.raises(NotFound) as error:
                read(PACKAGE)
            assert error.value.kind == "dataset"

    def test_revision_fetch(self, backend: Backend) -> None:
        newest, oldest = history(backend, 2)
        assert backend.revision_fetch(PACKAGE) == newest
        assert backend.revision_fetch(PACKAGE, revision_ref=oldest.id) == oldest

    # -- what a ref means --------------------------------------------------------------------------------------

    @pytest.mark.parametrize("digits", [7, 8, 39, 40])
    def test_a_sha_may_be_cut_short(self, backend: Backend, digits: int) -> None:
        oldest = history(backend, 3)[-1]
        for ref in (oldest.id[:digits], oldest.id[:digits].upper()):
            assert backend.fetch(PACKAGE, revision_ref=ref).revision == oldest

    def test_refs_that_mean_nothing(self, backend: Backend) -> None:
        oldest = history(backend, 2)[-1]
        refs: list[Any] = [
            oldest.id[:6],
            oldest.id + "0",
            "0" * 40,
            "0000000",
            "",
            "@",
            "head",
            "main",
            "refs/heads/main",
            "HEAD~1",
            f"{oldest.id}^{{tree}}",
            "../main",
            "no such tag",
            "\0",
            "\ud800",
            None,
            7,
        ]
        for ref in refs:
            with pytest.raises(NotFound) as error:
                backend.fetch(PACKAGE, revision_ref=ref)
            assert error.value.kind == "revision"

    def test_a_revision_of_another_package(self, backend: Backend) -> None:
        history(backend, 1)
        other = backend.create(OTHER, document=titled("Other"), author=ADA).revision.id
        for ref in (other, other[:7]):
            with pytest.raises(NotFound):
                backend.fetch(PACKAGE, revision_ref=ref)

    def test_objects_that_are_no_revisions(self, backend: Backend) -> None:
        revision = backend.record(PACKAGE, document=DOCUMENT, author=ADA)
        backend.publish(PACKAGE, revisions=[revision])
        for item in revision.objects[:-1]:
            with pytest.raises(NotFound):
                backend.fetch(PACKAGE, revision_ref=item.sha)

    def test_an_abbreviation_that_fits_two_revisions(self, backend: Backend) -> None:
        first, merge = twins()
        backend.publish(PACKAGE, revisions=[first, merge])
        assert first.sha[:7] == merge.parents[1][:7]
        with pytest.raises(Invalid) as error:
            backend.revision_fetch(PACKAGE, revision_ref=first.sha[:7])
        assert error.value.field == "revision_ref"
        assert backend.revision_fetch(PACKAGE, revision_ref=first.sha[:12]).id == first.sha
        assert backend.revision_fetch(PACKAGE, revision_ref=merge.parents[1]).parents == ()

    # -- what differs ------------------------------------------------------------------------------------------

    def test_diff(self, backend: Backend) -> None:
        oldest = backend.create(PACKAGE, document=titled("Old"), author=ADA).revision
        backend.update(PACKAGE, document=titled("New"), author=ADA)
        assert backend.diff(PACKAGE, revision_ref_a=oldest.id) == [Change("changed", ("title",), "Old", "New")]
        assert backend.diff(PACKAGE, revision_ref_a="HEAD", revision_ref_b="HEAD") == []

    def test_diff_to_a_deletion(self, backend: Backend) -> None:
        oldest = backend.create(PACKAGE, document={"title": "Trees"}, author=ADA).revision
        backend.delete(PACKAGE, author=ADA)
        assert backend.diff(PACKAGE, revision_ref_a=oldest.id) == [Change("removed", ("title",), "Trees")]

    def test_diff_of_unknown_refs(self, backend: Backend) -> None:
        history(backend, 1)
        for refs in ({"revision_ref_a": "v1"}, {"revision_ref_a": "HEAD", "revision_ref_b": "v1"}):
            with pytest.raises(NotFound):
                backend.diff(PACKAGE, **refs)
