"""A long history and many tags, against ``git`` on the same repository, and against a short history."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator

from ckan import model
from measure import Figure, in_turn, ratio
from portal import Dataset, Portal

from ckanext.metastore import authors, config, mapper, publisher
from ckanext.metastore.core.types import utc
from ckanext.metastore.model.ledger import Ledger

BATCH = 250
"""Revisions in one transaction."""


def figures(portal: Portal, length: int, tags: int, times: int) -> Iterator[Figure]:
    """Listing revisions and tags, and saving.

    :param length: how many revisions the long history has
    :param tags: how many tags are listed
    :param times: how often each call is made
    """
    long, short = portal.dataset()["id"], portal.dataset()["id"]
    lengthen(portal, long, length)
    lengthen(portal, short, 10)
    yield from _pages(portal, long, length, times)
    yield _saves(portal, long, short, times)
    yield _tags(portal, long, tags, times)


def lengthen(portal: Portal, dataset_id: str, length: int) -> None:
    """Bring a new dataset's history to a length, by the steps of a save but for CKAN's own; the last is a real save."""
    dataset = portal.shown(dataset_id)
    for first in range(1, length - 1, BATCH):
        _append(portal, dataset, range(first, min(first + BATCH, length - 1)))
        publisher.publish(dataset_id)
    portal.act("package_patch", id=dataset_id, title="Trees of the city")


def _append(portal: Portal, dataset: Dataset, numbers: range) -> None:
    ledger = Ledger.lock(model.Session, dataset["id"])
    author, user_id, user = authors.author(portal.editor)
    for number in numbers:
        revision = config.backend().record(
            dataset["id"],
            document=mapper.to_document({**dataset, "title": f"Street trees {number}"}),
            author=author,
            timestamp=utc(int(time.time())),
            user=user,
            head=ledger.public_head,
        )
        ledger.append(revision, user_id=user_id)
    model.Session.commit()


def _pages(portal: Portal, dataset_id: str, length: int, times: int) -> Iterator[Figure]:
    def page(offset: int) -> Callable[[], object]:
        return lambda: portal.act("dataset_revision_list", id=dataset_id, limit=20, offset=offset)

    ours, theirs = in_turn(page(0), _git(dataset_id, "log", "-n", "20"), times)
    yield ratio(f"First page of {length} revisions", ours, "git log -n 20", theirs, 2)
    last, first = in_turn(page(length - 20), page(0), times)
    yield ratio(f"Last page of {length} revisions", last, "the first", first, 5)


def _saves(portal: Portal, long: str, short: str, times: int) -> Figure:
    def save(dataset_id: str) -> Callable[[], object]:
        titles = (f"Trees {number}" for number in range(times + 1))
        return lambda: portal.act("package_patch", id=dataset_id, title=next(titles))

    ours, theirs = in_turn(save(long), save(short), times)
    return ratio("Save with the long history", ours, "with 10 revisions", theirs, 1.3)


def _tags(portal: Portal, dataset_id: str, tags: int, times: int) -> Figure:
    for start in range(0, tags, 100):
        for revision in portal.act("dataset_revision_list", id=dataset_id, limit=100, offset=start):
            portal.act(
                "dataset_tag_create", id=dataset_id, name=f"at-{revision['id'][:12]}", revision_ref=revision["id"]
            )
    ours, theirs = in_turn(
        lambda: portal.act("dataset_tag_list", id=dataset_id), _git(dataset_id, "for-each-ref", "refs/tags"), times
    )
    return ratio(f"{tags} tags", ours, "git for-each-ref", theirs, 2)


def _git(dataset_id: str, *arguments: str) -> Callable[[], object]:
    """The git program on the dataset's repository, from its start to its end."""
    repository = config.backend().repository_path(dataset_id)
    return lambda: subprocess.run(["git", "-C", repository, *arguments], check=True, capture_output=True)
