"""The service with GitHub behind it, on the stand-in: a repository for each dataset, and nothing private in it."""

from __future__ import annotations

import pytest

from ckanext.metastore.service import Settings, create_app
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import StandIn
from ckanext.metastore.testing.github.faults import Fault
from ckanext.metastore.testing.github.problems import Problem
from ckanext.metastore.tests.service.server import TREES, bearer, token

URL = "/v1/datasets/acme/trees"
SCOPES = "ds:acme/:create ds:acme/*:read,update,tag,revert,delete,purge ds:city/:create ds:city/*:read,update,purge"


@pytest.fixture
def github(tmp_path):
    with StandIn(tmp_path / "github") as server:
        server.add_user("ada")
        for name in ("acme", "city"):
            server.add_organization(name, members=["ada"])
        yield server


@pytest.fixture
def client(github, tmp_path):
    settings = Settings(
        path=tmp_path / "data",
        backend="github",
        github_token=github.issue_token("ada"),
        github_api_url=github.api_url,
        github_git_url=github.git_url,
        github_timeout=30,
    )
    made = create_app(settings).test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = bearer(token(settings, SCOPES))["Authorization"]
    return made


def log(github, name):
    return git("log", "--format=%H", "main", cwd=github.repository(name).path).split()


def sha(answer):
    assert answer.status_code in (200, 201), answer.text
    return answer.headers["ETag"].strip('"')


def test_a_dataset_is_a_repository_of_its_owner(github, client):
    made = client.post("/v1/datasets?owner=acme", json=TREES)
    assert made.headers["Metastore-Published"] == "true"
    newest = sha(client.patch(URL, json={"title": "Oaks"}))
    client.post(f"{URL}/tags", json={"name": "v1"})
    assert log(github, "acme/trees") == [newest, sha(made)]
    assert git("tag", "--list", cwd=github.repository("acme/trees").path).split() == ["v1"]
    assert github.repository("acme/trees").description == "Oaks"


def test_a_move_moves_the_repository(github, client):
    first = sha(client.post("/v1/datasets?owner=acme", json=TREES))
    assert client.post(f"{URL}/move", json={"name": "wood"}).status_code == 200
    assert log(github, "acme/wood") == [first]
    assert client.post("/v1/datasets/acme/wood/move", json={"owner": "city"}).status_code == 200
    assert log(github, "city/wood") == [first]


def test_what_is_private_is_never_pushed(github, client):
    shown = sha(client.post("/v1/datasets?owner=acme", json=TREES))
    hidden = sha(client.patch(f"{URL}?private=true", json={"title": "Secret"}))
    assert github.repository("acme/trees").private
    assert github.repository("acme/trees").description == ""
    assert client.get(URL).json["title"] == "Secret"
    assert client.get(f"{URL}?revision={hidden[:8]}").json["title"] == "Secret"
    again = sha(client.patch(f"{URL}?private=false", json={"title": "Open"}))
    assert not github.repository("acme/trees").private
    assert log(github, "acme/trees") == [again, shown]
    with pytest.raises(Exception, match=hidden):
        git("cat-file", "-e", hidden, cwd=github.repository("acme/trees").path)


def test_a_purge_takes_the_repository_along(github, client):
    client.post("/v1/datasets?owner=acme", json=TREES)
    assert client.post(f"{URL}/purge").status_code == 204
    with pytest.raises(Problem, match="404"):
        github.repository("acme/trees")


def test_a_host_that_is_away_loses_nothing_and_keeps_nobody_waiting(github, client):
    service = client.application.extensions["metastore"]
    fault = github.fail(Fault(status=503, times=None))
    made = client.post("/v1/datasets?owner=acme", json=TREES)
    assert (made.status_code, made.headers["Metastore-Published"]) == (201, "false")
    asked = len(fault.hits)
    newest = client.patch(URL, json={"title": "Oaks"})
    assert (newest.status_code, newest.headers["Metastore-Published"]) == (200, "false")
    assert len(fault.hits) == asked > 0
    assert client.get(f"{URL}/diff?a={sha(made)}").json[0]["new"] == "Oaks"
    github.clear_faults()
    service.publisher.resume()
    assert service.publisher.publish_all() == 0
    assert log(github, "acme/trees") == [sha(newest), sha(made)]


def test_what_is_to_be_hidden_waits_for_no_pause(github, client):
    client.post("/v1/datasets?owner=acme", json=TREES)
    github.fail(Fault(status=503, times=1))
    client.patch(URL, json={"title": "Oaks"})
    client.patch(f"{URL}?private=true", json={"title": "Secret"})
    assert github.repository("acme/trees").private
