"""The service as an operator runs it: ``metastore serve`` in a process of its own, and clients with tokens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from ckanext.metastore.authz import parse_scopes
from ckanext.metastore.service import Settings
from ckanext.metastore.service.keys import issuer

ALL = "ds:acme/:create ds:acme/*:read,update,tag,revert,delete,purge"
READ = "ds:acme/*:read"

TREES = {
    "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
    "name": "trees",
    "title": "Street trees",
    "resources": [{"name": "trees", "path": "trees.csv"}],
}

_numbers = count(1)


def token(settings: Settings, scopes: str = ALL, *, subject: str | None = "edda", **more: Any) -> str:
    """A token as ``metastore token issue`` makes it."""
    lifetime = more.pop("lifetime", settings.tokens_lifetime)
    return issuer(settings).issue(parse_scopes(scopes), lifetime=lifetime, subject=subject, **more)[0]


def bearer(made: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {made}"}


@dataclass
class Server:
    """A service that runs.

    :param process: gunicorn's first one
    """

    settings: Settings
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return self.settings.url

    def kill(self) -> None:
        """Kill all its processes, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)

    def client(self, scopes: str | None = ALL, **more: Any) -> httpx.Client:
        """A client with a token of these scopes; without one, where they are None."""
        headers = bearer(token(self.settings, scopes, name="Edda Ito", **more)) if scopes else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)


class Dataset:
    """A dataset of a test's own.

    :param client: whoever made it
    """

    def __init__(self, client: httpx.Client, **query: str) -> None:
        self.client = client
        self.name = f"trees-{next(_numbers)}"
        self.url = f"/v1/datasets/acme/{self.name}"
        created = client.post("/v1/datasets", params={"owner": "acme", "name": self.name, **query}, json=TREES)
        assert created.status_code == 201, created.text
        self.first = created.headers["ETag"]

    def patch(self, **changes: Any) -> httpx.Response:
        return self.client.patch(self.url, json=changes)

    def titled(self, title: str) -> str:
        """Give it a title; gives the new ETag."""
        answer = self.patch(title=title)
        assert answer.status_code == 200, answer.text
        return str(answer.headers["ETag"])

    def get(self, below: str = "", **more: Any) -> httpx.Response:
        return self.client.get(self.url + below, **more)

    def post(self, below: str, said: Any = None, **more: Any) -> httpx.Response:
        return self.client.post(self.url + below, **({} if said is None else {"json": said}), **more)


@contextmanager
def serving(path: Path, **settings: Any) -> Iterator[Server]:
    """Run ``metastore serve`` for as long as the block lasts."""
    port = free_port()
    given = Settings(path=path, serve_port=port, url=f"http://127.0.0.1:{port}", **settings)
    said = {"path": path, "serve_port": port, "url": given.url, **settings}
    variables = {f"METASTORE_{name.upper()}": _text(value) for name, value in said.items()}
    log = path.with_suffix(".log")
    program = [sys.executable, "-c", "from ckanext.metastore.command import metastore; metastore()", "serve"]
    with log.open("wb") as file:
        process = subprocess.Popen(
            program, env={**os.environ, **variables}, stdout=file, stderr=file, start_new_session=True
        )
    try:
        _wait(process, given.url, log)
        yield Server(given, process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the service did not start: {log.read_text()}")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
