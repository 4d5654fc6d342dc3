"""The ``github`` backend passes the contract, against a GitHub of our own over real Git."""

from __future__ import annotations

import pytest

from ckanext.metastore.backends.github import GitHubBackend
from ckanext.metastore.core import Conflict, Invalid, NotFound
from ckanext.metastore.testing import BackendContract
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE
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
        return f"{backend._host.git_url}/{owner}/{name}.git"

    def push_url(self, backend, package_id):
        return self.clone_url(backend, package_id).replace("://", f"://x-access-token:{backend._credentials.token()}@")

    def test_what_leaves_ours_behind_is_not_pushed(self, backend, ours, visit):
        visit().push(ours[0].sha)
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        for joins in (None, ours[1].sha):
            beside = backend.record(PACKAGE, document=DOCUMENT, author=ADA, head=theirs.head, joins=joins)
            with pytest.raises(Conflict):
                backend.publish(PACKAGE, revisions=[beside])
        assert backend.theirs(PACKAGE, ours=ours[-1].sha) == theirs

    def test_another_node_joins(self, backend, ours, visit, tmp_path, github):
        """It has neither fetched what is there, nor what was published before."""
        visit().edit(ours[-1].sha, DOCUMENT)
        theirs = backend.theirs(PACKAGE, ours=ours[-1].sha)
        joined = backend.record(PACKAGE, document=DOCUMENT, author=ADA, head=theirs.head, joins=ours[-1].sha)
        node = GitHubBackend(
            tmp_path / "node",
            owner=backend._places.find(PACKAGE)[0],
            token=github.issue_token("ada"),
            api_url=github.api_url,
            git_url=github.git_url,
        )
        node.publish(PACKAGE, revisions=[joined])
        assert backend.theirs(PACKAGE, ours=joined.sha) is None

    def test_the_branch_is_gone(self, backend, ours, github):
        owner, name = backend._places.find(PACKAGE)
        github.repository(f"{owner}/{name}").git.run("update-ref", "-d", "refs/heads/main")
        with pytest.raises(NotFound) as error:
            backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert error.value.kind == "branch"
        github.repository(f"{owner}/{name}").git.run("update-ref", "refs/heads/main", ours[-1].sha)

    def test_the_repository_is_gone(self, backend, ours):
        backend._places.purge(PACKAGE, proven=True)
        with pytest.raises(NotFound) as error:
            backend.theirs(PACKAGE, ours=ours[-1].sha)
        assert error.value.kind == "repository"
        backend.purge(PACKAGE)

    def test_an_object_that_git_calls_broken(self, backend, ours, github):
        there = github.repository("/".join(backend._places.find(PACKAGE))).git
        blob = there.run("hash-object", "-w", "--stdin", stdin=b"x").decode().strip()
        tree = there.run(
            "hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=b"100644 .git\0" + bytes.fromhex(blob)
        )
        name = {"GIT_AUTHOR_NAME": "E", "GIT_AUTHOR_EMAIL": "e", "GIT_COMMITTER_NAME": "E", "GIT_COMMITTER_EMAIL": "e"}
        sha = there.text("commit-tree", tree.decode().strip(), "-p", ours[-1].sha, "-m", "Trap", env=name)
        there.run("update-ref", "refs/heads/main", sha)
        with pytest.raises(Invalid, match="hasDotgit"):
            backend.theirs(PACKAGE, ours=ours[-1].sha)
        there.run("update-ref", "refs/heads/main", ours[-1].sha)
