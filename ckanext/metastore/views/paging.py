"""A dataset's revisions, a page at a time, for machines that go on to the next one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from ckanext.metastore.views.base import call

_ONE_CALL = 100
"""Revisions that the action gives at a time."""

Revision = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """A page of revisions.

    :param number: 1 for the first
    :param more: whether there is another page after it
    """

    number: int
    revisions: list[Revision]
    more: bool


def page(dataset_id: str, *, number: int, size: int, **how: bool) -> Page:
    """The page of that number, for whoever asks.

    :param how: ``oldest_first``, ``details``: as ``dataset_revision_list`` takes them
    """
    walk = _walk(dataset_id, (number - 1) * size, min(size + 1, _ONE_CALL), how)
    revisions = list(islice(walk, size + 1))
    return Page(number, revisions[:size], len(revisions) > size)


def _walk(dataset_id: str, start: int, step: int, how: dict[str, bool]) -> Iterator[Revision]:
    for offset in count(start, step):
        revisions = call("dataset_revision_list", id=dataset_id, limit=step, offset=offset, **how)
        yield from revisions
        if len(revisions) < step:
            return
