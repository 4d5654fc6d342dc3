"""A portal on the github backend, with a GitHub of our own over real Git."""

from __future__ import annotations

import pytest

from ckanext.metastore.testing.git import check_integrity, git
from ckanext.metastore.testing.github import StandIn


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with StandIn(tmp_path_factory.mktemp("github")) as server:
        server.add_user("ada")
        server.add_organization("parks", members=["ada"])
        server.add_organization("city", members=["ada"])
        yield server


@pytest.fixture
def token(server):
    return server.issue_token("ada")


@pytest.fixture(autouse=True)
def github(portal, server, token, ckan_config, monkeypatch):
    """The backend is GitHub's; the counters begin at nothing."""
    options = {
        "backend": "github",
        "github.owner": "city",
        "github.token": token,
        "github.api_url": server.api_url,
        "github.git_url": server.git_url,
    }
    for name, value in options.items():
        monkeypatch.setitem(ckan_config, f"ckanext.metastore.{name}", value)
    server.clear_faults()
    server.forget_requests()
    return server


@pytest.fixture
def asked(github):
    """What a call asks of GitHub: requests to its API, and pushes, and fetches."""

    def count(call):
        github.forget_requests()
        call()
        rest = [f"{request.method} {request.path}" for request in github.requests if request.kind == "rest"]
        return len(rest), github.pushes, github.fetches

    return count


def head(github, name):
    repository = github.repository(name)
    check_integrity(repository.path)
    return git("rev-parse", "main", cwd=repository.path).strip()


def tags_of(github, name):
    return git("tag", "--list", cwd=github.repository(name).path).split()
