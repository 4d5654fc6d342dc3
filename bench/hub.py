"""The stand-in for GitHub as a program that is told, line by line, what goes wrong: ``before``, ``after``, ``clear``.

``before`` and ``after`` cut the connection of the next request: before anything was done, or when it was.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ckanext.metastore.testing.github import Fault, StandIn

OWNER = "city"
_USER = "ada"


class GitHub:
    """The program, as the harness sees it. It may end and come again, at the same port and with the same data."""

    def __init__(self, root: Path, port: int, token: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.repositories = root / "repositories"
        self._words = [str(root), str(port)]
        self._token = token
        self.start()

    def start(self) -> None:
        """Have it answer."""
        command = [sys.executable, __file__, *self._words]
        # A session of its own keeps the terminal's Ctrl-C away; it ends when nobody talks to it any more.
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.tell(self._token)

    def tell(self, word: str) -> None:
        """Say a line, and wait until it is heard."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{word}\n")
        self._child.stdin.flush()
        if not self._child.stdout.readline():
            raise SystemExit("The stand-in for GitHub has ended; see above.")

    def kill(self) -> None:
        """End it at once, whatever it is at."""
        self._child.kill()
        self._child.communicate()


def main() -> None:
    """Be the program."""
    root, port = Path(sys.argv[1]), int(sys.argv[2])
    with StandIn(root, port) as server:
        server.add_user(_USER)
        server.add_organization(OWNER, members=[_USER])
        server.issue_token(_USER, secret=sys.stdin.readline().strip())
        print("ready", flush=True)
        for line in sys.stdin:
            if (word := line.strip()) == "clear":
                server.clear_faults()
            elif word in ("before", "after"):
                server.fail(Fault(kind="git", method="POST", drop=word))
            print("heard", flush=True)


if __name__ == "__main__":
    main()
