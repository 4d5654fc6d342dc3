"""Who saves and who publishes: each in a process of its own, forked from one that has CKAN loaded."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from ckan import model
from ckan.cli.jobs import worker
from ckan.lib.redis import connect_to_redis
from ckan.model import meta
from portal import Portal
from sqlalchemy import event, update

from ckanext.metastore import jobs
from ckanext.metastore.cli import metastore
from ckanext.metastore.model import waiting
from ckanext.metastore.model.tables import revision_table

PATIENCE = 120
ENOUGH = 100
"""Saves that a saver tries, before it gives up hope that any will succeed again."""

FORBEARANCE = 0.2
"""Seconds that a saver waits after a save that should not have failed."""


class Actor:
    """A process that does one thing, in a session of its own.

    :param task: what it does
    :param log: where it says what it has to say
    """

    def __init__(self, task: Callable[[], object], log: Path) -> None:
        model.Session.remove()
        assert meta.engine is not None
        meta.engine.dispose()
        self.pid = os.fork()
        self._status: int | None = None
        if not self.pid:
            _be(task, log)

    def ended(self) -> bool:
        """Whether it has."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def join(self, patience: float = PATIENCE) -> int:
        """Wait for its end; gives its exit status, negative where a signal ended it."""
        end = time.monotonic() + patience
        while not self.ended():
            if time.monotonic() > end:
                self.kill()
                raise SystemExit(f"Process {self.pid} has not ended within {patience} s.")
            time.sleep(0.01)
        assert self._status is not None
        return os.waitstatus_to_exitcode(self._status)

    def kill(self) -> bool:
        """End it at once, with its children but for the git program; whether it was still there."""
        there = not self.ended()
        for pid in _session(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.join()
        return there


def _session(leader: int) -> Iterator[int]:
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            if os.getsid(int(place.name)) == leader:
                yield int(place.name)


def _be(task: Callable[[], object], log: Path) -> None:
    os.setsid()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    status = 1
    try:
        connect_to_redis().connection_pool.reset()
        status = int(task() or 0)
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


class Journal:
    """What one saver was answered, on the disk before it goes on."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self.name = path, name

    def note(self, state: str, token: str = "", sha: str = "", why: str = "") -> None:
        """Add a line."""
        line = json.dumps({"state": state, "token": token, "sha": sha, "why": why}) + "\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
        os.close(descriptor)

    def lines(self) -> list[dict[str, str]]:
        """All that was noted."""
        return [json.loads(line) for line in self._path.read_text().splitlines()] if self._path.exists() else []


def save(portal: Portal, dataset_id: str, journal: Journal, times: int) -> None:
    """Save in a loop; the dataset is made where it is not there. Each fourth save is one that must fail: a conflict,
    or the transaction is refused when all is recorded.
    """
    trials = 0
    while times > 0:
        trials += 1
        if trials > ENOUGH:
            journal.note("despaired")
            return
        fails = times % 4 == 3
        if _try_to_save(portal, dataset_id, journal, trials, fails=fails) != fails:
            times -= 1


def _try_to_save(portal: Portal, dataset_id: str, journal: Journal, number: int, *, fails: bool) -> bool:
    token = f"{journal.name}-{number}"
    try:
        sha = _save(portal, dataset_id, token, fails=fails)
    except Exception as error:
        journal.note("failed", token, why=f"{type(error).__name__}: {error}"[:300])
        with suppress(Exception):
            model.Session.rollback()
        model.Session.remove()
        time.sleep(0 if fails else FORBEARANCE)
        return False
    journal.note("answered", token, sha)
    return True


def _save(portal: Portal, dataset_id: str, token: str, *, fails: bool) -> str:
    changes: dict[str, Any] = {"id": dataset_id, "title": token, "revision_message": token}
    if model.Session.get(model.Package, dataset_id) is None:
        made = portal.act("package_create", **changes, name=f"d-{dataset_id}", owner_org=portal.organization)
        return str(made["revision_id"])
    model.Session.rollback()
    if fails and random.random() < 0.5:
        changes["base_revision"] = "0" * 40
        fails = False
    with _commit_fails() if fails else nullcontext():
        return str(portal.act("package_patch", cached=False, **changes)["revision_id"])


@contextmanager
def _commit_fails() -> Iterator[None]:
    """Have the transaction refused when all is recorded."""

    def refuse(session: Any) -> None:
        if session.get_nested_transaction() is None:
            raise RuntimeError("this transaction is not to be committed")

    event.listen(meta.Session, "before_commit", refuse)
    try:
        yield
    finally:
        event.remove(meta.Session, "before_commit", refuse)


def work() -> None:
    """Be ``ckan jobs worker --burst``."""
    jobs._bell = jobs._Bell()
    worker.main(["--burst"], standalone_mode=False)


def look(dataset_id: str, answer: Path) -> None:
    """Publish what waits, once; then say what CKAN has: the dataset's title, and whether it waits all the same.

    If it does, it is given up: others follow.
    """
    status = _publish_all()
    model.Session.remove()
    package = model.Package.get(dataset_id)
    waits = dataset_id in waiting.datasets()
    title = package.title if package else None
    answer.write_text(json.dumps({"status": status, "waits": waits, "title": title}))
    if waits:
        mine = revision_table.c.dataset_id == dataset_id
        model.Session.execute(update(revision_table).where(mine).values(published=True))
        model.Session.commit()


def _publish_all() -> int:
    """Be ``ckan metastore publish --all``; gives its exit status."""
    try:
        metastore.main(["publish", "--all"], standalone_mode=False)
    except SystemExit as end:
        return int(end.code or 0)
    return 0
