"""Git over HTTP where the service keeps its repositories at GitHub: the stand-in, over real Git."""

from __future__ import annotations

import json

import pytest

from ckanext.metastore.testing.github import StandIn
from ckanext.metastore.testing.github.faults import Fault
from ckanext.metastore.testing.github.problems import Problem
from ckanext.metastore.tests.service.running import DOCUMENT, Git, running


@pytest.fixture
def github(tmp_path):
    with StandIn(tmp_path / "github") as stand_in:
        stand_in.add_user("robot")
        stand_in.add_organization("parks", members=["robot"])
        yield stand_in


@pytest.fixture
def service(tmp_path, github):
    settings = {
        "backend": "github",
        "github_token": github.issue_token("robot"),
        "github_api_url": github.api_url,
        "github_git_url": github.git_url,
    }
    with running(tmp_path / "store", **settings) as running_:
        yield running_


def test_a_push_to_the_service_reaches_github(service, github, tmp_path):
    git = Git(tmp_path)
    with service.client() as client:
        client.create("parks", DOCUMENT, name="trees")
        git("clone", "-q", service.repository("trees", service.token()), "clone")
        clone = Git(tmp_path / "clone")
        (clone.folder / "datapackage.json").write_text(json.dumps({**DOCUMENT, "title": "Street trees"}))
        clone("commit", "-qam", "Say what it is")
        clone("push", "-q")
        head = clone("rev-parse", "HEAD")
        assert client.fetch("parks", "trees").published
        git("clone", "-q", f"{github.git_url}/parks/trees.git", "there")
        assert Git(tmp_path / "there")("rev-parse", "HEAD") == head


def test_a_clone_is_served_where_the_local_copy_is_lost(service, tmp_path):
    with service.client() as client:
        made = client.create("parks", DOCUMENT, name="trees")
    for repository in (service.folder / "repositories").glob("*/*.git"):
        repository.rename(tmp_path / repository.name)
    git = Git(tmp_path)
    git("clone", "-q", service.repository("trees", service.token()), "clone")
    assert Git(tmp_path / "clone")("rev-parse", "HEAD") == made.revision_id


def test_a_mirror_reaches_github_as_rest_describes_it(service, github, tmp_path):
    git = Git(tmp_path)
    with service.client() as client:
        mirror = client.mirror_create("parks", "trees", description="Secret", topics=["secret"], private=True)
        git("clone", "-q", service.repository("trees", service.token()), "clone")
        clone = Git(tmp_path / "clone")
        (clone.folder / "datapackage.json").write_text(json.dumps({**DOCUMENT, "title": "Secret trees"}))
        clone("add", ".")
        clone("commit", "-qm", "First survey")
        clone("tag", "-a", "v1", "-m", "The first")
        clone("push", "-q", "origin", "main", "v1")
        assert client.fetch("parks", "trees").published
        there = github.repository("parks/trees")
        assert (there.private, there.description, tuple(there.topics)) == (True, "", ())

        client.mirror_update(
            mirror.number, private=False, description="Trees", topics=["trees"], homepage="https://x.org/dataset/1"
        )
        there = github.repository("parks/trees")
        assert (there.private, there.description, tuple(there.topics)) == (False, "Trees", ("trees",))
        assert there.homepage.startswith("https://x.org/dataset/1")
        git("clone", "-q", f"{github.git_url}/parks/trees.git", "there")
        assert Git(tmp_path / "there")("rev-parse", "HEAD", "v1") == clone("rev-parse", "HEAD", "v1")

        client.mirror_update(mirror.number, private=True)
        there = github.repository("parks/trees")
        assert (there.private, there.description, tuple(there.topics)) == (True, "", ())
        client.mirror_delete(mirror.number)
        with pytest.raises(Problem, match="404"):
            github.repository("parks/trees")


def test_a_mirror_that_is_deleted_is_hidden_at_github(service, github, tmp_path):
    with service.client() as client:
        client.mirror_create("parks", "trees", description="Trees")
        Git(tmp_path)("clone", "-q", service.repository("trees", service.token()), "clone")
        clone = Git(tmp_path / "clone")
        (clone.folder / "datapackage.json").write_text("{}")
        clone("add", ".")
        clone("commit", "-qm", "First survey")
        clone("push", "-q", "origin", "main")
        assert not github.repository("parks/trees").private
        clone("rm", "-q", "datapackage.json")
        clone("commit", "-q", "--allow-empty", "-m", "Gone")
        clone("push", "-q", "origin", "main")
        assert github.repository("parks/trees").private


def test_where_github_is_away_a_push_is_recorded_and_nobody_is_shown_an_older_branch(service, github, tmp_path):
    with service.client() as client:
        client.mirror_create("parks", "trees")
        Git(tmp_path)("clone", "-q", service.repository("trees", service.token()), "clone")
        clone = Git(tmp_path / "clone")
        for number in (1, 2):
            (clone.folder / "datapackage.json").write_text(f'{{"version": "{number}"}}')
            clone("add", ".")
            clone("commit", "-qm", "Survey")
            clone("push", "-q", "origin", "main")
            github.fail(Fault(status=503, times=None))
        head = clone("rev-parse", "HEAD")
        found = client.fetch("parks", "trees")
        assert (found.revision_id, found.document, found.published) == (head, {"version": "2"}, False)
        assert "the store does not answer now; nothing is lost" in clone.refused("fetch")
        github.clear_faults()  # the host is left alone for a while all the same
        assert "the store does not answer now; nothing is lost" in clone.refused("fetch")
        assert "the store does not answer now; nothing is lost" in clone.refused("push", "origin", "HEAD~1:main")
        assert client.fetch("parks", "trees").revision_id == head
