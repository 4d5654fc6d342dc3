"""``ckan jobs worker`` in processes of their own; and gates at GitHub that hold a push for as long as a test wants."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ckanext.metastore.config import PREFIX

_HOOK = """#!/bin/sh
echo begin >> {log}
while [ -e {closed} ]; do sleep 0.1; done
echo end >> {log}
"""


class Worker:
    """One worker, which ends when the queue is empty."""

    def __init__(self, options: Any) -> None:
        ours = {name: option for name, option in options.items() if name.startswith(PREFIX) and option}
        said = {name: " ".join(option) if isinstance(option, list) else str(option) for name, option in ours.items()}
        variables = {name.upper().replace(".", "__"): text for name, text in said.items()}
        command = ["ckan", "-c", os.environ["CKAN_INI"], "jobs", "worker", "--burst"]
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def join(self) -> str:
        """Wait for its end; give what it said."""
        said, _ = self._process.communicate()
        assert self._process.returncode == 0, said
        return said

    def kill(self) -> None:
        """End it and its children at once, but for the git program, which has a session of its own."""
        for pid in subprocess.run(
            ["ps", "-o", "pid=", "-s", str(self._process.pid)], capture_output=True, text=True, check=True
        ).stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        self._process.communicate()

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None


@contextmanager
def working(options: Any) -> Iterator[Worker]:
    """A worker; it has ended when the block has."""
    worker = Worker(options)
    try:
        yield worker
    finally:
        if not worker.ended:
            worker.kill()


class Gate:
    """Pushes to one repository wait at it.

    :param folder: where its files are
    """

    def __init__(self, github: Any, name: str, folder: Path) -> None:
        folder.mkdir()
        self._log, self._closed = folder / "log", folder / "closed"
        self._closed.touch()
        github.set_hook(name, _HOOK.format(log=self._log, closed=self._closed))

    @property
    def passed(self) -> list[str]:
        """``begin`` and ``end`` of each push."""
        return self._log.read_text().split() if self._log.exists() else []

    def wait_for_push(self, worker: Worker) -> None:
        """Wait until a push stands at the gate."""
        while not self.passed:
            assert not worker.ended, worker.join()
            time.sleep(0.05)

    def open(self) -> None:
        self._closed.unlink(missing_ok=True)
