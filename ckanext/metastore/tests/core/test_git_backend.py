"""The ``git`` backend: the contract, and what only a backend with a folder can promise."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.testing import BackendContract
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
