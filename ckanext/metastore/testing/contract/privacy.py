"""What is private stays private: no object of a private revision is ever in the public repository."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ckanext.metastore.core import Backend, NotFound
from ckanext.metastore.core.document import canonical_json
from ckanext.metastore.core.types import RecordedRevision
from ckanext.metastore.testing.contract.base import PACKAGE, Contract, titled
from ckanext.metastore.testing.contract.publishing import chain, tagged
from ckanext.metastore.testing.git import git, object_ids


def ids_of(revisions: Iterable[RecordedRevision]) -> set[str]:
    """Give the shas of all objects of these revisions."""
    return {item.sha for revision in revisions for item in revision.objects}


class PrivacyContract(Contract):
    """Private revisions, by ``publish`` and ``load``, and what a stranger finds in a clone."""

    def test_private_revisions_can_be_loaded(self, backend: Backend) -> None:
        revisions = chain(backend, 3, public=False)
        backend.publish(PACKAGE, revisions=revisions)
        document = backend.load(PACKAGE, sha=revisions[1].sha, public=False)
        assert b"1 private" in document

    def test_a_private_dataset_has_no_public_repository(self, backend: Backend, clone: Callable[[str], Path]) -> None:
        revisions = chain(backend, 2, public=False)
        backend.publish(PACKAGE, revisions=revisions, tags=[tagged(revisions[0], "secret")])
        with pytest.raises(AssertionError, match="git clone"):
            clone(PACKAGE)
        with pytest.raises(NotFound):
            backend.load(PACKAGE, sha=revisions[0].sha, public=True)
        for read in (backend.fetch, backend.revision_list, backend.tag_list):
            with pytest.raises(NotFound) as error:
                read(PACKAGE)
            assert error.value.kind == "dataset"

    def test_a_name_that_is_given_anew_goes_where_its_revision_is(self, backend: Backend) -> None:
        (seen,) = chain(backend, 1)
        (hidden,) = chain(backend, 1, public=False, head=seen.head)
        backend.publish(PACKAGE, revisions=[seen, hidden], tags=[tagged(seen, "v1")])
        backend.publish(PACKAGE, tags=[tagged(hidden, "v1")])
        assert backend.tag_list(PACKAGE) == []
        backend.publish(PACKAGE, tags=[tagged(seen, "v1", "Again")])
        assert [tag.description for tag in backend.tag_list(PACKAGE)] == ["Again"]

    def test_a_clone_holds_public_objects_only(self, backend: Backend, clone: Callable[[str], Path]) -> None:
        private_first = chain(backend, 2, public=False)
        public_first = chain(backend, 2)
        private_then = chain(backend, 2, public=False, head=public_first[-1].head)
        public_then = chain(backend, 1, head=public_first[-1].head)
        tags = [tagged(private_then[0], "secret", "Not yours"), tagged(public_then[0], "v1")]
        everything = [*private_first, *public_first, *private_then, *public_then]
        for _ in range(2):
            backend.publish(PACKAGE, revisions=everything, tags=tags)
        repository = clone(PACKAGE)
        public_tag = tags[1].object
        assert public_tag is not None
        assert object_ids(repository) == ids_of([*public_first, *public_then]) | {public_tag.sha}
        refs = git("for-each-ref", "--format=%(refname:lstrip=-2)", cwd=repository)
        assert "secret" not in refs
        assert "private" not in refs

    def test_the_verbs_see_public_revisions_only(self, backend: Backend) -> None:
        public = chain(backend, 1)
        private = chain(backend, 1, public=False, head=public[-1].head)
        backend.publish(PACKAGE, revisions=[*public, *private], tags=[tagged(private[0], "secret")])
        assert [revision.id for revision in backend.revision_list(PACKAGE)] == [public[0].sha]
        assert backend.tag_list(PACKAGE) == []
        for ref in (private[0].sha, private[0].sha[:7], "secret"):
            with pytest.raises(NotFound):
                backend.fetch(PACKAGE, revision_ref=ref)
        with pytest.raises(NotFound):
            backend.load(PACKAGE, sha=private[0].sha, public=True)

    def test_every_order_of_public_and_private(self, backend: Backend) -> None:
        """A public revision's parent is the last public one; a private revision's, the revision before it."""
        everything: list[RecordedRevision] = []
        last_public: RecordedRevision | None = None
        for public in (False, True, True, False, False, True, False, True):
            before = everything[-1] if everything else None
            parent = last_public if public else before
            everything += chain(backend, 1, public=public, head=parent.head if parent else None)
            last_public = everything[-1] if public else last_public
            backend.publish(PACKAGE, revisions=everything)
        for revision in everything:
            text = "0" if revision.public else "0 private"
            loaded = backend.load(PACKAGE, sha=revision.sha, public=revision.public)
            assert f'"title": "{text}"'.encode() in loaded
        public_shas = [revision.sha for revision in reversed(everything) if revision.public]
        assert [revision.id for revision in backend.revision_list(PACKAGE)] == public_shas

    def test_public_revisions_can_be_loaded_as_part_of_all(self, backend: Backend) -> None:
        public = chain(backend, 1)
        private = chain(backend, 1, public=False, head=public[-1].head)
        backend.publish(PACKAGE, revisions=[*public, *private])
        assert backend.load(PACKAGE, sha=public[0].sha, public=False) == canonical_json(titled("0"))

    def test_purge_destroys_private_revisions_too(self, backend: Backend) -> None:
        public = chain(backend, 1)
        private = chain(backend, 1, public=False, head=public[-1].head)
        backend.publish(PACKAGE, revisions=[*public, *private])
        backend.purge(PACKAGE)
        for revision in (*public, *private):
            with pytest.raises(NotFound):
                backend.load(PACKAGE, sha=revision.sha, public=revision.public)
