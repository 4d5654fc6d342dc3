"""How fast repositories may be made at a Git host."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection

GITHUB = ((72, 60.0), (450, 3600.0))
"""Repositories in so many seconds. GitHub allows 80 and 500; the rest is for what people save meanwhile.

:see: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""


class Pace:
    """When the next may begin.

    :param limited: the names that count; nothing else has to wait, but while all are asked to
    :param limits: how many in how many seconds. From when to when one has counted is not known: until it is done, and
        for so long after that
    :param clock: in seconds
    """

    def __init__(
        self,
        limited: Collection[str] = (),
        limits: Collection[tuple[int, float]] = GITHUB,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limited, self._limits, self._clock = limited, limits, clock
        self._under_way = 0
        self._done: deque[float] = deque(maxlen=max(number for number, _ in limits))
        self._paused_until = 0.0

    def may_begin(self, name: str) -> bool:
        """Whether this one may begin now."""
        now = self._clock()
        if now < self._paused_until:
            return False
        if name not in self._limited:
            return True
        return all(self._under_way + self._since(now - seconds) < number for number, seconds in self._limits)

    def begin(self, name: str) -> None:
        """It begins."""
        self._under_way += name in self._limited

    def end(self, name: str) -> None:
        """It is done."""
        if name in self._limited:
            self._under_way -= 1
            self._done.append(self._clock())

    def pause(self, seconds: float) -> None:
        """Let nothing begin for so long."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def _since(self, time: float) -> int:
        return sum(done > time for done in self._done)
