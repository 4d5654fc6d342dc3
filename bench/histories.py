"""A long history and many tags, against ``git`` on the same repository, and against a short history."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

from measure import Figure, in_turn, ratio
from portal import Portal

from ckanext.metastore import config, publisher
from ckanext.metastore.tests.ckan.lengthening import append

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
    titles = [f"Street trees {number}" for number in range(length - 2)]
    for start in range(0, len(titles), BATCH):
        append(dataset, titles[start : start + BATCH], user=portal.editor)
        publisher.publish(dataset_id)
    portal.act("package_patch", id=dataset_id, title="Trees of the city")


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
            sha = revision["id"]
            portal.act("dataset_tag_create", id=dataset_id, name=f"at-{sha[:12]}", revision_ref=sha)
    listed = _git(dataset_id, "for-each-ref", "refs/tags")
    ours, theirs = in_turn(lambda: portal.act("dataset_tag_list", id=dataset_id), listed, times)
    return ratio(f"{tags} tags", ours, "git for-each-ref", theirs, 2)


def _git(dataset_id: str, *arguments: str) -> Callable[[], object]:
    """The git program on the dataset's repository, from its start to its end."""
    repository = config.backend().repository_path(dataset_id)
    return lambda: subprocess.run(["git", "-C", repository, *arguments], check=True, capture_output=True)
