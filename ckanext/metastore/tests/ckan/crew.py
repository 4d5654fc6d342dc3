"""Workers in processes of their own, as a server has them: CKAN is loaded once, and forks before it is used.

``python -m ckanext.metastore.tests.ckan.crew`` reads an order a line and answers each with a line, both JSON.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """An action to call, as the site itself."""

    action: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Done:
    """What became of a call.

    :param error: the exception's type and text; empty where there was none
    :param began: seconds, by a clock that all processes share
    """

    result: Any
    error: str
    began: float
    ended: float


class Crew:
    """The workers, seen from the test."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "ignore", "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def work(self, folder: os.PathLike[str], shifts: list[list[Call]]) -> list[list[Done]]:
        """Give each worker its calls; all begin at once.

        :param folder: of the repositories
        """
        assert self._process.stdin
        assert self._process.stdout
        order = {
            "folder": os.fspath(folder),
            "shifts": [[[call.action, call.params] for call in shift] for shift in shifts],
        }
        print(json.dumps(order), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        return [[Done(*done) for done in shift] for shift in answer]

    def dismiss(self) -> None:
        """End the process, which ends by itself when it gets no more orders."""
        self._process.communicate()


@contextmanager
def hired() -> Iterator[Crew]:
    """Workers for as long as the block lasts."""
    crew = Crew()
    try:
        yield crew
    finally:
        crew.dismiss()


# -- within the workers ---------------------------------------------------------------------------------------------


def _serve() -> None:
    from ckan.cli import CKANConfigLoader
    from ckan.config.middleware import make_app
    from ckan.model import meta

    app = make_app(CKANConfigLoader(os.environ["CKAN_INI"]).get_config())
    for line in sys.stdin:
        meta.Session.remove()
        meta.engine.dispose()  # a connection must not be in two processes
        order = json.loads(line)
        with app._wsgi_app.app_context():
            sys.stdout.write(json.dumps(_fork(order["folder"], order["shifts"])) + "\n")
            sys.stdout.flush()


def _fork(folder: str, shifts: list[list[Any]]) -> list[Any]:
    forks = multiprocessing.get_context("fork")
    barrier = forks.Barrier(len(shifts))
    ends = []
    for shift in shifts:
        ours, theirs = forks.Pipe(duplex=False)
        forks.Process(target=_work, args=(folder, shift, barrier, theirs), daemon=True).start()
        theirs.close()
        ends.append(ours)
    return [end.recv() for end in ends]


def _work(folder: str, shift: list[Any], barrier: Any, answer: Any) -> None:
    import ckantoolkit as tk

    tk.config["ckanext.metastore.path"] = folder
    barrier.wait()
    answer.send([_call(action, params) for action, params in shift])


def _call(action: str, params: dict[str, Any]) -> Any:
    import ckantoolkit as tk
    from ckan import model

    result, error, began = None, "", time.monotonic()
    try:
        result = tk.get_action(action)({"user": "", "ignore_auth": True}, params)
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    ended = time.monotonic()
    model.Session.remove()
    return result, error, began, ended


if __name__ == "__main__":
    _serve()
