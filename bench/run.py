"""What recording costs, as ratios measured in one run: ``make bench``, or ``python bench/run.py --quick saves reads``.

Wants a database of its own and services that use fsync: ``python3 -m dev run --durable python bench/run.py``. It never
fails for being slow, as machines differ; the tests in ``test_cost.py`` guard by counting.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable

import backfill
import core
import histories
import memory
import reads
import saves
import tokens
from measure import Figure, show
from portal import Portal

Sizes = argparse.Namespace

SECTIONS: dict[str, Callable[[Portal, Sizes], Iterable[Figure]]] = {
    "saves": lambda portal, sizes: saves.figures(portal, turns=sizes.times),
    "reads": lambda portal, sizes: reads.figures(portal, times=sizes.times),
    "histories": lambda portal, sizes: histories.figures(portal, sizes.length, sizes.length // 10, sizes.times),
    "memory": lambda portal, sizes: memory.figures(portal, saves=sizes.length),
    "tokens": lambda portal, sizes: tokens.figures(portal, times=sizes.times),
    "backfill": lambda portal, sizes: backfill.figures(portal, count=sizes.length),
    "core": lambda portal, sizes: core.figures(portal.shown(portal.dataset(50)["id"]), times=sizes.times),
}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; all where none is named")
    parser.add_argument("--quick", action="store_true", help="histories of 1,000 revisions, not 10,000; fewer calls")
    chosen = parser.parse_args()
    if unknown := [name for name in chosen.sections if name not in SECTIONS]:
        parser.error(f"there is no section {unknown[0]}")
    sizes = Sizes(length=1_000, times=10) if chosen.quick else Sizes(length=10_000, times=40)
    with Portal() as portal:
        show(figure for name in chosen.sections or SECTIONS for figure in SECTIONS[name](portal, sizes))


if __name__ == "__main__":
    main()
