"""Git over HTTP where the service keeps its repositories at GitHub: the stand-in, over real Git."""

from __future__ import annotations

import json

import pytest

from ckanext.metastore.testing.github import StandIn
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
