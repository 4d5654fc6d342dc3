"""What the tools print, and how they run long programs while a person waits."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dev.paths import ROOT

HEARTBEAT = 15.0


class Failure(Exception):
    """Something that the person at the keyboard must know; the message is all they need."""


def say(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


@dataclass
class Job:
    """A program that runs to its end, its output in a log file."""

    title: str
    command: Sequence[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._started = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=os.environ | self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def seconds(self) -> int:
        """For how long it has been running."""
        return round(time.monotonic() - self._started)

    def finished(self) -> bool:
        """Whether it has ended; raises Failure if it ended badly."""
        status = self._process.poll()
        if status:
            raise Failure(f"{self.title}: failed. {tail(self.log)}")
        return status is not None

    def stop(self) -> None:
        """End it, if it still runs."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


def finish(*jobs: Job) -> None:
    """Wait for jobs that run side by side, and tell how they get on."""
    waiting, told = list(jobs), time.monotonic()
    try:
        while waiting:
            for job in [job for job in waiting if job.finished()]:
                waiting.remove(job)
                say(f"   {job.title}: done in {job.seconds} s")
            if waiting and time.monotonic() - told > HEARTBEAT:
                told = time.monotonic()
                say("   ... " + ", ".join(f"{job.title}: {job.seconds} s" for job in waiting))
            time.sleep(0.1)
    finally:
        for job in waiting:
            job.stop()


def tail(log: Path, lines: int = 25) -> str:
    """The end of a log file, for an error message."""
    text = log.read_text(errors="replace").splitlines() if log.exists() else []
    return f"The end of {log}:\n" + "\n".join(text[-lines:])
