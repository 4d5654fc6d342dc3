"""A service for tests: over real HTTP, on a port of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from werkzeug.serving import make_server

from ckanext.metastore.authz import parse_scopes
from ckanext.metastore.client import Client
from ckanext.metastore.service import Settings, create_app
from ckanext.metastore.service.keys import issuer

SCHEMA = "https://datapackage.org/profiles/2.0/datapackage.json"
DOCUMENT = {
    "$schema": SCHEMA,
    "name": "trees",
    "resources": [{"name": "trees", "path": "https://example.org/trees.csv"}],
}
ALL = "ds:parks/*:read,update,tag,revert,delete,purge ds:parks/:create"


@dataclass(frozen=True)
class Running:
    """A service that runs.

    :param folder: of all that it keeps
    """

    address: str
    settings: Settings
    folder: Path

    def token(self, scopes: str = ALL, **claims: Any) -> str:
        """A token, Edda's where nobody else is named."""
        given = {"subject": "edda", "lifetime": 300, **claims}
        return issuer(self.settings).issue(parse_scopes(scopes), **given)[0]

    def client(self, scopes: str = ALL) -> Client:
        """A client with a token."""
        return Client(self.address, token=self.token(scopes))

    def repository(self, name: str, token: str | None = None) -> str:
        """The address of a dataset's repository; a token stands in it as a password."""
        proof = f"git:{token}@" if token else ""
        return f"{self.address.replace('://', f'://{proof}')}/parks/{name}.git"


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Running]:
    """Run a service for as long as the block lasts."""
    given = Settings(path=folder, **settings)
    server = make_server("127.0.0.1", 0, create_app(given), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Running(f"http://127.0.0.1:{server.port}", given, folder)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Git:
    """The ``git`` program in a folder, as Ravi, with nobody's configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, **variables: str) -> str:
        """What it prints; it must succeed."""
        done = self.tried(*arguments, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def refused(self, *arguments: str, **variables: str) -> str:
        """What it says; it must fail."""
        done = self.tried(*arguments, **variables)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def tried(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """How it ends."""
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        ravi = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _RAVI.items()}
        return subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**os.environ, **quiet, **ravi, **variables},
            capture_output=True,
            text=True,
            check=False,
        )


_RAVI = {"NAME": "Ravi Mehta", "EMAIL": "ravi@example.org"}
