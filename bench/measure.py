"""How figures are taken and shown.

A machine that others use is now fast, now slow: so what is compared is measured in turn, A B A B, in the same minutes,
and what counts is the median's ratio or difference, not a time.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

COLUMNS = ("figure", "measured", "compared with", "result", "target")
WIDTHS = (46, 24, 28, 16, 0)


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    :param measured: what we take, with its unit
    :param baseline: what it is compared with, and what that takes
    :param result: the ratio or difference, in ``unit``
    :param target: the most that the result may be; ``None`` where nothing is promised
    """

    name: str
    measured: str
    baseline: str
    result: float
    unit: str
    target: float | None = None

    @property
    def missed(self) -> bool:
        """Whether more was promised."""
        return self.target is not None and self.result > self.target

    def cells(self) -> tuple[str, ...]:
        """The line, as text."""
        target = "" if self.target is None else f"at most {self.target:g} {self.unit}"
        missed = ", missed" if self.missed else ""
        return (self.name, self.measured, self.baseline, f"{self.result:.3g} {self.unit}", target + missed)


def seconds(call: Callable[[], object]) -> float:
    """The time that a call takes, in seconds."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def in_turn(first: Callable[[], object], second: Callable[[], object], times: int) -> tuple[float, float]:
    """The median times of two calls, in milliseconds, each made so often, in turn, after one that does not count."""
    first(), second()
    pairs = [(seconds(first), seconds(second)) for _ in range(times)]
    return tuple(map(milliseconds, zip(*pairs, strict=True)))  # type: ignore[return-value]


def milliseconds(times: Iterable[float]) -> float:
    """The median of times in seconds, in milliseconds."""
    return statistics.median(times) * 1000


def ratio(name: str, ours: float, what: str, theirs: float, target: float | None = None) -> Figure:
    """A figure that says how many times as long as something else we take; both in milliseconds."""
    return Figure(name, f"{ours:.2f} ms", f"{what}: {theirs:.2f} ms", ours / theirs, "x", target)


def show(figures: Iterable[Figure]) -> None:
    """Print the table, each line as soon as it is known, and whether the machine had anything else to do."""
    print(_line(COLUMNS))
    for figure in figures:
        print(_line(figure.cells()), flush=True)
    print(f"Load average of the last 15 minutes: {os.getloadavg()[2]:.1f} on {os.cpu_count()} processors")


def _line(cells: tuple[str, ...]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()
