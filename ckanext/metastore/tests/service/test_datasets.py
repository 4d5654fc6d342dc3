"""Datasets over HTTP: created, read, replaced, patched, deleted, moved, purged, listed."""

from __future__ import annotations

import json

import pytest

from ckanext.metastore.tests.service.server import TREES, Dataset

V2 = TREES["$schema"]


def create(client, document, **query):
    return client.post("/v1/datasets", params={"owner": "acme", **query}, json=document)


def test_what_is_created_is_there(client):
    made = create(client, {**TREES, "name": "what-is-created"}, message="First survey")
    assert made.status_code == 201
    assert made.headers["Location"] == "/v1/datasets/acme/what-is-created"
    read = client.get(made.headers["Location"])
    assert read.json() == made.json() == {**TREES, "name": "what-is-created"}
    assert read.headers["ETag"] == made.headers["ETag"]
    (revision,) = client.get(f"{made.headers['Location']}/revisions").json()
    assert made.headers["ETag"] == f'"{revision["id"]}"'
    assert revision["message"] == "First survey"
    assert revision["author"] == {"name": "Edda Ito", "email": "edda@users.noreply.127.0.0.1"}
    assert revision["published"]


def test_what_is_there_cannot_be_created(dataset):
    again = create(dataset.client, TREES, name=dataset.name)
    assert again.status_code == 409
    assert "current" not in again.json()


@pytest.mark.parametrize(
    "name", ["Trees", "a/b", "trees.git", "-trees", "", "t" * 101, "12345678-1234-1234-1234-123456789abc"]
)
def test_a_name_that_is_none_is_refused(client, name):
    refused = create(client, TREES, name=name)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "name"


def test_a_data_package_needs_a_name_from_somewhere(client):
    refused = create(client, {"resources": TREES["resources"]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "name"


ODD = {
    **TREES,
    "unknown": {"deep": [1, 1.5, None, True, "", {"ключ": "значение"}]},
    "title": "Bäume \U0001f333 <b>&amp;\u2028",
    "description": "",
    "keywords": ["b", "a"],
    "ckan": {"extras": []},
    "resources": [{"name": "b", "path": "b.csv", "x-custom": 0}, {"name": "a", "data": {"inline": [1]}, "bytes": 0}],
}


def test_all_that_is_valid_is_kept(client):
    made = create(client, ODD, name="all-that-is-valid")
    assert made.status_code == 201
    assert client.get("/v1/datasets/acme/all-that-is-valid").json() == ODD


def test_version_1_becomes_version_2(client):
    document = {
        "profile": "tabular-data-package",
        "resources": [{"name": "a", "path": "a.csv", "profile": "tabular-data-resource"}],
        "contributors": [{"title": "Ravi", "role": "author"}],
        "custom": 1,
    }
    assert create(client, document, name="version-1").json() == {
        "$schema": V2,
        "resources": [{"name": "a", "path": "a.csv", "type": "table"}],
        "contributors": [{"title": "Ravi", "roles": ["author"]}],
        "custom": 1,
    }


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"resources": []}, "/resources"),
        ({"resources": [{"name": "a"}]}, "/resources/0"),
        ({"title": 1}, "/title"),
        ({"created": "yesterday"}, "/created"),
        ({"licenses": [{}]}, "/licenses/0"),
    ],
)
def test_what_is_no_data_package_is_refused_by_its_field(dataset, wrong, field):
    for refused in (dataset.client.put(dataset.url, json={**TREES, **wrong}), dataset.patch(**wrong)):
        assert refused.status_code == 422
        assert field in [error["field"] for error in refused.json()["errors"]]
    assert dataset.get().headers["ETag"] == dataset.first


def test_a_dataset_is_replaced(dataset):
    replaced = dataset.client.put(dataset.url, params={"message": "Anew"}, json={**TREES, "title": "Anew"})
    assert replaced.status_code == 200
    assert replaced.json()["title"] == dataset.get().json()["title"] == "Anew"
    assert [revision["message"] for revision in dataset.get("/revisions").json()] == ["Anew", "Create dataset"]


def test_the_same_makes_no_revision(dataset):
    assert dataset.client.put(dataset.url, json=TREES).headers["ETag"] == dataset.first
    assert dataset.patch().headers["ETag"] == dataset.first
    assert len(dataset.get("/revisions").json()) == 1


def test_a_merge_patch_changes_sets_and_removes(dataset):
    media = {"Content-Type": "application/merge-patch+json"}
    patch = {"title": None, "version": "2", "x": {"a": 1, "b": None}}
    patched = dataset.client.patch(dataset.url, content=json.dumps(patch), headers=media)
    assert patched.json() == {**{k: v for k, v in TREES.items() if k != "title"}, "version": "2", "x": {"a": 1}}


def test_what_is_deleted_keeps_its_history_for_who_may_change_it(dataset, server):
    deleted = dataset.client.delete(dataset.url, params={"message": "Felled"})
    assert deleted.status_code == 200
    assert deleted.json()["message"] == "Felled"
    assert dataset.get().status_code == 404
    assert dataset.patch(title="x").status_code == 404
    assert dataset.client.delete(dataset.url).status_code == 404
    assert len(dataset.get("/revisions").json()) == 2
    assert dataset.get(params={"revision": dataset.first.strip('"')}).json() == TREES
    with server.client("ds:acme/*:read") as reader:
        assert reader.get(f"{dataset.url}/revisions").status_code == 404
    assert dataset.name not in [
        found["name"] for found in dataset.client.get("/v1/datasets", params={"limit": 100}).json()
    ]


def test_what_is_deleted_can_be_created_again(dataset):
    dataset.client.delete(dataset.url)
    again = create(dataset.client, {**TREES, "title": "Again"}, name=dataset.name)
    assert again.status_code == 201
    assert len(dataset.get("/revisions").json()) == 3


def test_a_move_takes_the_history_along(dataset):
    moved = dataset.post("/move", {"name": f"{dataset.name}-moved"})
    assert moved.status_code == 200
    assert dataset.get().headers["Location"] == moved.headers["Location"]
    there = dataset.client.get(moved.headers["Location"])
    assert there.json() == TREES
    assert there.headers["ETag"] == dataset.first


def test_a_move_needs_a_free_name_and_a_right_to_it(dataset, client):
    other = Dataset(client)
    assert dataset.post("/move", {"name": other.name}).status_code == 409
    assert dataset.post("/move", {"owner": "city"}).status_code == 403
    assert dataset.post("/move", {"name": "Not a name"}).status_code == 422


def test_a_purge_leaves_nothing(dataset, server):
    (found,) = [
        item
        for item in dataset.client.get("/v1/datasets", params={"limit": 100}).json()
        if item["name"] == dataset.name
    ]
    repositories = server.settings.path / "repositories" / found["id"][:2]
    assert list(repositories.glob(f"{found['id']}*.git"))
    assert dataset.post("/purge").status_code == 204
    assert dataset.get("/revisions").status_code == 404
    assert not list(repositories.glob(f"*{found['id']}*"))
    again = create(dataset.client, TREES, name=dataset.name)
    assert again.status_code == 201
    assert len(dataset.get("/revisions").json()) == 1


def test_the_list_has_what_the_token_may_read_page_by_page(client, server):
    names = sorted(Dataset(client).name for _ in range(3))
    with server.client(" ".join(f"ds:acme/{name}:read" for name in names)) as reader:
        seen, url = [], "/v1/datasets?owner=acme&limit=2"
        pages = 0
        while url:
            page = reader.get(url)
            seen += [found["name"] for found in page.json()]
            url = page.links.get("next", {}).get("url")
            pages += 1
        assert (seen, pages) == (names, 2)
        assert reader.get("/v1/datasets", params={"owner": "city"}).json() == []
