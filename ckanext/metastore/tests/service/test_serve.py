"""The service as a program: keys, tokens, slow clients, several processes, what a restart leaves."""

from __future__ import annotations

import re
import socket
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count

import httpx
import pytest
from click.testing import CliRunner

from ckanext.metastore.command import metastore
from ckanext.metastore.service import Settings, create_app
from ckanext.metastore.testing.git import check_integrity
from ckanext.metastore.tests.service.server import ALL, TREES, Dataset, bearer, serving, token


def run(*arguments, **variables):
    return CliRunner().invoke(
        metastore, arguments, env={f"METASTORE_{name}": value for name, value in variables.items()}
    )


def test_a_token_from_the_command_line_opens_the_service(server):
    made = run("token", "issue", *ALL.split(), "--subject", "ravi", PATH=str(server.settings.path), URL=server.url)
    assert made.exit_code == 0, made.output
    assert httpx.get(f"{server.url}/v1/datasets", headers=bearer(made.output.strip())).status_code == 200


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    for _ in range(2):
        made = run("token", "issue", "ds:acme/*:read", PATH=str(tmp_path / "data"))
        assert made.exit_code == 0, made.output
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    key = tmp_path / "data/keys/tokens.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    create_app(Settings(path=tmp_path / "data"))
    assert key.read_bytes() == before
    assert [path.name for path in key.parent.iterdir()] == ["tokens.pem"]


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["token", "issue", "ds:acme"], {}, "no scope"),
        (["token", "issue", "ds:acme/*:read", "--lifetime", "301"], {}, "300"),
        (["token", "issue", "ds:acme/*:read"], {"TOKENS_PUBLIC_KEY_URL": "https://x"}, "tokens_private_key_file"),
        (["serve"], {"SERVE_PORT": "x"}, "serve_port"),
        (["serve"], {"BACKEND": "svn"}, "svn"),
        (["serve"], {"PATH": "/proc/nothing"}, "path"),
        (["serve"], {"TOKENS_PUBLIC_KEY_FILE": "/nowhere.pem"}, "/nowhere.pem"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path, arguments, variables, said):
    refused = run(*arguments, **{"PATH": str(tmp_path / "data"), **variables})
    assert refused.exit_code != 0
    assert said in refused.output
    assert "Traceback" not in refused.output


def test_a_client_that_is_slow_is_cut_off_and_nobody_else_waits(server):
    address = ("127.0.0.1", server.settings.serve_port)
    slow = [
        socket.create_connection(address) for _ in range(server.settings.serve_workers * server.settings.serve_threads)
    ]
    try:
        head = b"POST /v1/datasets?owner=acme HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        for number, connection in enumerate(slow):
            connection.sendall(head + (b"\r\n{" if number % 2 else b"X-Slow: "))
        assert server.client().get("/healthz").status_code == 200
        for connection in slow:
            connection.settimeout(30)
            assert b"200 OK" not in b"".join(iter(partial(connection.recv, 4096), b""))
    finally:
        for connection in slow:
            connection.close()


def test_all_processes_count_together(server):
    with server.client(None) as client:
        before = _counted(client)
        for _ in range(10):
            httpx.get(f"{server.url}/healthz")
        assert _counted(client) == before + 10
        assert len(re.findall(r"^metastore_datasets \d", client.get("/metrics").text, re.MULTILINE)) == 1
        assert "metastore_datasets{" not in client.get("/metrics").text


def _counted(client):
    found = re.search(
        r'^metastore_requests_total\{method="GET",route="/healthz",status="200"\} ([\d.]+)$',
        client.get("/metrics").text,
        re.MULTILINE,
    )
    return float(found[1]) if found else 0


def test_a_restart_loses_nothing(tmp_path):
    with serving(tmp_path / "data") as server, server.client() as client:
        dataset = Dataset(client)
        etag = dataset.titled("Before")
    with serving(tmp_path / "data") as server, server.client() as client:
        assert client.get(dataset.url).headers["ETag"] == etag
        assert client.patch(dataset.url, json={"title": "After"}).status_code == 200
        assert len(client.get(f"{dataset.url}/revisions").json()) == 3
    (repository,) = (tmp_path / "data/repositories").glob("*/*.git")
    check_integrity(repository)


def test_what_was_answered_is_there_after_a_kill(tmp_path):
    answered = []

    def write(dataset):
        with suppress(httpx.TransportError):
            for number in count():
                answered.append((dataset.url, dataset.titled(str(number)).strip('"')))

    with serving(tmp_path / "data") as server, server.client() as client:
        datasets = [Dataset(client) for _ in range(3)]
        with ThreadPoolExecutor(3) as pool:
            writers = [pool.submit(write, dataset) for dataset in datasets]
            while len(answered) < 20 and not any(writer.done() for writer in writers):
                time.sleep(0.01)
            server.kill()
        for writer in writers:
            writer.result()
    with serving(tmp_path / "data") as server, server.client() as client:
        assert len(answered) >= 20
        for url, sha in answered:
            assert client.get(f"{url}/revisions/{sha}").json()["published"]
        for dataset in datasets:
            assert client.patch(dataset.url, json={"title": "After"}).status_code == 200
    for repository in (tmp_path / "data/repositories").glob("*/*.git"):
        check_integrity(repository)


def test_what_could_not_be_published_is_published_later(tmp_path):
    settings = Settings(path=tmp_path / "data")
    app = create_app(settings)
    client = app.test_client()
    headers = bearer(token(settings))
    # A file where the folder of the repositories is to be.
    (tmp_path / "data/repositories").write_text("")
    made = client.post("/v1/datasets?owner=acme", json=TREES, headers=headers)
    assert (made.status_code, made.headers["Metastore-Published"]) == (201, "false")
    assert client.get("/v1/datasets/acme/trees", headers=headers).json == TREES
    assert not client.get("/v1/datasets/acme/trees/revisions/HEAD", headers=headers).get_json()["published"]
    client.post("/v1/datasets/acme/trees/tags", json={"name": "v1"}, headers=headers)
    (tmp_path / "data/repositories").unlink()
    assert app.extensions["metastore"].publisher.publish_all() == 0
    read = client.get("/v1/datasets/acme/trees", headers=headers)
    assert (read.json, read.headers["Metastore-Published"]) == (TREES, "true")
    (repository,) = (tmp_path / "data/repositories").glob("*/*.git")
    check_integrity(repository)
