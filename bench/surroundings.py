"""What a portal stands on in the tests that are hard on it: a PostgreSQL, a Redis and a GitHub of its own."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from hub import OWNER, GitHub

from ckanext.metastore.config import PREFIX
from dev.ports import free
from dev.services import postgres
from dev.services.postgres import Cluster
from dev.services.redis import Redis


class Surroundings:
    """All of it.

    :ivar folder: where the files of whoever uses it lie; it goes in the end
    :ivar github: the stand-in
    :ivar database: PostgreSQL's server; it keeps its promises, even when it is killed
    :ivar redis: Redis's server
    :ivar addresses: the variables by which CKAN finds the database and Redis
    """

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder = folder
        self._token = secrets.token_hex(20)
        redis = Redis(folder / "redis", free(), secrets.token_hex(16))
        cluster.create()
        self.database = cluster.server(folder / "postgresql.log")
        self.redis = redis.server(folder / "redis.log", durable=False)
        self.github = GitHub(folder / "github", free(), self._token)
        for server in (self.database, self.redis):
            server.start()
        for server in (self.database, self.redis):
            server.wait_until_ready()
        self.addresses = {"CKAN_SQLALCHEMY_URL": cluster.url, "CKAN_REDIS_URL": redis.url}

    def variables(self, **options: str) -> Mapping[str, str]:
        """What CKAN is to find in its environment.

        :param options: more options of ours
        """
        ours = {
            "backend": "github",
            "github.owner": OWNER,
            "github.token": self._token,
            "github.api_url": f"{self.github.url}/api/v3",
            "github.git_url": self.github.url,
            **options,
        }
        return {**{f"{PREFIX}{name}".upper().replace(".", "__"): text for name, text in ours.items()}, **self.addresses}

    def close(self) -> None:
        """Stop what is not stopped."""
        self.github.kill()
        self.redis.stop()
        self.database.stop()

    def remote(self, name: str) -> Path | None:
        """The repository of that name at GitHub, if there is one."""
        headers = {"Authorization": f"token {self._token}"}
        request = Request(f"{self.github.url}/api/v3/repos/{OWNER}/{name}", headers=headers)
        try:
            with urlopen(request, timeout=10) as answer:
                return self.github.repositories / f"{json.load(answer)['id']}.git"
        except HTTPError as error:
            if error.code == 404:
                return None
            raise


@contextmanager
def surroundings(purpose: str) -> Iterator[Surroundings]:
    """They are there for as long as the block lasts.

    :param purpose: a word for the names of their folders
    """
    data = postgres.home(Path(tempfile.gettempdir())) / f"metastore-{purpose}-{secrets.token_hex(6)}"
    try:
        with tempfile.TemporaryDirectory(prefix=f"metastore-{purpose}-") as folder:
            made = Surroundings(Path(folder), Cluster(data, free(), secrets.token_hex(16)))
            try:
                yield made
            finally:
                made.close()
    finally:
        shutil.rmtree(data, ignore_errors=True)
