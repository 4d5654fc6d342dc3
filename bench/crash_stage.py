"""What the crash test plays on: a PostgreSQL, a Redis and a GitHub of its own, which may be stopped, and a CKAN."""

from __future__ import annotations

import json
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
from crash_actors import Actor, Journal, look, save, work
from crash_points import arm
from crash_verdict import judge
from portal import Portal
from surroundings import Surroundings, surroundings
from verdict import Verdict

from ckanext.metastore.config import PREFIX
from dev.process import Server

PUBLISH_TIMEOUT = 5
MODES = ("inline", "background")


class Stage:
    """All of it.

    :ivar portal: CKAN, in this process
    :ivar log: what the actors say
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self.folder, self.github = surroundings.folder, surroundings.github
        self.database, self.redis = surroundings.database, surroundings.redis
        os.environ.update(surroundings.variables(publish_timeout=str(PUBLISH_TIMEOUT)))
        self.portal = Portal()
        self.log = self.folder / "actors.log"

    def act(self, task: Callable[[], object], mode: str) -> Actor:
        """Have somebody do something while saves are published in this way."""
        tk.config[f"{PREFIX}publish"] = mode
        return Actor(task, self.log)

    def remote(self, dataset_id: str) -> Path | None:
        """The dataset's repository at GitHub, if there is one."""
        return self._surroundings.remote(f"d-{dataset_id}")


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
    with surroundings("crash") as made:
        played = Stage(made)
        with played.portal:
            yield played
