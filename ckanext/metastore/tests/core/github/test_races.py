"""Two machines and four workers, who do the same at once. Threads, and processes."""

from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime, timezone
from multiprocessing import get_context

import pytest

from ckanext.metastore.core.errors import Conflict
from ckanext.metastore.testing.contract.base import ADA, PACKAGE, titled
from ckanext.metastore.testing.git import check_integrity, git

from .conftest import NAME, history

SAVES = 4
MOMENT = datetime(2026, 1, 1, tzinfo=timezone.utc)


def save(backend, worker):
    return [
        backend.update(PACKAGE, document=titled(f"{worker}.{number}"), author=ADA).revision.id
        for number in range(SAVES)
    ]


def create(backend, worker):
    try:
        return backend.create(PACKAGE, document=titled(str(worker)), author=ADA).revision.id
    except Conflict:
        return None


def tag(backend, worker):
    try:
        backend.tag_create(PACKAGE, name="v1", author=ADA, description=str(worker))
    except Conflict:
        return False
    return True


def describe(backend, worker):
    for number in range(SAVES):
        backend.tag_update(PACKAGE, tag="v1", author=ADA, description=f"{worker}.{number}")
    return f"{worker}.{SAVES - 1}"


def look(backend, _worker):
    return backend.fetch(PACKAGE).revision.id


def publish(backend, _worker):
    revisions, head = [], None
    for number in range(SAVES):
        revision = backend.record(PACKAGE, document=titled(str(number)), author=ADA, timestamp=MOMENT, head=head)
        revisions.append(revision)
        head = revision.head
    backend.publish(PACKAGE, revisions=revisions)
    return [revision.sha for revision in reversed(revisions)]


@pytest.fixture(scope="module", params=["threads", "processes"])
def executor(request):
    """The workers; they are started once for all races."""
    threads = request.param == "threads"
    with ThreadPoolExecutor(4) if threads else ProcessPoolExecutor(4, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.fixture
def race(executor, node):
    """A function that runs a job on two nodes, twice on each, at once."""
    backends = [node("one"), node("two"), node("one"), node("two")]
    return lambda job: list(executor.map(job, backends, range(4)))


def test_saves_make_one_chain(github, race, first):
    saved = [sha for shas in race(save) for sha in shas]
    assert len(set(saved)) == 4 * SAVES
    assert set(history(github, NAME)) == {*saved, first.id}
    merges = git("rev-list", "--merges", "main", cwd=github.repository(NAME).path)
    assert merges == ""


def test_only_one_creates(github, race):
    created = [sha for sha in race(create) if sha]
    assert history(github, NAME) == created


def test_all_publish_the_same(github, race):
    assert race(publish) == [history(github, NAME)] * 4


def test_only_one_makes_a_tag(github, race, first, node):
    made = race(tag)
    assert made.count(True) == 1
    assert node("three").tag_fetch(PACKAGE, tag="v1").description == str(made.index(True))


def test_a_tag_that_all_describe(race, first, one, node):
    one.tag_create(PACKAGE, name="v1", author=ADA)
    last = race(describe)
    assert node("three").tag_fetch(PACKAGE, tag="v1").description in last


def test_all_clone_at_once(race, first, tmp_path):
    shutil.rmtree(tmp_path / "one")
    assert race(look) == [first.id] * 4
    assert list(tmp_path.glob("*/.clone-*")) == []
    check_integrity(next((tmp_path / "one").glob(f"*/{PACKAGE}.git")))
