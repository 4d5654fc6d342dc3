"""Patience diff: matching the lines of two texts in about linear time.

:class:`difflib.SequenceMatcher` alone takes minutes where every tenth line of a long text has changed. Here lines that
are unique on both sides are matched first, as long as they stand in one order, and the stretches between them in turn.

:see: https://bramcohen.livejournal.com/73318.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import Match, SequenceMatcher

from ckanext.metastore.core.order import longest_increasing

Gap = tuple[int, int, int, int]
"""A stretch still to be matched: its start and end in one text, then in the other."""

_ROUNDS = 8
"""How often a stretch is divided. Real documents need two or three; a text made to be slow gets a coarser diff."""


class PatienceMatcher(SequenceMatcher[str]):
    """A matcher of lines: difflib's opcodes and groups, over blocks found by patience."""

    def __init__(self, a: Sequence[str], b: Sequence[str]) -> None:
        super().__init__(None, a, b, autojunk=False)
        self._a, self._b = a, b

    def get_matching_blocks(self) -> list[Match]:
        """List the equal blocks in order, none adjacent to the next, and an empty one at the end."""
        blocks: list[Match] = []
        for i, j, size in [*sorted(_matches(self._a, self._b)), (len(self._a), len(self._b), 0)]:
            last = blocks[-1] if blocks else Match(0, 0, 0)
            if size and (last.a + last.size, last.b + last.size) == (i, j):
                i, j, size = last.a, last.b, last.size + size
                blocks[-1:] = []
            blocks.append(Match(i, j, size))
        return blocks


def _matches(a: Sequence[str], b: Sequence[str]) -> list[Match]:
    matches: list[Match] = []
    gaps = [(0, len(a), 0, len(b))]
    for _ in range(_ROUNDS):
        gaps = [part for gap in gaps for part in _divide(a, b, _trim(a, b, gap, matches))]
    return matches


def _trim(a: Sequence[str], b: Sequence[str], gap: Gap, matches: list[Match]) -> Gap:
    """Match equal lines at the start and at the end of a stretch, and give what is left of it."""
    i, i_end, j, j_end = gap
    start, end = 0, 0
    longest = min(i_end - i, j_end - j)
    while start < longest and a[i + start] == b[j + start]:
        start += 1
    while end < longest - start and a[i_end - end - 1] == b[j_end - end - 1]:
        end += 1
    matches += [Match(i, j, start)] if start else []
    matches += [Match(i_end - end, j_end - end, end)] if end else []
    return i + start, i_end - end, j + start, j_end - end


def _divide(a: Sequence[str], b: Sequence[str], gap: Gap) -> list[Gap]:
    """Cut a stretch before each line that is unique on both sides and in order; no parts where there is none."""
    i, i_end, j, j_end = gap
    unique_a, unique_b = _unique(a, i, i_end), _unique(b, j, j_end)
    common = [(unique_a[line], at) for line, at in unique_b.items() if line in unique_a]
    cuts = [common[n] for n in longest_increasing([at for at, _ in common])]
    if not cuts:
        return []
    starts, ends = [(i, j), *cuts], [*cuts, (i_end, j_end)]
    return [(i, i_end, j, j_end) for (i, j), (i_end, j_end) in zip(starts, ends, strict=True)]


def _unique(lines: Sequence[str], start: int, end: int) -> dict[str, int]:
    counts = Counter(lines[start:end])
    return {lines[at]: at for at in range(start, end) if counts[lines[at]] == 1}
