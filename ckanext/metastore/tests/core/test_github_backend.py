"""The ``github`` backend passes the contract, against a GitHub of our own over real Git."""

from __future__ import annotations

import pytest

from ckanext.metastore.backends.github import GitHubBackend
from ckanext.metastore.testing import BackendContract
from ckanext.metastore.testing.github import StandIn


@pytest.fixture(scope="module")
def github(tmp_path_factory):
    with StandIn(tmp_path_factory.mktemp("github")) as server:
        server.add_user("ada")
        yield server


class TestGitHubBackend(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path, github):
        owner = f"city-{tmp_path.name}"[:39].replace("_", "-").strip("-")
        github.add_organization(owner, members=["ada"])
        return GitHubBackend(
            tmp_path / "repositories",
            owner=owner,
            token=github.issue_token("ada"),
            api_url=github.api_url,
            git_url=github.git_url,
        )

    def clone_url(self, backend, package_id):
        owner, name = backend._places.find(package_id)
        return f"{backend._git_url}/{owner}/{name}.git"
