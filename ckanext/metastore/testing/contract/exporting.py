"""``export``: a plain repository, which needs no other, and holds nothing that it should not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckanext.metastore.core import Backend, Conflict, NotFound
from ckanext.metastore.core.findings import Expected
from ckanext.metastore.testing.contract.base import ADA, PACKAGE, Contract, titled
from ckanext.metastore.testing.contract.publishing import TIME, chain, tagged
from ckanext.metastore.testing.git import check_integrity, git, object_ids


class ExportingContract(Contract):
    """Leaving with a history."""

    @pytest.fixture
    def target(self, tmp_path: Path) -> Path:
        return tmp_path / "out" / "trees.git"

    def test_a_plain_repository_of_its_own(self, backend: Backend, target: Path, tmp_path: Path) -> None:
        first, second = chain(backend, 2)
        backend.publish(PACKAGE, revisions=[first, second], tags=[tagged(first, "v1")])
        expected = Expected(PACKAGE, head=second.sha, tags={"v1": first.sha})
        for _ in range(2):
            backend.export(expected, target=target)
        check_integrity(target)
        assert not (target / "objects/info/alternates").exists()
        git("clone", "--quiet", str(target), str(tmp_path / "work"))
        assert git("rev-parse", "HEAD", "v1^{commit}", cwd=tmp_path / "work").split() == [second.sha, first.sha]
        assert [path.name for path in target.parent.iterdir()] == [target.name]

    def test_nothing_private_goes_with_what_is_public(self, backend: Backend, target: Path) -> None:
        (shown,) = chain(backend, 1)
        secret = chain(backend, 2, public=False, head=shown.head)
        backend.publish(PACKAGE, revisions=[shown, *secret], tags=[tagged(secret[0], "draft")])
        backend.export(Expected(PACKAGE, head=shown.sha), target=target)
        assert object_ids(target) == {item.sha for item in shown.objects}

    def test_the_whole_history(self, backend: Backend, target: Path, tmp_path: Path) -> None:
        (shown,) = chain(backend, 1)
        secret = chain(backend, 2, public=False, head=shown.head)
        backend.publish(PACKAGE, revisions=[shown, *secret])
        expected = Expected(PACKAGE, head=shown.sha, private=tuple(revision.sha for revision in secret))
        backend.export(expected, target=target, private=True, newest=secret[-1].sha, revisions=secret)
        check_integrity(target)
        git("clone", "--quiet", str(target), str(tmp_path / "work"))
        assert git("rev-list", "HEAD", cwd=tmp_path / "work").split() == [secret[1].sha, secret[0].sha, shown.sha]

    def test_what_is_only_recorded(self, backend: Backend, target: Path) -> None:
        first, second = chain(backend, 2)
        backend.publish(PACKAGE, revisions=[first])
        backend.export(
            Expected(PACKAGE, head=first.sha), target=target, revisions=[second], tags=[tagged(second, "v1")]
        )
        assert git("rev-parse", "main", "v1^{commit}", cwd=target).split() == [second.sha, second.sha]
        assert backend.fetch(PACKAGE).revision.id == first.sha

    def test_what_is_nowhere(self, backend: Backend, target: Path) -> None:
        first, second = chain(backend, 2)
        for expected in (Expected(PACKAGE, head=first.sha), Expected(PACKAGE, tags={"v1": first.sha})):
            with pytest.raises(NotFound):
                backend.export(expected, target=target)
        backend.publish(PACKAGE, revisions=[first])
        with pytest.raises(NotFound):
            backend.export(Expected(PACKAGE, head=second.sha), target=target)
        assert not target.exists()

    def test_what_is_there_moves_forward_only(self, backend: Backend, target: Path, tmp_path: Path) -> None:
        first, second = chain(backend, 2)
        backend.publish(PACKAGE, revisions=[first])
        backend.export(Expected(PACKAGE, head=first.sha), target=target)
        backend.publish(PACKAGE, revisions=[second])
        backend.export(Expected(PACKAGE, head=second.sha), target=target)
        assert git("rev-parse", "main", cwd=target).strip() == second.sha
        rival = backend.record(PACKAGE, document=titled("Rival"), author=ADA, timestamp=TIME, head=second.head)
        other = tmp_path / "out" / "other.git"
        backend.export(Expected(PACKAGE, head=second.sha), target=other, revisions=[rival])
        third = backend.record(PACKAGE, document=titled("Third"), author=ADA, timestamp=TIME, head=second.head)
        backend.publish(PACKAGE, revisions=[third])
        with pytest.raises(Conflict):
            backend.export(Expected(PACKAGE, head=third.sha), target=other)
        assert git("rev-parse", "main", cwd=other).strip() == rival.sha
