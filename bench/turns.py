"""A library at work in a process of its own: it is told what to do, line by line, and says how long it took.

Imported by the peer's Python too, so it needs nothing but the standard library.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


class Worker:
    """The other process, as the bench sees it.

    :param options: what the library is made with; by the pipe, as there is a token among them
    """

    def __init__(self, python: str, script: Path, options: Mapping[str, Any]) -> None:
        command = [python, "-W", "ignore", str(script)]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about: str = self._say(options)

    def do(self, call: str, *arguments: object) -> float:
        """Have it make a call; gives the seconds that it took."""
        return float(self._say([call, *arguments]))

    def _say(self, words: object) -> Any:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(words) + "\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        if not answer:
            raise SystemExit(f"{self._child.args!r}: it has failed at {words!r}; see above.")
        return json.loads(answer)

    def close(self) -> None:
        """Let it end."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait()


def work(library: Any) -> None:
    """Be the other process: make the library's object of the first line, then one call a line.

    :param library: a class; its ``about`` tells what was measured
    """
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    made = library(**json.loads(sys.stdin.readline()))
    print(json.dumps(made.about), file=answers, flush=True)
    with suppress(KeyboardInterrupt):
        for line in sys.stdin:
            call, *arguments = json.loads(line)
            start = time.perf_counter()
            getattr(made, call)(*arguments)
            print(json.dumps(time.perf_counter() - start), file=answers, flush=True)
