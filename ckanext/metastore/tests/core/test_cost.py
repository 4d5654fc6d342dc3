"""How many Git objects each verb reads and writes: numbers that no machine changes.

Where a number is lower now: well done, write it down. Where it is higher, somebody pays for it at each call.
"""

from __future__ import annotations

import gc
import os
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE, titled
from ckanext.metastore.tests.counting import objects

TAGS = 5
WALK = 6
"""Commits that libgit2 reads ahead when it walks a history."""


class Cost(NamedTuple):
    read: int
    written: int


@pytest.fixture
def backend(tmp_path):
    return GitBackend(tmp_path)


@pytest.fixture
def cost(tmp_path):
    """What a call costs."""

    def measure(call):
        with objects(tmp_path) as counted:
            call()
        return Cost(counted.read, counted.written)

    return measure


@pytest.fixture
def save(backend):
    """Save a title that was never there."""
    titles = map(str, count())
    return lambda: backend.update(PACKAGE, document=titled(next(titles)), author=ADA)


@pytest.fixture
def history(backend, save):
    """The shas of 60 revisions, newest first; the newest of them are tagged."""
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    for _ in range(59):
        save()
    revisions = [revision.id for revision in backend.revision_list(PACKAGE, limit=60)]
    for number, sha in enumerate(revisions[:TAGS]):
        backend.tag_create(PACKAGE, name=f"v{number}", author=ADA, revision_ref=sha)
    return revisions


def test_first_save(cost, backend):
    """Two blobs, a tree, a commit."""
    assert cost(lambda: backend.create(PACKAGE, document=DOCUMENT, author=ADA)).written == 4


def test_publish(cost, backend, history):
    """Git looks whether what the branch is to point to is a commit."""
    head = backend._history(PACKAGE).head
    revision = backend.record(PACKAGE, document=titled("The next"), author=ADA, head=head)
    assert cost(lambda: backend.publish(PACKAGE, revisions=[revision])) == Cost(read=1, written=4)
    assert cost(lambda: backend.publish(PACKAGE, revisions=[revision])) == Cost(read=0, written=0)


def test_load(cost, backend, history):
    """A commit, a tree, a blob."""
    assert cost(lambda: backend.load(PACKAGE, sha=history[50])) == Cost(read=3, written=0)


def test_update(cost, history, save):
    """The head's commit and tree; a look whether the new head is a commit; what a fetch takes."""
    assert cost(save) == Cost(read=2 + 1 + 3 + TAGS, written=4)


def test_update_that_changes_nothing(cost, backend, history, save):
    document = save().document
    update = cost(lambda: backend.update(PACKAGE, document=document, author=ADA))
    assert update == Cost(read=2 + 3 + TAGS, written=0)


@pytest.mark.parametrize("ref", ["HEAD", "v4"])
def test_fetch(cost, backend, history, ref):
    """A commit, a tree, a blob, and all tags: one may point here."""
    assert cost(lambda: backend.fetch(PACKAGE, revision_ref=ref)) == Cost(read=3 + TAGS, written=0)


@pytest.mark.parametrize("place", [0, 40])
def test_fetch_by_sha(cost, backend, history, place):
    """The commits on the way are read too: is it one of this branch?"""
    assert cost(lambda: backend.fetch(PACKAGE, revision_ref=history[place])).read <= 3 + TAGS + place + WALK


@pytest.mark.parametrize("offset", [0, 40])
def test_revision_list(cost, backend, history, offset):
    """What is listed is read twice, what is passed over once."""
    assert cost(lambda: backend.revision_list(PACKAGE, offset=offset)).read <= 2 * 20 + TAGS + offset + WALK


def test_tag_list(cost, backend, history):
    assert cost(lambda: backend.tag_list(PACKAGE)) == Cost(read=TAGS, written=0)


def test_tag_create(cost, backend, history):
    """The look whether the tag is one, and the tag."""
    assert cost(lambda: backend.tag_create(PACKAGE, name="new", author=ADA)) == Cost(read=2, written=1)


def test_diff(cost, backend, history):
    """Twice a commit, a tree, a blob."""
    diff = cost(lambda: backend.diff(PACKAGE, revision_ref_a=history[1], revision_ref_b=history[0]))
    assert diff.read <= 2 * (3 + WALK)


def test_memory_stays_flat(backend):
    """Neither we nor pygit2 keep anything of a read; a kilobyte each time would be three megabytes here."""
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    held = []
    for _ in range(2):
        for _ in range(3000):
            backend.fetch(PACKAGE)
        gc.collect()
        held.append(resident())
    assert held[1] - held[0] < 1_000_000


def resident() -> int:
    """The process's memory, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
