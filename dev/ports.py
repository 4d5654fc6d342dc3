"""Ports on loopback. Below Linux's range for outgoing connections, so that none of those takes one meanwhile."""

import random
import socket

from dev.console import Failure

HOST = "127.0.0.1"
RANGE = range(15_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on the port."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def answers(port: int) -> bool:
    """Whether something listens on the port."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((HOST, port)) == 0


def choose(wanted: int | None = None, option: str = "PORT") -> int:
    """The port that was asked for, or else any free one."""
    if wanted is None:
        return next(port for port in iter(lambda: random.choice(RANGE), None) if is_free(port))
    if not is_free(wanted):
        raise Failure(f"Port {wanted} is in use: end what uses it, or choose another with {option}=.")
    return wanted
