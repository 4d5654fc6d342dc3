"""The ``git`` backend passes the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.core import Backend, Invalid, InvalidName, create_backend
from ckanext.metastore.testing import BackendContract
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE
from ckanext.metastore.testing.git import check_integrity


class TestGitBackend(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path):
        return GitBackend(tmp_path / "repositories")

    @pytest.fixture(autouse=True)
    def histories_are_whole(self, tmp_path):
        """Look at what is on disk: more than any clone shows."""
        yield
        for repository in tmp_path.glob("repositories/*/*.git"):
            check_integrity(repository)

    def clone_url(self, backend, package_id):
        return str(backend.repository_path(package_id))


def test_a_type_checker_takes_it_for_a_backend(tmp_path: Path) -> None:
    backend: Backend = GitBackend(tmp_path)
    assert backend.record(PACKAGE, document=DOCUMENT, author=ADA).parents == ()


def test_by_name(tmp_path):
    assert isinstance(create_backend("git", path=tmp_path), GitBackend)
    with pytest.raises(Invalid, match="git"):
        create_backend("nope")


def test_options_that_cannot_be(tmp_path):
    with pytest.raises(Invalid, match="path"):
        GitBackend("")
    with pytest.raises(InvalidName, match="branch"):
        GitBackend(tmp_path, branch="a b")
