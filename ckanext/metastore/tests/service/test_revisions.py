"""Revisions over HTTP: listed, read, compared, gone back to; tags; resources."""

from __future__ import annotations

import pytest

from ckanext.metastore.tests.service.server import TREES


@pytest.fixture
def history(dataset):
    """Three revisions: the shas, oldest first."""
    return dataset, [tag.strip('"') for tag in (dataset.first, dataset.titled("Second"), dataset.titled("Third"))]


def test_revisions_come_newest_first_page_by_page(history):
    dataset, shas = history
    seen, url = [], f"{dataset.url}/revisions?limit=2"
    while url:
        page = dataset.client.get(url)
        seen.append([revision["id"] for revision in page.json()])
        url = page.links.get("next", {}).get("url")
    assert seen == [[shas[2], shas[1]], [shas[0]]]


def test_what_is_saved_meanwhile_moves_no_page(history):
    dataset, shas = history
    following = dataset.get("/revisions", params={"limit": 1}).links["next"]["url"]
    dataset.titled("Fourth")
    assert dataset.client.get(following).json()[0]["id"] == shas[1]


def test_a_page_is_no_longer_than_is_set(app):
    client, _ = app(limits_page=2)
    client.post("/v1/datasets?owner=acme", json=TREES)
    for title in "abc":
        client.patch("/v1/datasets/acme/trees", json={"title": title})
    assert len(client.get("/v1/datasets/acme/trees/revisions?limit=50").json) == 2


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=1&limit=2", "offset=1"])
def test_a_wrong_parameter_is_named(dataset, query):
    refused = dataset.client.get(f"{dataset.url}/revisions?{query}")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("cursor", ["x", "0", "WyIiXQ", "Mi41", "LTE", "é"])
def test_a_cursor_that_is_none_is_refused(dataset, cursor):
    refused = dataset.get("/revisions", params={"cursor": cursor})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "cursor"


def test_a_revision_is_found_by_sha_abbreviation_tag_and_head(history):
    dataset, shas = history
    dataset.post("/tags", {"name": "v1", "revision": shas[1]})
    for ref, sha in {"HEAD": shas[2], "v1": shas[1], shas[0]: shas[0], shas[0][:7].upper(): shas[0]}.items():
        assert dataset.get(f"/revisions/{ref}").json()["id"] == sha
        assert dataset.get(params={"revision": ref}).headers["ETag"] == f'"{sha}"'
    for ref in ("v2", "f" * 40, shas[0][:6], "HEAD~1", "refs"):
        assert dataset.get(f"/revisions/{ref}").status_code == 404


def test_a_dataset_is_shown_as_it_was_at_a_time(dataset):
    time = dataset.get("/revisions/HEAD").json()["timestamp"]
    assert dataset.get(params={"as_of": time}).json() == TREES
    assert dataset.get(params={"as_of": "2100-01-01T00:00:00Z"}).status_code == 200
    assert dataset.get(params={"as_of": "2001-01-01"}).status_code == 404
    assert dataset.get(params={"as_of": "yesterday"}).json()["errors"][0]["field"] == "as_of"
    assert dataset.get(params={"as_of": time, "revision": "HEAD"}).status_code == 422


def test_a_difference_is_told_as_the_client_likes_it(history):
    dataset, shas = history
    query = {"a": shas[0]}
    assert dataset.get("/diff", params=query).json() == [
        {"kind": "changed", "path": ["title"], "old": "Street trees", "new": "Third"}
    ]
    patch = dataset.get("/diff", params=query, headers={"Accept": "application/json-patch+json"})
    assert patch.headers["Content-Type"] == "application/json-patch+json"
    assert patch.json() == [{"op": "replace", "path": "/title", "value": "Third"}]
    text = dataset.get("/diff", params={**query, "b": shas[1]}, headers={"Accept": "text/plain"})
    assert '-  "title": "Street trees",\n+  "title": "Second",\n' in text.text
    assert dataset.get("/diff", params=query, headers={"Accept": "image/png"}).status_code == 406
    assert dataset.get("/diff").json()["errors"][0] == {"field": "a", "reason": "it is missing"}


def test_going_back_is_a_new_revision(history):
    dataset, shas = history
    reverted = dataset.post("/revert", {"revision": shas[0]})
    assert reverted.json() == TREES
    newest, *_ = dataset.get("/revisions").json()
    assert newest["message"] == f"Revert to revision {shas[0][:12]}"
    assert newest["parents"] == [shas[2]]


def test_some_fields_go_back_alone(dataset):
    dataset.patch(title="Other", version="2")
    reverted = dataset.post("/revert", {"revision": dataset.first.strip('"'), "fields": ["title"], "message": "Title"})
    assert reverted.json() == {**TREES, "version": "2"}
    refused = dataset.post("/revert", {"revision": dataset.first.strip('"'), "fields": ["nothing"]})
    assert refused.json()["errors"][0]["field"] == "fields"


def test_going_back_brings_a_deleted_dataset_back(dataset):
    dataset.client.delete(dataset.url)
    assert dataset.post("/revert", {"revision": "HEAD"}).status_code == 404
    assert dataset.post("/revert", {"revision": dataset.first.strip('"')}).status_code == 200
    assert dataset.get().json() == TREES
    assert dataset.get().headers["Metastore-Private"] == "false"


def test_a_tag_is_made_changed_and_taken_away(history):
    dataset, shas = history
    made = dataset.post("/tags", {"name": "2026-spring", "description": "Spring", "revision": shas[0]})
    assert made.status_code == 201
    assert dataset.client.get(made.headers["Location"]).json() == made.json()
    assert (made.json()["revision"], made.json()["description"]) == (shas[0], "Spring")
    assert dataset.post("/tags", {"name": "2026-spring"}).status_code == 409
    dataset.post("/tags", {"name": "other"})
    assert dataset.client.patch(f"{dataset.url}/tags/other", json={"name": "2026-spring"}).status_code == 409
    changed = dataset.client.patch(f"{dataset.url}/tags/2026-spring", json={"name": "v1"}).json()
    assert changed == {**made.json(), "name": "v1"}
    assert sorted(tag["name"] for tag in dataset.get("/tags").json()) == ["other", "v1"]
    assert dataset.get(f"/revisions/{shas[0]}").json()["tags"] == ["v1"]
    assert dataset.client.delete(f"{dataset.url}/tags/v1").status_code == 204
    assert dataset.get("/tags/v1").status_code == 404
    assert dataset.client.delete(f"{dataset.url}/tags/v1").status_code == 404


@pytest.mark.parametrize("name", ["a/b", "HEAD", "a" * 40, "a b", "x.lock", "\ud800"])
def test_a_tag_that_git_would_refuse_is_refused(dataset, name):
    content = f'{{"name": "{name}"}}'.encode("utf-8", "backslashreplace")
    refused = dataset.client.post(f"{dataset.url}/tags", content=content, headers={"Content-Type": "application/json"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "name"


def test_resources_are_shown_as_they_were(dataset):
    dataset.patch(resources=[{"name": "oaks", "id": "r1", "path": "oaks.csv"}, {"name": "r1", "path": "x.csv"}])
    assert [resource["name"] for resource in dataset.get("/resources").json()] == ["oaks", "r1"]
    assert dataset.get("/resources/r1").json()["name"] == "oaks"
    assert dataset.get("/resources/oaks").json()["id"] == "r1"
    assert dataset.get("/resources/trees").status_code == 404
    then = {"revision": dataset.first.strip('"')}
    assert dataset.get("/resources/trees", params=then).json() == TREES["resources"][0]
    assert dataset.get("/resources", params=then).json() == TREES["resources"]
