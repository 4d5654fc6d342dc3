"""What a save costs more with the plugin: loaded and unloaded in turn, in the same process, on the same dataset.

*Recording* is all that happens until the change is committed, *publishing* what follows: the objects go into the
repository and onto the disk. Statements are counted as they are sent to the database, ``SAVEPOINT`` included; ``BEGIN``
and ``COMMIT`` are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from statistics import median
from typing import NamedTuple

from measure import Figure, milliseconds, seconds
from portal import Portal

from ckanext.metastore import publisher
from ckanext.metastore.tests.counting import queries

SAVES = 4
"""Saves in a turn; the first does not count: CKAN has just opened new connections."""

TARGETS = {1: 10.0, 50: 20.0}
"""Number of resources -> milliseconds that recording may add."""

STATEMENTS = 6

_titles = (f"Street trees {number}" for number in count())


class Save(NamedTuple):
    """What one save took."""

    seconds: float
    statements: int
    publishing_seconds: float = 0.0
    publishing_statements: int = 0


def figures(portal: Portal, turns: int) -> Iterator[Figure]:
    """What recording and publishing add.

    :param turns: how often the plugin is loaded and unloaded
    """
    for resources, target in TARGETS.items():
        title = f"package_update, {resources} resource{'s' if resources > 1 else ''}"
        dataset_id = portal.dataset(resources)["id"]
        without, with_us = zip(*(_turn(portal, dataset_id) for _ in range(turns)), strict=True)
        yield from _times(title, without, with_us, target)
        yield _statements(title, without[-1][-1], with_us[-1][-1])


def _turn(portal: Portal, dataset_id: str) -> tuple[list[Save], list[Save]]:
    """Saves without the plugin, and saves with it."""
    portal.switch(on=False)
    without = [_save(portal, dataset_id) for _ in range(SAVES)]
    portal.switch(on=True)
    with_us = [_save(portal, dataset_id) for _ in range(SAVES)]
    return without[1:], with_us[1:]


def _times(title: str, without: tuple[list[Save]], with_us: tuple[list[Save]], target: float) -> Iterator[Figure]:
    """Each turn is compared with itself, as the machine's speed drifts."""
    base = [milliseconds(save.seconds for save in turn) for turn in without]
    recorded = [milliseconds(save.seconds - save.publishing_seconds for save in turn) for turn in with_us]
    published = milliseconds(save.publishing_seconds for turn in with_us for save in turn)
    added = median(ours - theirs for ours, theirs in zip(recorded, base, strict=True))
    base_told, recorded_told = (f"{median(times):.1f} ms" for times in (base, recorded))
    yield Figure(f"{title}: recording adds", recorded_told, f"unloaded: {base_told}", added, "ms", target)
    both_told = f"{median(recorded) + published:.1f} ms"
    yield Figure(f"{title}: publishing adds", both_told, f"recorded: {recorded_told}", published, "ms")


def _statements(title: str, without: Save, with_us: Save) -> Figure:
    told = f"{with_us.statements}, {with_us.publishing_statements} to publish"
    added = with_us.statements - without.statements
    return Figure(f"{title}: both add", told, f"unloaded: {without.statements}", added, "queries", STATEMENTS)


def _save(portal: Portal, dataset_id: str) -> Save:
    changed = {**portal.shown(dataset_id), "title": next(_titles)}
    with _publishing() as published, queries() as sent:
        taken = seconds(lambda: portal.act("package_update", **changed))
    return Save(taken, len(sent), *published)


@contextmanager
def _publishing() -> Iterator[list[float]]:
    """The seconds that publishing takes meanwhile and the statements that it sends; empty where there is none."""
    publish, taken = publisher.publish, []

    def watched(dataset_id: str, *, purge: bool = False) -> None:
        with queries() as sent:
            taken.append(seconds(lambda: publish(dataset_id, purge=purge)))
        taken.append(len(sent))

    publisher.publish = watched
    try:
        yield taken
    finally:
        publisher.publish = publish
