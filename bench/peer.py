"""The peer, metastore-lib from PyPI, and we, side by side on one stand-in for GitHub: ``make bench-peer``.

Each library runs in a process of its own; the stand-in waits before each answer, and its log is what is counted. It
never fails for being slow.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from turns import Worker

from ckanext.metastore.testing.github import StandIn

HERE = Path(__file__).parent
OWNER = "city"
LENGTH = 100
"""How many revisions and tags are listed."""

DOCUMENT = {
    "name": "trees",
    "title": "Street trees",
    "description": "Every tree that the city waters.",
    "resources": [{"name": "trees", "path": "https://example.org/trees.csv", "format": "csv", "bytes": 48_000}],
}


@dataclass(frozen=True)
class Step:
    """One line of the table.

    :param call: the method of either side, and what it is given beside the package
    :param lost: whether our folder is lost before
    :param long: whether it is about the package with the long history
    """

    title: str
    call: tuple[Any, ...]
    lost: bool = False
    long: bool = False


STEPS = (
    Step("First save", ("create", DOCUMENT)),
    Step("Save", ("update", {**DOCUMENT, "title": "Trees of the city"})),
    Step("Read", ("read",)),
    Step("Create a tag", ("tag", "v1")),
    Step("Rename a tag", ("rename_tag", "v1", "v2")),
    Step("Delete a tag", ("delete_tag", "v2")),
    Step(f"List {LENGTH} revisions", ("revisions", LENGTH), long=True),
    Step(f"List {LENGTH} tags", ("tags", LENGTH), long=True),
    Step("Read, our folder lost", ("read",), lost=True),
    Step("Save, our folder lost", ("update", {**DOCUMENT, "title": "Trees"}), lost=True),
    Step("Purge", ("purge",)),
)


class Cost(NamedTuple):
    """What a step took."""

    seconds: float
    rest: int
    git: int

    def requests(self) -> str:
        """Say how many, of which kind."""
        kinds = ((self.rest, "REST"), (self.git, "Git"))
        return " + ".join(f"{number} {kind}" for number, kind in kinds if number) or "none"


class Bench:
    """The stand-in, and one side that works on it.

    :param latency: seconds before each answer, while there is something to measure
    """

    def __init__(self, github: StandIn, latency: float, worker: Worker, *, has_folder: bool) -> None:
        self._github, self._latency, self._worker, self._has_folder = github, latency, worker, has_folder

    def run(self, name: str, times: int, steps: Sequence[Step]) -> dict[str, Cost]:
        """Take each step so often, after once that does not count; gives the medians."""
        self._github.latency = 0.0
        documents = [{**DOCUMENT, "title": f"Street trees {number}"} for number in range(LENGTH)]
        self._worker.do("prepare", f"{name}-long", documents)
        for _ in self._turn(f"{name}-first", f"{name}-long", [step for step in steps if not step.long]):
            pass
        self._github.latency = self._latency
        turns = [list(self._turn(f"{name}-{number}", f"{name}-long", steps)) for number in range(times)]
        return {step.title: _median(costs) for step, *costs in zip(steps, *turns, strict=True)}

    def _turn(self, package: str, long: str, steps: Sequence[Step]) -> Iterator[Cost]:
        for step in steps:
            print(".", end="", file=sys.stderr, flush=True)
            if step.lost and self._has_folder:
                self._worker.do("lose")
            elif step.long and self._has_folder:
                self._worker.do("read", long)  # a step before may have lost it
            self._github.forget_requests()
            call, *arguments = step.call
            seconds = self._worker.do(call, long if step.long else package, *arguments)
            kinds = [request.kind for request in self._github.requests]
            yield Cost(seconds, kinds.count("rest"), kinds.count("git"))


def _median(costs: Sequence[Cost]) -> Cost:
    assert len({(cost.rest, cost.git) for cost in costs}) == 1, f"not always as many requests: {costs}"
    return Cost(median(cost.seconds for cost in costs), costs[0].rest, costs[0].git)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="the Python that has the peer")
    parser.add_argument("--times", type=int, default=3, help="how often each step is taken")
    parser.add_argument("--latency", type=float, default=0.15, help="seconds before each answer")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="metastore-bench-") as folder, StandIn(Path(folder)) as github:
        github.add_user("ada")
        github.add_organization(OWNER, ["ada"])
        common = {"api_url": github.api_url, "token": github.issue_token("ada"), "owner": OWNER}
        abouts: list[str] = []
        columns: list[dict[str, Cost]] = []
        for name, python, options in (
            ("theirs", chosen.python, {"throttled": True}),
            ("theirs", chosen.python, {"throttled": False}),
            ("ours", sys.executable, {"git_url": github.git_url}),
        ):
            label = f"{name}-{len(columns)}"
            with closing(Worker(python, HERE / f"peer_{name}.py", {**common, **options})) as worker:
                abouts.append(worker.about)
                bench = Bench(github, chosen.latency, worker, has_folder=name == "ours")
                columns.append(bench.run(label, chosen.times, STEPS))
        print(file=sys.stderr)
    _show(*columns)
    print(f"\nMedians of {chosen.times}, {chosen.latency * 1000:.0f} ms before each answer. The first figure of the")
    print("peer is as it ships: PyGithub waits 0.25 s between requests and 1 s between writes, by default. The second")
    print("is with that switched off. The ratio is the second's to ours.")
    print(f"Peer: {abouts[0]}. We: {abouts[-1]}.")
    print(f"Load average of the last 5 minutes: {os.getloadavg()[1]:.1f} on {os.cpu_count()} processors")


def _show(shipped: dict[str, Cost], quick: dict[str, Cost], ours: dict[str, Cost]) -> None:
    _line("operation", "peer's requests", "as it ships", "no throttle", "our requests", "time", "ratio")
    for title, ours_cost in ours.items():
        theirs = quick[title]
        times = theirs.seconds / ours_cost.seconds
        ratio = "over 1,000" if times > 1000 else f"{times:.1f}"
        seconds = [_time(cost.seconds) for cost in (shipped[title], theirs, ours_cost)]
        _line(title, theirs.requests(), seconds[0], seconds[1], ours_cost.requests(), seconds[2], ratio)


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"


def _line(*cells: str) -> None:
    widths = (24, 17, 13, 13, 16, 9, 0)
    print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
