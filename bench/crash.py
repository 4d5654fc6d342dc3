"""Kills whoever saves or publishes, stops what they need, and looks what is lost: ``make crash``, or ``--short``.

Real processes: savers that call CKAN's actions, ``ckan jobs worker``, PostgreSQL, Redis, and a stand-in for GitHub.
After each fault, what waits is published once; then every save that was answered with success has to be in the
history at GitHub, once and in order, and none that failed. Wants Solr, by ``CKAN_SOLR_URL``; the rest it starts itself.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from crash_faults import KILLS, OTHERS, SHORT, Fault
from crash_stage import Case, Stage, stage
from verdict import Verdict

PER_DATASET = 4
"""So many times something happens to one dataset; then to another."""

HEAD = (
    "fault                                 mode       times kills answered there lost doubled disordered undead unsure"
)


@dataclass
class Row:
    """A line of the table."""

    fault: Fault
    mode: str
    times: int = 0
    kills: int = 0
    verdict: Verdict = field(default_factory=Verdict)

    def __str__(self) -> str:
        it = self.verdict
        told = f"{self.fault.name:37} {self.mode:10} {self.times:5} {self.kills:5} {it.answered:8} {it.there:5}"
        told += f" {it.lost:4} {it.doubled:7} {it.disordered:10} {it.undead:6} {it.unsure:6}"
        return "\n".join([told, *(f"    ! {words}" for words in dict.fromkeys(it.wrong))])


def main() -> None:
    """Let all of it happen, and print the table."""
    options = _options()
    random.seed(options.seed)
    begin = time.monotonic()
    print(f"Seed {options.seed}\n{HEAD}", flush=True)
    with stage() as played:
        rows = []
        for row in _plan(options):
            _play(played, row)
            print(row, flush=True)
            rows.append(row)
        _tell_sum(rows, time.monotonic() - begin)
        if not all(row.verdict.fine for row in rows):
            said = played.log.read_text(errors="replace")
            raise SystemExit(said[max(len(said) - options.log, 0) :])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="only the faults in whose names one of these words is")
    parser.add_argument("--short", action="store_true", help="some of the kills, once each: for the tests")
    parser.add_argument("--times", type=int, default=6, help="kills at each point; at random four times as many")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="that of an earlier run")
    parser.add_argument("--log", type=int, default=5_000, help="characters of the processes' log, should it fail")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Iterator[Row]:
    """The rows of the table, each with the times that it is to happen."""
    for fault in (*KILLS, *OTHERS):
        if options.short and fault.name in SHORT:
            yield Row(fault, fault.modes[0], 1)
        elif not options.short and any(word in fault.name for word in options.names or [""]):
            yield from (Row(fault, mode, _times(fault, options.times)) for mode in fault.modes)


def _times(fault: Fault, times: int) -> int:
    if not fault.kills:
        return max(times // 3, 1)
    return 4 * times if "random" in fault.name else times


def _play(played: Stage, row: Row) -> None:
    done = 0
    while done < row.times:
        case = Case(played, row.mode)
        for _ in range(1 if row.fault.fresh else min(PER_DATASET, row.times - done)):
            row.kills += row.fault.happen(case)
            verdict = case.verdict(unsure=row.fault.unsure)
            done += 1
            if not verdict.fine:
                break
        row.verdict += verdict


def _tell_sum(rows: list[Row], seconds: float) -> None:
    total = Verdict()
    for row in rows:
        total += row.verdict
    kills, times = sum(row.kills for row in rows), sum(row.times for row in rows)
    print(
        f"{times} faults, {kills} kills, {total.answered} saves answered, {total.lost} lost, {total.doubled} doubled, "
        f"{total.disordered} disordered, {total.undead} undead, in {seconds:.0f} s"
    )
    if any(row.fault.kills for row in rows) and not kills:
        sys.exit("Nobody was killed.")


if __name__ == "__main__":
    main()
