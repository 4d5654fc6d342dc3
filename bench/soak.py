"""The stand-alone service under mixed traffic: what was answered is there in the end, and nothing grows.

python bench/soak.py [--seconds N] [--clients N]
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from load_samples import Level, sample, thirds
from soak_clients import Asked, Contest, Soaker
from soak_verdict import judge

from ckanext.metastore.tests.service.server import Server, serving

LOOKS = 60
"""How often the processes are looked at."""

SHORTEST = 30
"""Seconds: in less, what a process holds has not levelled off."""


def main() -> int:
    """Run, judge, and print; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=8)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with serving(data, serve_timeout=30) as server:
            soakers = [Soaker(server, number, Path(folder)) for number in range(given.clients)]
            contest = Contest(server)
            levels = soak(server, [*soakers, contest], given.seconds)
            status = end(server)
        faults = list(judge(data, [*soakers, contest]))
    asked = [each for one in (*soakers, contest) for each in one.asked]
    show(asked, given.seconds)
    faults += [f"{each.kind}: {each.status} {each.why}" for each in asked if not each.expected]
    faults += contest.faults
    faults += [f"SIGTERM ended the service with status {status}"] if status else []
    if given.seconds >= SHORTEST:
        for level in levels:
            print(level)
        faults += [f"{level.name} grows" for level in levels if not level.flat]
    answered = sum(len(shas) for one in (*soakers, contest) for shas in one.histories.values())
    print(f"revisions answered: {answered}; rounds with If-Match: {contest.rounds}; faults: {len(faults)}")
    for fault in faults[:20]:
        print(f"FAULT {fault}")
    print(f"Load average of the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    return 1 if faults else 0


def soak(server: Server, clients: list[Soaker | Contest], seconds: int) -> list[Level]:
    """Let the clients do as they like for some time; gives what the processes held meanwhile."""
    seen: dict[str, list[float]] = defaultdict(list)
    ended = threading.Event()
    with ThreadPoolExecutor(len(clients)) as pool:
        working = [pool.submit(client.run, ended) for client in clients]
        end = time.monotonic() + seconds
        while time.monotonic() < end and not any(one.done() for one in working):
            time.sleep(seconds / LOOKS)
            with suppress(FileNotFoundError):  # a process of Git's has ended at this moment
                found = sample(processes(server.process.pid))
                for each in fields(found):
                    seen[f"service {each.name}"].append(getattr(found, each.name))
        ended.set()
        for one in working:
            one.result()
    return [Level(name, thirds(held), max(held)) for name, held in seen.items()]


def processes(leader: int) -> list[int]:
    """gunicorn's first process and its workers; not Git, which lives for a moment."""
    command = Path(f"/proc/{leader}/cmdline").read_bytes()
    children = [int(pid) for pid in Path(f"/proc/{leader}/task/{leader}/children").read_text().split()]
    return [leader, *(pid for pid in children if Path(f"/proc/{pid}/cmdline").read_bytes() == command)]


def end(server: Server) -> int:
    """Tell the service to stop; gives its exit status."""
    server.process.send_signal(signal.SIGTERM)
    return server.process.wait(timeout=60)


def show(asked: list[Asked], seconds: int) -> None:
    """Print a line for each kind of request."""
    kinds = defaultdict(list)
    for each in asked:
        kinds[each.kind].append(each)
    print(f"{'request':16}{'count':>7}{'per s':>8}{'p50 ms':>9}{'p95 ms':>9}   answers")
    for kind, some in [*sorted(kinds.items(), key=lambda item: -len(item[1])), ("all", asked)]:
        times = sorted(each.seconds * 1000 for each in some)
        p50, p95 = (times[int(share * (len(times) - 1))] for share in (0.5, 0.95))
        told = ", ".join(f"{n} x {status}" for status, n in sorted(Counter(each.status for each in some).items()))
        print(f"{kind:16}{len(some):7}{len(some) / seconds:8.1f}{p50:9.0f}{p95:9.0f}   {told}")


if __name__ == "__main__":
    sys.exit(main())
