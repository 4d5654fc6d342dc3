"""Many writers of one package, threads and processes: one chain, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from ckanext.metastore.core import Author, Backend, Conflict, NotFound, Revision, Unavailable
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE, Contract, titled
from ckanext.metastore.testing.contract.publishing import chain, tagged

WORKERS = 4
SAVES = 10

Race = Callable[[Callable[[Backend, int], Any], Backend], list[Any]]


def save(backend: Backend, worker: int) -> list[str]:
    """Save several states; give the ids of the revisions."""
    author = Author(f"Worker {worker}", f"worker{worker}@example.org")
    return [
        backend.update(PACKAGE, document=titled(f"{worker}.{number}"), author=author).revision.id
        for number in range(SAVES)
    ]


def create(backend: Backend, worker: int) -> str | None:
    """Try to create the package; give the revision's id."""
    try:
        return backend.create(PACKAGE, document=titled(f"{worker}"), author=ADA).revision.id
    except Conflict:
        return None


def add_line(backend: Backend, worker: int) -> None:
    """Add lines to the description by compare-and-swap, however often it takes."""
    for number in range(SAVES):
        while not _try_to_add(backend, f"{worker}.{number}\n"):
            pass


def _try_to_add(backend: Backend, line: str) -> bool:
    package = backend.fetch(PACKAGE)
    document = {**package.document, "description": package.document.get("description", "") + line}
    try:
        backend.update(PACKAGE, document=document, author=ADA, base_revision=package.revision.id)
    except Conflict:
        return False
    return True


def publish(backend: Backend, worker: int) -> None:
    """Publish the same revisions and tags as everybody else does."""
    public = chain(backend, SAVES)
    private = chain(backend, SAVES, public=False, head=public[0].head)
    tags = [tagged(public[-1], "v1"), tagged(private[0], "secret")]
    backend.publish(PACKAGE, revisions=[public[0], *private, *public[1:]], tags=tags)


def tag(backend: Backend, worker: int) -> bool:
    """Try to make the one tag."""
    try:
        backend.tag_create(PACKAGE, name="v1", author=ADA, description=str(worker))
    except Conflict:
        return False
    return True


def _threads() -> Executor:
    return ThreadPoolExecutor(WORKERS)


def _processes() -> Executor:
    return ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"))


class ConcurrencyContract(Contract):
    """Races."""

    @pytest.fixture(scope="class", params=[_threads, _processes], ids=["threads", "processes"])
    @classmethod
    def executor(cls, request: pytest.FixtureRequest) -> Iterator[Executor]:
        """Give the workers; they are started once for all races."""
        with request.param() as executor:
            yield executor

    @pytest.fixture
    def workers(self, executor: Executor) -> Race:
        """Give a function that runs a job with each worker's number at once, and gives what they returned."""

        def run(job: Callable[[Backend, int], Any], backend: Backend) -> list[Any]:
            return list(executor.map(job, [backend] * WORKERS, range(WORKERS)))

        return run

    def test_saves_make_one_chain(self, backend: Backend, workers: Race) -> None:
        root = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision
        saved = [sha for shas in workers(save, backend) for sha in shas]
        revisions = backend.revision_list(PACKAGE, limit=1000)
        assert {revision.id for revision in revisions} == {*saved, root.id}
        assert len(revisions) == WORKERS * SAVES + 1
        _assert_one_chain(revisions)

    def test_no_edit_is_lost(self, backend: Backend, workers: Race) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        workers(add_line, backend)
        lines = backend.fetch(PACKAGE).document["description"].split()
        assert sorted(lines) == sorted(f"{worker}.{number}" for worker in range(WORKERS) for number in range(SAVES))
        _assert_one_chain(backend.revision_list(PACKAGE, limit=1000))

    def test_only_one_creates(self, backend: Backend, workers: Race) -> None:
        created = [sha for sha in workers(create, backend) if sha]
        assert [revision.id for revision in backend.revision_list(PACKAGE)] == created

    def test_only_one_makes_a_tag(self, backend: Backend, workers: Race) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        made = workers(tag, backend)
        assert made.count(True) == 1
        assert backend.tag_fetch(PACKAGE, tag="v1").description == str(made.index(True))

    def test_all_publish_the_same(self, backend: Backend, workers: Race) -> None:
        workers(publish, backend)
        expected = [revision.sha for revision in reversed(chain(backend, SAVES))]
        assert [revision.id for revision in backend.revision_list(PACKAGE)] == expected
        assert [tag.name for tag in backend.tag_list(PACKAGE)] == ["v1"]

    def test_purge_among_saves(self, backend: Backend, workers: Race) -> None:
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        workers(_save_or_purge, backend)
        backend.purge(PACKAGE)
        assert backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision.parents == ()


def _save_or_purge(backend: Backend, worker: int) -> None:
    try:
        backend.purge(PACKAGE) if worker == 0 else save(backend, worker)
    except (NotFound, Unavailable):
        # Gone before it was looked for, or while it was being read.
        assert worker != 0


def _assert_one_chain(revisions: list[Revision]) -> None:
    assert [revision.parents for revision in revisions] == [(older.id,) for older in revisions[1:]] + [()]
