"""For how long to leave something alone that has failed: longer each time, and never for ever."""

from __future__ import annotations

import math
import random

DATASET = 30.0
"""Seconds after the first failure of a dataset; they double with each further one."""

DATASET_MOST = 3600.0

HOST = 30.0
"""The same for a host that fails for many datasets."""

HOST_MOST = 300.0

HOST_FAILURES = 3
"""So many datasets in a row must fail before it is the host that is down, and not something of theirs."""

_LONGEST_WAIT = 86400.0
"""A host that asks for more is mistaken, or would never be asked again."""

_JITTER = 0.25


def for_dataset(attempts: int) -> float:
    """Give the seconds to wait after so many failures in a row; less by chance, so that not all come at once."""
    return _doubled(DATASET, attempts, DATASET_MOST) * (1 - _JITTER * random.random())


def for_host(failures: int) -> float:
    """Give the seconds for which a host is left alone after so many datasets in a row have failed; 0: not yet."""
    return _doubled(HOST, failures - HOST_FAILURES + 1, HOST_MOST) if failures >= HOST_FAILURES else 0.0


def at_earliest(now: float, retry_after: float) -> int:
    """Give the first whole second at which a host may be asked again that has asked us to wait for so long."""
    return math.ceil(now + min(max(retry_after, 0.0), _LONGEST_WAIT))


def _doubled(first: float, times: int, most: float) -> float:
    return min(first * 2.0 ** min(times - 1, 30), most)
