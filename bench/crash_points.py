"""Where a process ends: its own functions are wrapped, in that process only, so that one of them kills it."""

from __future__ import annotations

import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from ckanext.metastore import jobs, publisher, recorder
from ckanext.metastore.backends.git.transport import Remote
from ckanext.metastore.backends.github.repositories import Repositories
from ckanext.metastore.backends.hosted import staging
from ckanext.metastore.model.waiting import Waiting

DAY = 86_400

Die = Callable[[], None]


def _records(session: Any) -> bool:
    return bool(recorder.unit(session).intents)


def _publishes(session: Any) -> bool:
    return bool(recorder.unit(session).to_publish)


def _always(*_arguments: Any) -> bool:
    return True


SAVING = {
    "1 rows are written": (recorder, "touched", "after", _always),
    "2 before recording": (recorder, "committing", "before", _records),
    "2 recorded, not committed": (recorder, "committing", "after", _records),
    "3 committed": (recorder, "ended", "before", _publishes),
}
"""A kill point -> what is wrapped, when it kills, and which calls count."""

PUBLISHING = {
    "4 locked": (publisher, "_publish", "before", _always),
    "4 repository made at GitHub": (Repositories, "create", "after", _always),
    "4 objects written": (Remote, "push", "before", _always),
    "4 while pushing": (Remote, "push", "during", _always),
    "4 pushed": (Remote, "push", "after", _always),
    "4 local refs moved": (staging, "settle", "after", _always),
    "4 before the mark": (Waiting, "done", "before", _always),
    "4 marked, not committed": (Waiting, "done", "after", _always),
}

RINGING = {
    "3 before the bell": (jobs, "wake", "before", _always),
    "3 after the bell": (jobs, "wake", "after", _always),
}

POINTS: dict[str, tuple[Any, str, str, Callable[..., bool]]] = {**SAVING, **PUBLISHING, **RINGING}


def arm(point: str, nth: int, note: Die, *, parent_too: bool = False) -> None:
    """Have this process, or the worker's that is forked from it, end at a point.

    :param nth: at which passage
    :param note: is called before, to leave word that it was so
    :param parent_too: the worker ends with its work horse
    """
    owner, name, when, counts = POINTS[point]
    call, passed = getattr(owner, name), 0
    home = os.getpid()

    def die() -> None:
        note()
        if parent_too and os.getppid() == home:
            os.kill(home, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal passed
        passed += bool(counts(*arguments))
        hit = passed == nth and counts(*arguments)
        if hit and when == "before":
            die()
        if hit and when == "during":
            threading.Timer(random.uniform(0, 0.08), die).start()
        answer = call(*arguments, **named)
        if hit and when == "after":
            die()
        return answer

    setattr(owner, name, wrapped)


def fill_disk() -> None:
    """No file grows while this process publishes."""
    publish = publisher._publish

    def starved(*arguments: Any) -> Any:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            return publish(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    publisher._publish = starved


def set_clock_back() -> None:
    """It is yesterday in this process."""
    now = time.time
    time.time = lambda: now() - DAY
