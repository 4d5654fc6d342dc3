"""The order of lists: weaving two together, and what of a list keeps its order in another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence


def interleave(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Weave two lists into one: ``first`` as it is, and what only ``second`` has before whatever follows it there.

    >>> interleave(["a", "b", "d"], ["b", "c", "d", "e"])
    ['a', 'b', 'c', 'd', 'e']

    :param first: without duplicates, as ``second``
    """
    known = set(first)
    follower: str | None = None
    before: dict[str | None, list[str]] = {}
    for name in reversed(second):
        if name in known:
            follower = name
        else:
            before.setdefault(follower, []).append(name)
    woven: list[str] = []
    for name in first:
        woven += reversed(before.get(name, []))
        woven.append(name)
    return woven + before.get(None, [])[::-1]


def same_order(first: Iterable[str], second: Iterable[str]) -> bool:
    """Tell whether what both lists have stands in the same order in both."""
    a, b = dict.fromkeys(first), dict.fromkeys(second)
    return only(a, b) == only(b, a)


def only(names: Iterable[str], kept: Collection[str]) -> list[str]:
    """Leave out what is not in ``kept``."""
    return [name for name in names if name in kept]


def longest_increasing(numbers: Sequence[int]) -> list[int]:
    """Give the positions of a longest strictly increasing subsequence, in O(n log n).

    >>> longest_increasing([3, 0, 1, 2])
    [1, 2, 3]

    :see: https://en.wikipedia.org/wiki/Longest_increasing_subsequence
    """
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int | None] = []
    for position, number in enumerate(numbers):
        length = bisect_left(tails, number)
        previous.append(ends[length - 1] if length else None)
        tails[length : length + 1] = [number]
        ends[length : length + 1] = [position]
    chain: list[int] = []
    at = ends[-1] if ends else None
    while at is not None:
        chain.append(at)
        at = previous[at]
    return chain[::-1]
