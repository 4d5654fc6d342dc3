"""A dataset that was moved is found by its old name, by who may read it, until another one takes that."""

from __future__ import annotations

import httpx
import pytest

from ckanext.metastore.tests.service.running import ALL, DOCUMENT, Git, running

OTHERS = "ds:city/*:read,update ds:city/:create"


@pytest.fixture
def service(tmp_path):
    with running(tmp_path / "store", anonymous_read=True) as service_:
        yield service_


@pytest.fixture
def http(service):
    headers = {"Authorization": f"Bearer {service.token(f'{ALL} {OTHERS}')}"}
    with httpx.Client(base_url=f"{service.address}/v1", headers=headers) as client:
        yield client


@pytest.fixture(params=[False, True], ids=["public", "private"])
def moved(request, http):
    """A dataset that was parks/trees, and then parks/elms, and is city/trees; whether it is private."""
    query = {"owner": "parks", "name": "trees", "private": str(request.param).lower()}
    assert http.post("/datasets", params=query, json=DOCUMENT).status_code == 201
    assert http.post("/datasets/parks/trees/move", json={"name": "elms"}).status_code == 200
    assert http.post("/datasets/parks/elms/move", json={"owner": "city", "name": "trees"}).status_code == 200
    return request.param


def test_an_old_address_leads_to_the_new_one(http, moved):
    for name in ("trees", "elms"):
        answer = http.get(f"/datasets/parks/{name}/revisions/HEAD?x=1%2F2")
        assert answer.status_code == 400  # parameters are looked at first
        for below in ("", "?revision=HEAD", "/revisions", "/revisions/HEAD", "/resources/a%20%3F%C3%A4"):
            answer = http.get(f"/datasets/parks/{name}{below}")
            assert (answer.status_code, answer.headers["Location"]) == (308, f"/v1/datasets/city/trees{below}")
            assert answer.json()["status"] == 308
    assert http.head("/datasets/parks/trees").status_code == 308
    assert http.get("/datasets/parks/elms", follow_redirects=True).json() == DOCUMENT


def test_nothing_is_written_there(http, moved):
    assert http.patch("/datasets/parks/trees", json={"title": "Trees"}).status_code == 404
    assert http.delete("/datasets/parks/trees").status_code == 404


def test_who_may_not_read_it_is_told_nothing(service, http, moved):
    url = f"{service.address}/v1/datasets/parks/trees"
    token = service.token(ALL)
    assert httpx.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 404
    assert httpx.get(url).status_code == (401 if moved else 308)
    refs = f"{service.address}/parks/trees.git/info/refs?service=git-upload-pack"
    assert httpx.get(refs).status_code == (401 if moved else 301)
    assert httpx.get(refs, auth=("git", token)).status_code == 404


def test_another_dataset_takes_the_name(http, moved):
    assert http.post("/datasets?owner=parks&name=trees", json={**DOCUMENT, "title": "Others"}).status_code == 201
    assert http.get("/datasets/parks/trees").json()["title"] == "Others"
    assert http.get("/datasets/parks/elms").status_code == 308
    assert http.post("/datasets/parks/trees/move", json={"name": "elms"}).status_code == 200
    assert http.get("/datasets/parks/elms").json()["title"] == "Others"
    assert http.get("/datasets/parks/trees").headers["Location"] == "/v1/datasets/parks/elms"


def test_it_is_called_so_again(http, moved):
    assert http.post("/datasets/city/trees/move", json={"owner": "parks"}).status_code == 200
    assert http.get("/datasets/parks/trees").status_code == 200
    assert http.get("/datasets/city/trees").headers["Location"] == "/v1/datasets/parks/trees"


def test_what_is_purged_leaves_no_name(service, http, moved):
    token = service.token("ds:city/*:purge")
    purge = f"{service.address}/v1/datasets/city/trees/purge"
    assert httpx.post(purge, headers={"Authorization": f"Bearer {token}"}).status_code == 204
    assert http.get("/datasets/parks/trees").status_code == 404


def test_the_client_and_git_follow(service, http, moved, tmp_path):
    token = service.token(f"{ALL} {OTHERS}")
    with service.client(f"{ALL} {OTHERS}") as client:
        assert client.fetch("parks", "trees").document == DOCUMENT
    if moved:
        return
    git = Git(tmp_path)
    git("clone", "-q", service.repository("trees"), "anonymous")
    header = f"http.extraHeader=Authorization: Bearer {token}"
    git("-c", header, "clone", "-q", service.repository("elms"), "by-header")
    git("clone", "-q", service.repository("elms", token), "by-password")
    clone = Git(tmp_path / "by-header")
    (clone.folder / "note.txt").write_text("Mind the roots.")
    clone("add", "note.txt")
    clone("commit", "-qm", "A note")
    clone("-c", header, "push", "-q", "origin", "HEAD:main")
