"""Ringing for CKAN's job queue. The rows that wait are the to-do list; Redis only rings the bell.

A job is a *turn* (``turns.py``) that does whatever is due. So a bell that was not heard is no loss: the next turn takes
up all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from functools import lru_cache
from typing import Any
from zlib import crc32

from ckan.lib.jobs import DEFAULT_QUEUE_NAME, add_queue_name_prefix
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq import Retry as JobRetry
from rq.exceptions import NoSuchJobError

from ckanext.metastore import config
from ckanext.metastore.core.types import utc
from ckanext.metastore.model import due, hosts, pulls

log = logging.getLogger(__name__)

TURN = "ckanext.metastore.turns.turn"
"""The job."""

LINES = 4
"""So many turns at most are waiting in the queue. Each dataset has its line, so that each has one turn at most."""

SECONDS = 5.0
"""Seconds after which a turn begins no further dataset."""

BATCH = 20
"""So many datasets are looked for at a time."""

_REDIS_TIMEOUT = 1.0
_HOLD_OFF = 30.0
_LATER = "later"


class _Bell:
    """What this process knows of Redis: while it is down, not every save has to find that out.

    :ivar deaf: whether the last ring was not heard
    """

    def __init__(self) -> None:
        self.deaf = False
        self._until = 0.0

    def ring(self, tell: Callable[[Queue], None]) -> None:
        """Tell the queue; where that fails, say so in the log, once."""
        if self.deaf and time.monotonic() < self._until:
            return
        try:
            tell(_queue(config.redis_url(), add_queue_name_prefix(DEFAULT_QUEUE_NAME)))
            self.deaf = False
        except RedisError as error:
            if not self.deaf:
                log.warning("Redis cannot be told that there is something to publish; it is not lost: %s", error)
            self.deaf, self._until = True, time.monotonic() + _HOLD_OFF


_bell = _Bell()


def wake(dataset_ids: Iterable[str]) -> None:
    """Have these datasets published soon. Takes a moment, and raises nothing, whatever Redis does."""
    lines = sorted({_line(dataset_id) for dataset_id in dataset_ids})

    def tell(queue: Queue) -> None:
        for line in lines:
            _queue_up(queue, line)

    _bell.ring(tell)


def wake_later() -> None:
    """Have the queue look again when the next dataset is due, or at once if one is."""
    until = paused_until()
    found = [*due.now(BATCH), *pulls.due(BATCH)]
    if found and not until:
        wake(found)
    elif when := until if found else _next_time():
        _bell.ring(lambda queue: _schedule(queue, max(when, until)))


def _next_time() -> int | None:
    times = [when for when in (due.next_time(), pulls.next_time()) if when is not None]
    return min(times) if times else None


def _line(dataset_id: str) -> str:
    return str(crc32(dataset_id.encode()) % LINES)


def _queue_up(queue: Queue, line: str) -> None:
    """Add a turn, unless the line's last one has not begun yet. That it is in the list is asked, and not remembered."""
    last = _last(queue, line)
    if not last or queue.get_job_position(last) is None:
        job = queue.enqueue_call(TURN, timeout=timeout(), **_options())
        queue.connection.set(_key(queue, line), job.id)


def _schedule(queue: Queue, when: int) -> None:
    """Add a turn at that time, unless there is one at, or before, that time. CKAN 2.11 has nobody who looks for it."""
    last = _last(queue, _LATER)
    with suppress(NoSuchJobError):
        if last and queue.scheduled_job_registry.get_scheduled_time(last) <= utc(when):
            return
    job = queue.enqueue_at(utc(when), TURN, job_timeout=timeout(), **_options())
    queue.connection.set(_key(queue, _LATER), job.id)


def _last(queue: Queue, line: str) -> str:
    value: Any = queue.connection.get(_key(queue, line))
    return str(value or b"", "ascii")


def _key(queue: Queue, line: str) -> str:
    return f"{queue.name}:metastore:{line}"


def _options() -> dict[str, Any]:
    """Where the worker dies, rq gives the turn to another one. What fails is logged, and in the dataset's row."""
    day = int(timedelta(days=1).total_seconds())
    meta = {"title": "ckanext-metastore: publish what is due"}
    return {"meta": meta, "retry": JobRetry(max=1), "result_ttl": 0, "failure_ttl": day}


def timeout() -> int:
    """Seconds after which rq ends a turn that hangs: the last dataset may begin at its end, and take two attempts."""
    return int(SECONDS + 3 * config.publish_timeout() + 60)


@lru_cache(maxsize=4)
def _queue(url: str, name: str) -> Queue:
    """CKAN's queue, by a connection that gives up soon; CKAN's own would wait for ever."""
    patience: dict[str, Any] = {"socket_timeout": _REDIS_TIMEOUT, "socket_connect_timeout": _REDIS_TIMEOUT}
    return Queue(name, connection=Redis.from_url(url, **patience, retry=Retry(NoBackoff(), 0)))


def paused_until() -> int:
    """Until when nothing is asked of the Git host, in seconds since 1970-01-01 UTC; 0 where it may be asked."""
    trouble = hosts.trouble(config.host())
    return trouble.paused_until if trouble and trouble.pause else 0
