"""What the crash test plays on: a PostgreSQL, a Redis and a GitHub of its own, which may be stopped, and a CKAN."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import ckan.plugins.toolkit as tk
from crash_actors import Actor, Journal, look, save, work
from crash_github import OWNER, GitHub
from crash_points import arm
from crash_verdict import Verdict, judge
from portal import Portal

from ckanext.metastore.config import PREFIX
from dev.ports import free
from dev.process import Server
from dev.services import postgres
from dev.services.postgres import Cluster
from dev.services.redis import Redis

PUBLISH_TIMEOUT = 5
MODES = ("inline", "background")


class Stage:
    """All of it.

    :ivar portal: CKAN, in this process
    :ivar github: the stand-in
    :ivar database: PostgreSQL's server; it keeps its promises, even when it is killed
    :ivar redis: Redis's server
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
        os.environ.update(self._options(cluster.url, redis.url))
        self.portal = Portal()
        self.log = folder / "actors.log"

    def _options(self, database: str, redis: str) -> dict[str, str]:
        ours = {
            "backend": "github",
            "publish_timeout": str(PUBLISH_TIMEOUT),
            "github.owner": OWNER,
            "github.token": self._token,
            "github.api_url": f"{self.github.url}/api/v3",
            "github.git_url": self.github.url,
        }
        said = {f"{PREFIX}{name}".upper().replace(".", "__"): text for name, text in ours.items()}
        return {**said, "CKAN_SQLALCHEMY_URL": database, "CKAN_REDIS_URL": redis}

    def close(self) -> None:
        """Stop what is not stopped."""
        self.github.kill()
        self.redis.stop()
        self.database.stop()

    def act(self, task: Callable[[], object], mode: str) -> Actor:
        """Have somebody do something while saves are published in this way."""
        tk.config[f"{PREFIX}publish"] = mode
        return Actor(task, self.log)

    def remote(self, dataset_id: str) -> Path | None:
        """The dataset's repository at GitHub, if there is one."""
        headers = {"Authorization": f"token {self._token}"}
        request = Request(f"{self.github.url}/api/v3/repos/{OWNER}/d-{dataset_id}", headers=headers)
        try:
            with urlopen(request, timeout=10) as answer:
                return self.github.repositories / f"{json.load(answer)['id']}.git"
        except HTTPError as error:
            if error.code == 404:
                return None
            raise


def restart(server: Server, number: signal.Signals, pause: Callable[[], None]) -> None:
    """Stop a server by a signal, and start it again after a while."""
    assert server._process is not None
    server._process.send_signal(number)
    server._process.wait()
    pause()
    server.start()
    server.wait_until_ready()


class Case:
    """One dataset, whoever has saved it, and what was answered.

    :param mode: how its saves are published
    """

    def __init__(self, stage: Stage, mode: str) -> None:
        self.stage, self.mode = stage, mode
        self.id = str(uuid.uuid4())
        self._journals: list[Journal] = []

    @property
    def local(self) -> Path:
        """The copy of its repository."""
        return Path(tk.config[f"{PREFIX}path"]) / self.id[:2] / f"{self.id}.git"

    def saver(self, times: int, *prepare: Callable[[], None], point: str = "", nth: int = 1) -> Actor:
        """Have somebody save in a loop.

        :param prepare: what is done in that process before
        :param point: where it is to die, if it is
        :param nth: at which passage
        """
        journal = self._journal("s")

        def task() -> None:
            for each in prepare:
                each()
            if point:
                arm(point, nth, partial(journal.note, "killed"))
            save(self.stage.portal, self.id, journal, times)

        return self.stage.act(task, self.mode)

    def worker(self, *prepare: Callable[[], None], point: str = "", parent_too: bool = False) -> Actor:
        """Have ``ckan jobs worker`` run until its queue is empty."""
        journal = self._journal("w")

        def task() -> None:
            for each in prepare:
                each()
            if point:
                arm(point, 1, partial(journal.note, "killed"), parent_too=parent_too)
            work()

        return self.stage.act(task, self.mode)

    def _journal(self, kind: str) -> Journal:
        name = f"{kind}{len(self._journals)}"
        self._journals.append(Journal(self.stage.folder / f"{self.id}.{name}", name))
        return self._journals[-1]

    def kills(self) -> int:
        """How often somebody has died at a point."""
        return sum(line["state"] == "killed" for journal in self._journals for line in journal.lines())

    def verdict(self, *, unsure: bool = False) -> Verdict:
        """Publish once what waits, then compare."""
        answer = self.stage.folder / "answer.json"
        answer.unlink(missing_ok=True)
        self.stage.act(partial(look, self.id, answer), self.mode).join()
        ckan: dict[str, Any] = json.loads(answer.read_text())
        verdict = judge(self._journals, self.stage.remote(self.id), self.local, ckan, unsure=unsure)
        if ckan["status"]:
            verdict.wrong.append(f"ckan metastore publish --all: exit status {ckan['status']}")
        return verdict


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage for as long as the block lasts."""
    data = postgres.home(Path(tempfile.gettempdir())) / f"metastore-crash-{secrets.token_hex(6)}"
    try:
        with tempfile.TemporaryDirectory(prefix="metastore-crash-") as folder:
            made = Stage(Path(folder), Cluster(data, free(), secrets.token_hex(16)))
            try:
                with made.portal:
                    yield made
            finally:
                made.close()
    finally:
        shutil.rmtree(data, ignore_errors=True)
