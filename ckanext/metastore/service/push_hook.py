"""The ``pre-receive`` hook of a repository that is pushed to: it asks the service, and does what that says.

Git runs it when the pushed objects are there, but in quarantine: of a push that is refused nothing stays. Run as a
script: standard library only, nothing of ours.
"""

import json
import os
import socket
import sys

SOCKET = "METASTORE_PUSH_SOCKET"
"""The environment variable with the number of the socket at whose other end the service waits."""

TAKEN = "taken"
"""The verdict, where nothing is wrong."""

OBJECTS = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
"""The environment variables by which Git says where the pushed objects are."""


def main() -> int:
    """Say what is pushed, and take the verdict: whether it is taken, or why not."""
    objects = {name: os.environ[name] for name in OBJECTS if name in os.environ}  # a deletion brings none
    question = {"updates": sys.stdin.read().splitlines(), "objects": objects}
    with socket.socket(fileno=int(os.environ[SOCKET])) as service:
        service.sendall(json.dumps(question).encode())
        service.shutdown(socket.SHUT_WR)
        with service.makefile("rb") as answer:
            verdict = answer.read().decode()
    if verdict != TAKEN:
        sys.stderr.write(f"error: {verdict or 'the service does not answer; try again'}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
