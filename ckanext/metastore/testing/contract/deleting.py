"""Going back, going away, and going somewhere else."""

from __future__ import annotations

import pytest

from ckanext.metastore.core import Backend, Conflict, NotFound
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, GRACE, OTHER, PACKAGE, Contract, titled


class DeletingContract(Contract):
    """``delete``, ``revert``, ``rename`` and ``purge``."""

    def test_delete(self, backend: Backend) -> None:
        package = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        deletion = backend.delete(PACKAGE, author=GRACE, message="Outdated")
        assert deletion.message == "Outdated"
        assert deletion.author == GRACE
        assert deletion.parents == (package.revision.id,)
        with pytest.raises(NotFound) as error:
            backend.fetch(PACKAGE)
        assert error.value.kind == "dataset"

    def test_delete_keeps_the_history(self, backend: Backend) -> None:
        package = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        deletion = backend.delete(PACKAGE, author=ADA)
        assert backend.fetch(PACKAGE, revision_ref=package.revision.id) == package
        assert backend.revision_list(PACKAGE) == [deletion, package.revision]

    def test_what_is_deleted_cannot_be_updated_nor_deleted(self, backend: Backend) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        backend.delete(PACKAGE, author=ADA)
        with pytest.raises(NotFound):
            backend.update(PACKAGE, document=titled("2"), author=ADA)
        with pytest.raises(NotFound):
            backend.delete(PACKAGE, author=ADA)

    def test_delete_of_nothing(self, backend: Backend) -> None:
        with pytest.raises(NotFound):
            backend.delete(PACKAGE, author=ADA)

    def test_delete_from_an_older_revision(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision
        newer = backend.update(PACKAGE, document=titled("2"), author=GRACE)
        with pytest.raises(Conflict) as conflict:
            backend.delete(PACKAGE, author=ADA, base_revision=first.id)
        assert conflict.value.current == newer.revision
        assert backend.fetch(PACKAGE) == newer

    def test_create_takes_a_deleted_history_up_again(self, backend: Backend) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        deletion = backend.delete(PACKAGE, author=ADA)
        again = backend.create(PACKAGE, document=titled("Again"), author=GRACE)
        assert again.revision.parents == (deletion.id,)
        assert len(backend.revision_list(PACKAGE)) == 3

    # -- revert ------------------------------------------------------------------------------------------------

    def test_revert(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        second = backend.update(PACKAGE, document={**titled("2"), "version": "2"}, author=ADA)
        reverted = backend.revert(PACKAGE, to_revision_ref=first.revision.id, author=GRACE)
        assert reverted.document == DOCUMENT
        assert reverted.revision.parents == (second.revision.id,)
        assert reverted.revision.author == GRACE
        assert first.revision.id[:12] in reverted.revision.message

    def test_revert_to_a_tag_with_a_message(self, backend: Backend) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        backend.tag_create(PACKAGE, name="v1", author=ADA)
        backend.update(PACKAGE, document=titled("2"), author=ADA)
        reverted = backend.revert(PACKAGE, to_revision_ref="v1", author=ADA, message="v1 was right")
        assert reverted.document == DOCUMENT
        assert reverted.revision.message == "v1 was right"

    def test_revert_to_what_is_there(self, backend: Backend) -> None:
        package = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        assert backend.revert(PACKAGE, to_revision_ref="HEAD", author=ADA) == package
        assert len(backend.revision_list(PACKAGE)) == 1

    def test_revert_a_deletion(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        deletion = backend.delete(PACKAGE, author=ADA)
        reverted = backend.revert(PACKAGE, to_revision_ref=first.revision.id, author=ADA)
        assert reverted.document == DOCUMENT
        assert reverted.revision.parents == (deletion.id,)

    def test_revert_to_a_deletion(self, backend: Backend) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        deletion = backend.delete(PACKAGE, author=ADA)
        again = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        with pytest.raises(NotFound):
            backend.revert(PACKAGE, to_revision_ref=deletion.id, author=ADA)
        assert backend.fetch(PACKAGE) == again

    def test_revert_from_an_older_revision(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        second = backend.update(PACKAGE, document=titled("2"), author=GRACE)
        base = first.revision.id
        with pytest.raises(Conflict):
            backend.revert(PACKAGE, to_revision_ref=base, author=ADA, base_revision=base)
        assert backend.fetch(PACKAGE) == second

    def test_revert_to_nothing(self, backend: Backend) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        with pytest.raises(NotFound):
            backend.revert(PACKAGE, to_revision_ref="v1", author=ADA)

    # -- rename ------------------------------------------------------------------------------------------------

    def test_rename_takes_the_history_along(self, backend: Backend) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        backend.update(PACKAGE, document=titled("2"), author=ADA)
        tag = backend.tag_create(PACKAGE, name="v1", author=ADA)
        revisions = backend.revision_list(PACKAGE)
        backend.rename(PACKAGE, new_id=OTHER)
        assert backend.revision_list(OTHER) == revisions
        assert backend.tag_list(OTHER) == [tag]
        with pytest.raises(NotFound):
            backend.fetch(PACKAGE)
        assert backend.update(OTHER, document=titled("3"), author=ADA).revision.parents == (revisions[0].id,)

    def test_rename_leaves_the_old_id_free(self, backend: Backend) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        backend.rename(PACKAGE, new_id=OTHER)
        assert backend.create(PACKAGE, document=titled("New"), author=ADA).revision.parents == ()

    def test_rename_to_what_exists(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        other = backend.create(OTHER, document=titled("Other"), author=ADA)
        with pytest.raises(Conflict):
            backend.rename(PACKAGE, new_id=OTHER)
        assert backend.fetch(PACKAGE) == first
        assert backend.fetch(OTHER) == other

    def test_rename_to_itself(self, backend: Backend) -> None:
        package = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        backend.rename(PACKAGE, new_id=PACKAGE)
        assert backend.fetch(PACKAGE) == package

    def test_rename_of_nothing(self, backend: Backend) -> None:
        with pytest.raises(NotFound):
            backend.rename(PACKAGE, new_id=OTHER)

    # -- purge -------------------------------------------------------------------------------------------------

    def test_purge_destroys_the_history(self, backend: Backend) -> None:
        first = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        backend.tag_create(PACKAGE, name="v1", author=ADA)
        backend.purge(PACKAGE)
        for ref in ("HEAD", first.revision.id, "v1"):
            with pytest.raises(NotFound):
                backend.fetch(PACKAGE, revision_ref=ref)
        again = backend.create(PACKAGE, document=titled("New"), author=ADA)
        assert again.revision.parents == ()
        assert backend.tag_list(PACKAGE) == []
        with pytest.raises(NotFound):
            backend.load(PACKAGE, sha=first.revision.id)

    def test_purge_destroys_only_one_history(self, backend: Backend) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        other = backend.create(OTHER, document=titled("Other"), author=ADA)
        backend.purge(PACKAGE)
        assert backend.fetch(OTHER) == other

    def test_purge_of_nothing(self, backend: Backend) -> None:
        backend.purge(PACKAGE)
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        backend.purge(PACKAGE)
        backend.purge(PACKAGE)
