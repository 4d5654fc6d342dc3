"""What the servers hold on to while they are under load, and whether that levels off."""

from __future__ import annotations

import os
import statistics
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path

import sqlalchemy as sa

from dev.process import Server

SLACK = 0.10
"""So much more than in the second third may be held in the last one."""

ALLOWANCE = {"memory": 16.0, "files": 16.0, "threads": 8.0, "connections": 8.0}
"""Beside that, what comes and goes: megabytes, and numbers."""


@dataclass(frozen=True)
class Sample:
    """What all processes of a kind hold at one moment.

    :ivar memory: resident, in megabytes; what is shared counts for each
    :ivar files: open files, sockets too
    """

    memory: float
    files: float
    threads: float


@dataclass(frozen=True)
class Level:
    """One figure over the time: medians of the three thirds, so that a single moment does not count."""

    name: str
    thirds: Sequence[float]
    most: float

    @property
    def flat(self) -> bool:
        """Whether it has not grown between the second third and the last, or hardly."""
        _, second, last = self.thirds
        return last <= second * (1 + SLACK) + ALLOWANCE[self.name.split()[-1]]

    def __str__(self) -> str:
        thirds = "".join(f"{third:9.0f}" for third in self.thirds)
        return f"{self.name:24}{thirds}{self.most:9.0f}   {'flat' if self.flat else 'GROWS'}"


class Watch:
    """Looks at the servers from time to time."""

    def __init__(self, servers: Mapping[str, Sequence[Server]], database_url: str, every: float) -> None:
        self._every = every
        self._servers = {kind: members for kind, members in servers.items() if members}
        self._seen: dict[str, list[float]] = {}
        self._engine = sa.create_engine(database_url, poolclass=sa.NullPool)
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until the end."""
        while not self._ended.wait(self._every):
            with suppress(FileNotFoundError):  # a process has ended at this moment
                self._look()

    def _look(self) -> None:
        for kind, servers in self._servers.items():
            found = sample([pid for server in servers for pid in processes(server)])
            for each in fields(found):
                self._seen.setdefault(f"{kind} {each.name}", []).append(getattr(found, each.name))
        self._seen.setdefault("database connections", []).append(self._connections())

    def end(self) -> None:
        """Look no more."""
        self._ended.set()

    def _connections(self) -> float:
        query = sa.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        with self._engine.connect() as connection:
            return float(connection.execute(query).scalar_one() - 1)

    def levels(self) -> list[Level]:
        """Each figure."""
        return [Level(name, thirds(seen), max(seen)) for name, seen in self._seen.items()]


@contextmanager
def watching(servers: Mapping[str, Sequence[Server]], database_url: str, every: float) -> Iterator[Watch]:
    """Watch for as long as the block lasts.

    :param every: seconds between two looks
    """
    watch = Watch(servers, database_url, every)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        thread.join()


def processes(server: Server) -> list[int]:
    """A server and its children, but for what lives only for a moment: the git program, a worker's work horse."""
    leader = server.pid
    children = [int(pid) for pid in Path(f"/proc/{leader}/task/{leader}/children").read_text().split()]
    return [leader, *(pid for pid in children if "gunicorn" in _command(pid))]


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    return ""


def sample(pids: Sequence[int]) -> Sample:
    """What these processes hold now."""
    folders = [Path(f"/proc/{pid}") for pid in pids]
    memory = sum(int((folder / "statm").read_text().split()[1]) for folder in folders)
    return Sample(
        memory=memory * os.sysconf("SC_PAGE_SIZE") / 1e6,
        files=sum(len(list((folder / "fd").iterdir())) for folder in folders),
        threads=sum(len(list((folder / "task").iterdir())) for folder in folders),
    )


def thirds(seen: Sequence[float]) -> list[float]:
    """The medians of the three thirds of a time."""
    third = len(seen) // 3
    return [statistics.median(part) for part in (seen[:third], seen[third : 2 * third], seen[2 * third :])]
