"""The two halves of a save: ``record`` computes, ``publish`` replays, as often as it takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from itertools import combinations
from pathlib import Path

import pytest

from ckanext.metastore.core import Backend, Conflict, NotFound
from ckanext.metastore.core.document import canonical_json
from ckanext.metastore.core.objects import TreeEntry, blob, parse_tree, tree
from ckanext.metastore.core.record import record_tag
from ckanext.metastore.core.types import Head, RecordedRevision, TagUpdate
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, GRACE, PACKAGE, Contract, titled
from ckanext.metastore.testing.git import git

TIME = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def chain(backend: Backend, length: int, *, public: bool = True, head: Head | None = None) -> list[RecordedRevision]:
    """Record revisions that follow one another, oldest first."""
    revisions: list[RecordedRevision] = []
    for number in range(length):
        head = revisions[-1].head if revisions else head
        document = titled(f"{number}{'' if public else ' private'}")
        revisions.append(
            backend.record(PACKAGE, document=document, author=ADA, timestamp=TIME, public=public, head=head)
        )
    return revisions


def tagged(revision: RecordedRevision, name: str, description: str = "") -> TagUpdate:
    """Record a tag."""
    tag = record_tag(name=name, revision_id=revision.sha, author=ADA, description=description, timestamp=TIME)
    return TagUpdate(name, revision.public, tag)


class PublishingContract(Contract):
    """``record``, ``publish`` and ``load``."""

    def test_record_stores_nothing(self, backend: Backend) -> None:
        chain(backend, 2)
        with pytest.raises(NotFound):
            backend.revision_list(PACKAGE)

    def test_record_is_a_function_of_its_input(self, backend: Backend) -> None:
        assert chain(backend, 3) == chain(backend, 3)

    def test_published_is_what_was_recorded(self, backend: Backend) -> None:
        revisions = chain(backend, 3)
        backend.publish(PACKAGE, revisions=revisions)
        listed = backend.revision_list(PACKAGE)
        assert [revision.id for revision in listed] == [revision.sha for revision in reversed(revisions)]
        assert listed[0].timestamp == TIME
        assert (listed[0].author, listed[0].message) == (revisions[-1].author, revisions[-1].message)
        assert listed[0].parents == revisions[-1].parents

    def test_the_verbs_go_on_from_what_was_published(self, backend: Backend) -> None:
        revisions = chain(backend, 2)
        backend.publish(PACKAGE, revisions=revisions)
        assert backend.fetch(PACKAGE).document == titled("1")
        updated = backend.update(PACKAGE, document=titled("2"), author=GRACE)
        assert updated.revision.parents == (revisions[-1].sha,)

    def test_publish_nothing(self, backend: Backend) -> None:
        backend.publish(PACKAGE)
        backend.publish(PACKAGE, tags=[TagUpdate("v1", True, None)])
        with pytest.raises(NotFound):
            backend.revision_list(PACKAGE)

    def test_every_replay_is_harmless(self, backend: Backend) -> None:
        revisions = chain(backend, 5)
        backend.publish(PACKAGE, revisions=revisions[:3])
        for start, end in combinations(range(4), 2):
            backend.publish(PACKAGE, revisions=revisions[start:end])
        backend.publish(PACKAGE, revisions=revisions)
        backend.publish(PACKAGE, revisions=revisions[1:2])
        listed = backend.revision_list(PACKAGE)
        assert [revision.id for revision in listed] == [revision.sha for revision in reversed(revisions)]

    def test_publish_beside_the_branch(self, backend: Backend) -> None:
        revisions = chain(backend, 2)
        backend.publish(PACKAGE, revisions=revisions)
        rival = backend.record(PACKAGE, document=titled("Rival"), author=GRACE, head=revisions[0].head)
        other_root = backend.record(PACKAGE, document=titled("Root"), author=GRACE)
        for revision in (rival, other_root):
            with pytest.raises(Conflict) as conflict:
                backend.publish(PACKAGE, revisions=[revision])
            assert conflict.value.current is not None
            assert conflict.value.current.id == revisions[-1].sha
            with pytest.raises(NotFound):
                backend.fetch(PACKAGE, revision_ref=revision.sha)
        assert backend.fetch(PACKAGE).revision.id == revisions[-1].sha

    def test_publish_without_the_parent(self, backend: Backend) -> None:
        for public in (True, False):
            revisions = chain(backend, 2, public=public)
            with pytest.raises(Conflict):
                backend.publish(PACKAGE, revisions=revisions[1:])
        with pytest.raises(NotFound):
            backend.revision_list(PACKAGE)

    def test_files_of_others_are_kept(self, backend: Backend, clone: Callable[[str], Path]) -> None:
        first = chain(backend, 1)[0]
        citation = blob(b"cff-version: 1.2.0\n")
        root = tree([*parse_tree(first.tree), TreeEntry("CITATION.cff", citation.sha)])
        second = backend.record(
            PACKAGE, document=titled("2"), author=ADA, head=Head(first.sha, root.data, first.timestamp)
        )
        second = RecordedRevision(
            sha=second.sha,
            parents=second.parents,
            tree=second.tree,
            author=second.author,
            message=second.message,
            timestamp=second.timestamp,
            public=True,
            objects=(citation, *second.objects),
        )
        backend.publish(PACKAGE, revisions=[first, second])
        backend.update(PACKAGE, document=titled("3"), author=ADA)
        backend.delete(PACKAGE, author=ADA)
        sha = backend.revision_fetch(PACKAGE).id
        assert backend.load(PACKAGE, sha=sha, path="CITATION.cff") == citation.data
        assert git("ls-tree", "--name-only", sha, cwd=clone(PACKAGE)).split() == ["CITATION.cff"]

    # -- load --------------------------------------------------------------------------------------------------

    def test_load(self, backend: Backend) -> None:
        first, second = chain(backend, 2)
        backend.publish(PACKAGE, revisions=[first, second])
        assert backend.load(PACKAGE, sha=first.sha) == canonical_json(titled("0"))
        assert backend.load(PACKAGE, sha=second.sha, path="README.md").startswith(b"<!-- Generated")

    @pytest.mark.parametrize("path", ["", "/", "nope.json", "datapackage.json/x", "../config", "a/b", ".", "\ud800"])
    def test_load_a_file_that_is_not_there(self, backend: Backend, path: str) -> None:
        revision = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision
        with pytest.raises(NotFound) as error:
            backend.load(PACKAGE, sha=revision.id, path=path)
        assert error.value.kind == "file"

    @pytest.mark.parametrize("sha", ["0" * 40, "HEAD", "main", "", "0000000"])
    def test_load_a_revision_that_is_not_there(self, backend: Backend, sha: str) -> None:
        with pytest.raises(NotFound) as error:
            backend.load(PACKAGE, sha=sha)
        assert error.value.kind == "dataset"
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        with pytest.raises(NotFound) as error:
            backend.load(PACKAGE, sha=sha)
        assert error.value.kind == "revision"

    # -- tags --------------------------------------------------------------------------------------------------

    def test_publish_tags(self, backend: Backend) -> None:
        revision = chain(backend, 1)[0]
        tag = tagged(revision, "v1", "First")
        for _ in range(2):
            backend.publish(PACKAGE, revisions=[revision], tags=[tag])
        assert [(tag.name, tag.description) for tag in backend.tag_list(PACKAGE)] == [("v1", "First")]

    def test_publish_changes_of_tags(self, backend: Backend) -> None:
        revision = chain(backend, 1)[0]
        backend.publish(PACKAGE, revisions=[revision], tags=[tagged(revision, "v1"), tagged(revision, "v2")])
        changes = [tagged(revision, "v1", "New"), TagUpdate("v2", True, None), TagUpdate("v3", True, None)]
        for _ in range(2):
            backend.publish(PACKAGE, tags=changes)
        assert [(tag.name, tag.description) for tag in backend.tag_list(PACKAGE)] == [("v1", "New")]

    def test_publish_a_tag_of_nothing(self, backend: Backend) -> None:
        revision = chain(backend, 1)[0]
        with pytest.raises(Conflict):
            backend.publish(PACKAGE, tags=[tagged(revision, "v1")])

    # -- as git sees it ----------------------------------------------------------------------------------------

    def test_a_clone_reads_well(self, backend: Backend, clone: Callable[[str], Path]) -> None:
        revision = backend.record(
            PACKAGE, document=DOCUMENT, author=ADA, message="Add trees\n\nAll of them.", user="ada", timestamp=TIME
        )
        backend.publish(PACKAGE, revisions=[revision])
        repository = clone(PACKAGE)
        log = git("log", "--format=%an <%ae> %aI%n%B", cwd=repository).strip()
        assert log == (
            "Ada Lovelace <ada@example.org> 2026-03-01T12:00:00+00:00\n"
            f"Add trees\n\nAll of them.\n\nCKAN-Dataset: {PACKAGE}\nCKAN-User: ada"
        )
        trailers = git("log", "--format=%(trailers:key=CKAN-Dataset,valueonly)", cwd=repository)
        assert trailers.strip() == PACKAGE
        assert git("ls-tree", "--name-only", "HEAD", cwd=repository).split() == ["README.md", "datapackage.json"]
        assert git("show", "HEAD:datapackage.json", cwd=repository).encode() == canonical_json(DOCUMENT)
