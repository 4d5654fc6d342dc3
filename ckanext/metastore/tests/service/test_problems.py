"""Errors over HTTP: one shape, whoever raised them; limits."""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import closing

import pytest

from ckanext.metastore.core import Unavailable
from ckanext.metastore.service import Settings, create_app
from ckanext.metastore.service.api.routing import ROUTES
from ckanext.metastore.tests.service.server import TREES

JSON = {"Content-Type": "application/json"}


def is_problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = json.loads(answer.text)
    assert said["status"] == status
    assert said["type"] == "about:blank"
    assert said["title"]
    assert said["detail"]
    return said


def test_what_is_not_there_is_told_in_the_one_shape(client):
    for path in (
        "/",
        "/v1",
        "/v1/datasets/",
        "/v1/datasets/acme",
        "/v1/datasets/a/b/c",
        "/%00",
        "/v1/datasets/a%2Fb/c",
    ):
        is_problem(client.get(path), 404)
    said = is_problem(client.get("/v1/datasets/acme/nothing"), 404)
    assert (said["kind"], said["ref"]) == ("dataset", "acme/nothing")


def test_a_method_that_is_none_is_told_in_the_one_shape(client):
    for route in ROUTES:
        url = route.path.translate(str.maketrans("", "", "{}"))
        answer = client.request("TRACE", url)
        is_problem(answer, 405)
        assert route.method in answer.headers["Allow"]


def test_a_body_of_another_kind_is_told_in_the_one_shape(dataset):
    is_problem(dataset.client.put(dataset.url, content="<a/>", headers={"Content-Type": "text/xml"}), 415)
    is_problem(dataset.client.put(dataset.url), 415)


@pytest.mark.parametrize(
    "body",
    ["", "{", '{"a": NaN}', '{"a": 1, "a": 2}', b"\xff", "[" * 100_000, "1" * 5000, '{"a":' * 40 + "1" + "}" * 40],
    ids=["nothing", "half", "nan", "twins", "no utf-8", "deep", "long number", "levels"],
)
def test_a_body_that_is_no_json_is_told_in_the_one_shape(dataset, body):
    for refused in (
        dataset.client.put(dataset.url, content=body, headers=JSON),
        dataset.client.patch(dataset.url, content=body, headers=JSON),
        dataset.client.post(f"{dataset.url}/tags", content=body, headers=JSON),
    ):
        is_problem(refused, 400)


@pytest.mark.parametrize("body", [[], "x", None, 1, {"name": "v1", "more": 1}, {"name": 1}, {}])
def test_a_body_that_is_not_what_it_must_be_names_the_field(dataset, body):
    assert is_problem(dataset.client.post(f"{dataset.url}/tags", content=json.dumps(body), headers=JSON), 422)["errors"]


def test_numbers_beyond_all_bounds_are_refused(dataset):
    body = json.dumps(TREES)[:-1] + ', "x": 1e999}'
    is_problem(dataset.client.put(dataset.url, content=body, headers=JSON), 422)


def test_as_many_levels_as_are_set_are_taken(dataset, server):
    depth = server.settings.limits_depth

    def nested(levels):
        return {**TREES, "x": json.loads("[" * (levels - 1) + "]" * (levels - 1))}

    assert dataset.client.put(dataset.url, json=nested(depth)).status_code == 200
    is_problem(dataset.client.put(dataset.url, json=nested(depth + 1)), 400)


def test_a_body_that_is_too_large_is_refused(dataset, server):
    large = {**TREES, "x": "x" * server.settings.limits_body}
    is_problem(dataset.client.put(dataset.url, json=large), 413)

    def chunks():
        yield b'{"x": "'
        for _ in range(server.settings.limits_body // 65_536 + 1):
            yield b"x" * 65_536

    is_problem(dataset.client.put(dataset.url, content=chunks(), headers=JSON), 413)


def test_what_is_no_http_is_told_in_the_one_shape(server):
    with socket.create_connection(("127.0.0.1", server.settings.serve_port)) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nno header\r\n\r\n")
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert json.loads(body)["status"] == 400
    assert server.client().get("/v1/datasets", params={"cursor": "x" * 9000}).status_code == 414


def damage(client, statement):
    """Do something to the index behind the service's back."""
    path = client.application.extensions["metastore"].settings.path / "index.sqlite"
    with closing(sqlite3.connect(path)) as index, index:
        index.execute(statement)


def test_what_goes_wrong_here_tells_no_secret(app, caplog):
    client, _ = app()
    client.post("/v1/datasets?owner=acme", json=TREES)
    damage(client, "UPDATE dataset SET head_time = 'hunter2'")
    answer = is_problem(client.get("/v1/datasets"), 500)
    assert answer["detail"] == "something went wrong here; the log says more"
    assert "GET /v1/datasets failed" in caplog.text
    assert "Traceback" in caplog.text


def test_a_store_that_does_not_answer_is_no_fault_of_the_clients(app, caplog):
    client, _ = app()
    damage(client, "ALTER TABLE dataset RENAME TO secret")
    answer = client.get("/v1/datasets/acme/trees")
    assert "no such table" not in json.dumps(is_problem(answer, 503))
    assert answer.headers["Retry-After"] == "5"
    assert "no such table" in caplog.text


def test_an_index_that_is_none_is_no_fault_of_the_clients(app):
    client, _ = app()
    path = client.application.extensions["metastore"].settings.path
    (path / "index.sqlite").write_bytes(b"no index at all" * 1000)
    (path / "index.sqlite-wal").unlink()
    with pytest.raises(Unavailable):
        create_app(Settings(path=path))
