"""Who was first: ETags, If-Match, many writers at once, requests that are sent again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from uuid import uuid4

import pytest

from ckanext.metastore.tests.service.server import READ, TREES, Dataset

WRITERS = 4
ROUNDS = 4


def test_what_the_client_has_is_not_sent_again(dataset):
    for below in ("", "/resources", "/resources/trees"):
        answer = dataset.get(below, headers={"If-None-Match": dataset.get(below).headers["ETag"]})
        assert (answer.status_code, answer.content) == (304, b"")
        assert dataset.get(below, headers={"If-None-Match": '"other"'}).status_code == 200


def changes(dataset, etag):
    """Everything that takes If-Match, with a given one."""
    headers = {"If-Match": etag}
    yield dataset.client.put(dataset.url, json={**TREES, "title": "Put"}, headers=headers)
    yield dataset.client.patch(dataset.url, json={"title": "Patch"}, headers=headers)
    yield dataset.post("/revert", {"revision": dataset.first.strip('"')}, headers=headers)
    yield dataset.client.delete(dataset.url, headers=headers)


def test_a_change_on_an_old_revision_is_refused_and_told_the_newer_one(dataset):
    newest = dataset.titled("Newer")
    for refused in changes(dataset, dataset.first):
        assert refused.status_code == 412
        assert f'"{refused.json()["current"]["id"]}"' == newest
    assert dataset.get().headers["ETag"] == newest


def test_a_weak_etag_matches_no_change(dataset):
    assert dataset.client.patch(dataset.url, json={}, headers={"If-Match": f"W/{dataset.first}"}).status_code == 412


@pytest.mark.parametrize("etag", ["*", '"other", {first}', "{first}"])
def test_a_change_on_the_newest_revision_is_made(dataset, etag):
    headers = {"If-Match": etag.replace("{first}", dataset.first)}
    assert dataset.client.patch(dataset.url, json={"title": "New"}, headers=headers).status_code == 200


def test_a_strict_service_insists_on_it(app):
    client, _ = app(strict=True)
    etag = client.post("/v1/datasets?owner=acme", json=TREES).headers["ETag"]
    url = "/v1/datasets/acme/trees"
    for refused in (
        client.put(url, json=TREES),
        client.patch(url, json={}),
        client.delete(url),
        client.post(f"{url}/revert", json={"revision": "HEAD"}),
    ):
        assert refused.status_code == 428
    assert client.patch(url, json={"title": "x"}, headers={"If-Match": etag}).status_code == 200


def test_of_many_writers_exactly_one_wins_each_round(server, dataset):
    clients = [server.client() for _ in range(WRITERS)]

    def write(number, etag):
        change = {"title": f"by {number}", "version": str(uuid4())}
        return clients[number].patch(dataset.url, json=change, headers={"If-Match": etag})

    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in range(ROUNDS):
            etag = dataset.get().headers["ETag"]
            answers = list(pool.map(write, range(WRITERS), [etag] * WRITERS))
            assert sorted(answer.status_code for answer in answers) == [200] + [412] * (WRITERS - 1)
            (won,) = [answer for answer in answers if answer.status_code == 200]
            assert dataset.get().headers["ETag"] == won.headers["ETag"]
            assert {answer.json()["current"]["id"] for answer in answers if answer is not won} == {
                won.headers["ETag"].strip('"')
            }
    revisions = dataset.get("/revisions").json()
    assert len(revisions) == ROUNDS + 1
    assert all(newer["parents"] == [older["id"]] for newer, older in pairwise(revisions))


def test_of_many_who_create_one_name_exactly_one_does(server):
    clients = [server.client() for _ in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(
            pool.map(lambda client: client.post("/v1/datasets?owner=acme&name=of-many", json=TREES), clients)
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (WRITERS - 1)


def test_without_if_match_nobody_loses(server, dataset):
    clients = [server.client() for _ in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(pool.map(lambda n: clients[n].patch(dataset.url, json={f"by-{n}": n}), range(WRITERS)))
    assert {answer.status_code for answer in answers} == {200}
    assert {f"by-{n}" for n in range(WRITERS)} <= dataset.get().json().keys()


# -- requests that are sent again -----------------------------------------------------------------------------------


def key():
    return {"Idempotency-Key": str(uuid4())}


def test_what_is_sent_again_is_done_once_and_answered_alike(client):
    headers, query = key(), {"owner": "acme", "name": "sent-again"}
    first, again = (client.post("/v1/datasets", params=query, json=TREES, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    for name in ("ETag", "Location", "Content-Type", "Metastore-Private"):
        assert first.headers[name] == again.headers[name]
    assert first.content == again.content


def test_a_tag_that_is_sent_again_stays_one(dataset):
    headers = key()
    answers = [dataset.post("/tags", {"name": "v1"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert dataset.post("/tags", {"name": "v1"}).status_code == 409


def test_a_key_is_for_one_request_and_one_subject(dataset, server):
    headers = key()
    assert dataset.post("/tags", {"name": "v1"}, headers=headers).status_code == 201
    refused = dataset.post("/tags", {"name": "v2"}, headers=headers)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "Idempotency-Key"
    with server.client(subject="ravi") as ravi:
        assert ravi.post(f"{dataset.url}/tags", json={"name": "v3"}, headers=headers).status_code == 201


def test_a_key_opens_nothing(dataset, server):
    headers = key()
    dataset.post("/revert", {"revision": "HEAD"}, headers=headers)
    with server.client(READ) as reader:
        assert reader.post(f"{dataset.url}/revert", json={"revision": "HEAD"}, headers=headers).status_code in (
            403,
            422,
        )


def test_what_failed_can_be_sent_again(dataset):
    headers = key()
    assert dataset.post("/tags", {"name": "v1", "revision": "none"}, headers=headers).status_code == 404
    dataset.post("/tags", {"name": "none"})
    assert dataset.post("/tags", {"name": "v1", "revision": "none"}, headers=headers).status_code == 201


def test_many_who_send_the_same_make_one(server, client):
    headers, query = key(), {"owner": "acme", "name": "the-same"}
    clients = [server.client() for _ in range(WRITERS)]
    with ThreadPoolExecutor(WRITERS) as pool:
        answers = list(
            pool.map(lambda sender: sender.post("/v1/datasets", params=query, json=TREES, headers=headers), clients)
        )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.headers["ETag"] for answer in answers if answer.status_code == 201}) == 1
    assert len(client.get("/v1/datasets/acme/the-same/revisions").json()) == 1


def test_a_purge_forgets_what_was_answered(client, server):
    headers = key()
    made = Dataset(client)
    document = {**TREES, "title": "A secret that a purge destroys"}
    made.client.put(made.url, json=document)
    made.post("/revert", {"revision": "HEAD"}, headers=headers)
    made.post("/purge")
    index = b"".join(path.read_bytes() for path in server.settings.path.glob("index.sqlite"))
    assert b"A secret that a purge destroys" not in index
