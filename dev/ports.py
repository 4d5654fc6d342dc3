"""Ports on loopback, below Linux's range for outgoing connections: none of those takes one meanwhile."""

import errno
import random
import socket
from collections import Counter
from collections.abc import Mapping

from dev.console import Failure

HOST = "127.0.0.1"
RANGE = range(15_000, 32_000)


def free() -> int:
    """A port that nothing listens on."""
    while True:
        port = random.choice(RANGE)
        if _bind(port) is None:
            return port


def still(port: int | None) -> int | None:
    """The port, if nothing listens on it now."""
    return port if port and _bind(port) is None else None


def answers(port: int) -> bool:
    """Whether something listens on the port."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((HOST, port)) == 0


def choose(wanted: Mapping[str, int | None]) -> dict[str, int]:
    """For each option its port: the one that was asked for, if it can be had, or else any free one.

    :raises Failure: a port is in use, asked for twice, or not ours to take
    """
    chosen = {option: port or free() for option, port in wanted.items()}
    for option, port in chosen.items():
        if Counter(chosen.values())[port] > 1:
            twice = " and ".join(name for name in chosen if chosen[name] == port)
            raise Failure(f"{twice} are both {port}: give each a port of its own.")
        if error := _bind(port):
            trouble = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise Failure(f"Port {port} {trouble}: choose another with {option}=.")
    return chosen


def _bind(port: int) -> OSError | None:
    """What a server would be told that tried to listen on the port."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError as error:
            return error
    return None
