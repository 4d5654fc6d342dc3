"""The tables: what was asked, how long it took, what was answered."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from load_client import Asked
from load_samples import Level

NOT_MORE = 20


def show_requests(asked: Sequence[Asked], seconds: float) -> None:
    """Print a line for each kind of request."""
    print(f"{'request':24}{'count':>7}{'per s':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}   answers")
    kinds = defaultdict(list)
    for each in asked:
        kinds[each.kind].append(each)
    for kind, some in sorted(kinds.items(), key=lambda item: -len(item[1])):
        print(_line(kind, some, seconds))
    print(_line("all", asked, seconds), flush=True)


def _line(kind: str, asked: Sequence[Asked], seconds: float) -> str:
    times = sorted(each.end - each.begin for each in asked)
    shares = "".join(f"{times[int(share * (len(times) - 1))] * 1000:9.0f}" for share in (0.5, 0.95, 0.99))
    statuses = Counter(each.status for each in asked)
    told = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    return f"{kind:24}{len(asked):7}{len(asked) / seconds:8.2f}{shares}   {told}"


def show_levels(levels: Iterable[Level]) -> None:
    """Print a line for what the servers hold on to."""
    print(f"{'held, median of':24}{'1st third':>9}{'2nd':>9}{'3rd':>9}{'most':>9}")
    for level in levels:
        print(level)
    print(f"Load average of the last 15 minutes: {os.getloadavg()[2]:.1f} on {os.cpu_count()} processors", flush=True)


def trouble(asked: Iterable[Asked]) -> Iterator[str]:
    """The answers that should not have been, the first of each kind."""
    seen: set[tuple[str, int]] = set()
    for each in asked:
        if not each.expected and (each.kind, each.status) not in seen and len(seen) < NOT_MORE:
            seen.add((each.kind, each.status))
            yield f"{each.kind} of {each.dataset}, {each.token}: {each.status} {each.why}"
