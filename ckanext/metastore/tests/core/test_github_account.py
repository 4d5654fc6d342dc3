"""The ``github`` backend passes the contract against a real account at GitHub. Off, unless the environment names one.

::

    METASTORE_GITHUB_TOKEN=... METASTORE_GITHUB_OWNER=my-name \\
        make test-core PYTEST_ARGS="-k test_github_account"

The token must be one for all repositories of the owner, with the permissions Administration and Contents, read and
write. Each of the 225 tests makes a public repository or two whose names begin with ``metastore-test-``, and deletes
them; no other is touched. ``METASTORE_GITHUB_API_URL`` and ``METASTORE_GITHUB_GIT_URL`` lead to another server than
github.com.
"""

from __future__ import annotations

import os
import secrets

import pytest

from ckanext.metastore.backends.github import GitHubBackend
from ckanext.metastore.backends.github.backend import API_URL, GIT_URL
from ckanext.metastore.backends.hosted.places import ByName
from ckanext.metastore.testing import BackendContract
from ckanext.metastore.testing.contract.base import OTHER, PACKAGE

TOKEN = os.environ.get("METASTORE_GITHUB_TOKEN", "")
OWNER = os.environ.get("METASTORE_GITHUB_OWNER", "")


class _Marked(ByName):
    """Repositories whose names begin with a mark, and which are remembered, to be deleted in the end."""

    def __init__(self, host, mark):
        super().__init__(host, OWNER, "delete")
        self._mark = mark
        self.package_ids = {PACKAGE, OTHER}  # other processes may have used these

    def find(self, package_id):
        owner, name = super().find(package_id)
        self.package_ids.add(package_id)
        return owner, f"{self._mark}{name}"[:100]


class _Account(GitHubBackend):
    def __init__(self, path):
        super().__init__(
            path,
            owner=OWNER,
            token=TOKEN,
            api_url=os.environ.get("METASTORE_GITHUB_API_URL", API_URL),
            git_url=os.environ.get("METASTORE_GITHUB_GIT_URL", GIT_URL),
            timeout=60,
        )
        assert isinstance(self._places, ByName)
        self._places = self._marked = _Marked(self._places.host, f"metastore-test-{secrets.token_hex(4)}-")

    def purge_all(self):
        for package_id in sorted(self._marked.package_ids):
            self._marked.purge(package_id, proven=True)


@pytest.mark.skipif(
    not (TOKEN and OWNER), reason="needs METASTORE_GITHUB_TOKEN and METASTORE_GITHUB_OWNER, an account at GitHub"
)
class TestGitHubAccount(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path):
        backend = _Account(tmp_path / "repositories")
        yield backend
        backend.purge_all()

    def clone_url(self, backend, package_id):
        owner, name = backend._places.find(package_id)
        return f"{backend._host.git_url}/{owner}/{name}.git"
