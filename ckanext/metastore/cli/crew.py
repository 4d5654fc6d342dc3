"""Workers in processes of their own. Each is given one name at a time, and says what became of it.

They are forks of this process, as CKAN takes seconds to load. When this one dies, however it does, they end after what
they are at.
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import ckantoolkit as tk
from ckan import model

from ckanext.metastore.cli.pace import Pace
from ckanext.metastore.core import MetastoreError, RateLimited
from ckanext.metastore.publisher import Paused

log = logging.getLogger(__name__)

ATTEMPTS = 5
"""How often the same is tried where a Git host asks us to wait."""

_POLL = 1.0
_FAREWELL = 15.0
_forks = multiprocessing.get_context("fork")

Act = Callable[[str], Any]


@dataclass(frozen=True)
class Done:
    """What became of one.

    :param value: what the act gave
    :param error: why it failed; empty where it did not
    :param retry_after: seconds after which it is worth trying again, where a Git host has said so
    :param tried: whether the host was asked at all, and not left alone
    """

    name: str
    value: Any = None
    error: str = ""
    retry_after: float | None = None
    tried: bool = True


def share_out(names: Iterable[str], act: Act, *, workers: int, pace: Pace) -> Iterator[Done]:
    """Do it to each, by several at once; what fails does not stop the rest.

    :param pace: when the next may begin
    """
    queue, tries = deque(names), Counter[str]()
    model.Session.remove()
    model.meta.engine.dispose()  # type: ignore[union-attr]  # a connection must not be in two processes
    crew = [_Worker(act) for _ in range(min(workers, len(queue)))]
    try:
        while crew and (queue or any(worker.name for worker in crew)):
            _give_out(queue, crew, pace)
            for done in _finished(crew, pace, _POLL):
                tries[done.name] += done.tried
                if done.retry_after is not None and tries[done.name] < ATTEMPTS:
                    pace.pause(done.retry_after)
                    queue.append(done.name)
                else:
                    yield done
            crew = [worker for worker in crew if worker.lives]
    finally:
        for worker in crew:
            worker.end.close()
        for worker in crew:
            worker.dismiss()
    yield from (Done(name, error="there is no worker left") for name in queue)


def _give_out(queue: deque[str], crew: list[_Worker], pace: Pace) -> None:
    for worker in crew:
        if queue and not worker.name and pace.may_begin(queue[0]):
            pace.begin(queue[0])
            worker.give(queue.popleft())


def _finished(crew: list[_Worker], pace: Pace, patience: float) -> Iterator[Done]:
    """What is done now, or within a moment."""
    busy = {worker.end: worker for worker in crew if worker.name}
    for end in wait(list(busy), patience):
        done = busy[end].take()  # type: ignore[index]
        pace.end(done.name)
        yield done


class _Worker:
    """A worker, seen from the process that has the list.

    :param name: what it is at; empty where it waits
    :param lives: whether it can be given more
    """

    def __init__(self, act: Act) -> None:
        self.end, its_end = _forks.Pipe()
        self._process = _forks.Process(target=_work, args=(act, its_end, self.end), daemon=True)
        self._process.start()
        its_end.close()
        self.name = ""
        self.lives = True

    def give(self, name: str) -> None:
        self.name = name
        try:
            self.end.send(name)
        except OSError:
            self.lives = False

    def take(self) -> Done:
        try:
            done: Done = self.end.recv()
        except (EOFError, OSError):
            self.lives = False
            done = Done(self.name, error="its worker has died")
        self.name = ""
        return done

    def dismiss(self) -> None:
        self._process.join(_FAREWELL)
        self._process.terminate()


# -- within the worker ----------------------------------------------------------------------------------------------


def _work(act: Act, end: Connection, other_end: Connection) -> None:
    """Do as told until nobody is there any more. An interrupt is the parent's business: what is begun is finished.

    A worker also holds the other ends of those that were hired before it. So, when the parent has died, the last one
    ends first, and then each before.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    other_end.close()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            end.send(_done(act, end.recv()))


def _done(act: Act, name: str) -> Done:
    try:
        return Done(name, act(name))
    except RateLimited as error:
        tried = not isinstance(error, Paused)
        return Done(name, error=str(error), retry_after=error.retry_after, tried=tried)
    except (MetastoreError, tk.ValidationError) as error:
        return Done(name, error=str(error))
    except Exception as error:
        log.exception("Dataset %s", name)
        return Done(name, error=f"{type(error).__name__}, see the log")
