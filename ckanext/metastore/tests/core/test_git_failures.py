"""The ``git`` backend when things go wrong: broken files, full disks, locks, and processes that are killed."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone

import pytest

from ckanext.metastore.backends.git import GitBackend, folder, repository
from ckanext.metastore.core import Unavailable
from ckanext.metastore.core.document import DOCUMENT_PATH, README_PATH
from ckanext.metastore.core.objects import blob
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, OTHER, PACKAGE, titled
from ckanext.metastore.testing.contract.publishing import chain
from ckanext.metastore.testing.git import check_integrity, git, object_ids
from ckanext.metastore.tests.core.processes import run_python


def test_a_path_that_is_a_file(root):
    root.write_text("not a folder")
    backend = GitBackend(root)
    with pytest.raises(Unavailable):
        backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    with pytest.raises(Unavailable):
        backend.purge(PACKAGE)


def test_a_damaged_object(backend, public):
    revision = backend.record(PACKAGE, document=DOCUMENT, author=ADA)
    backend.publish(PACKAGE, revisions=[revision])
    document, readme, tree, commit = revision.objects
    for item, path in [(document, DOCUMENT_PATH), (readme, README_PATH), (tree, README_PATH), (commit, README_PATH)]:
        file = public / "objects" / item.sha[:2] / item.sha[2:]
        data = file.read_bytes()
        file.chmod(0o644)
        file.write_bytes(b"garbage")
        with pytest.raises(Unavailable):
            backend.load(PACKAGE, sha=revision.sha, path=path)
        file.write_bytes(data)
    assert backend.fetch(PACKAGE).document == DOCUMENT


def test_a_ref_that_is_locked(backend, public, monkeypatch):
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    monkeypatch.setattr(repository, "LOCK_PAUSE", 0.001)
    lock = public / "refs/heads/main.lock"
    lock.touch()
    with pytest.raises(Unavailable, match=r"main\.lock"):
        backend.update(PACKAGE, document=titled("2"), author=ADA)
    assert backend.fetch(PACKAGE).document == DOCUMENT
    lock.unlink()
    backend.update(PACKAGE, document=titled("2"), author=ADA)


@pytest.mark.parametrize("lock", ["refs/heads/main.lock", "refs/tags/v1.lock", "packed-refs.lock"])
def test_a_lock_that_a_killed_process_left(backend, public, lock):
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    (public / lock).touch()
    os.utime(public / lock, (0, time.time() - repository.STALE_LOCK_AGE - 1))
    backend.update(PACKAGE, document=titled("2"), author=ADA)
    backend.tag_create(PACKAGE, name="v1", author=ADA)
    backend.tag_delete(PACKAGE, tag="v1")
    assert not (public / lock).exists()


def test_a_folder_that_is_locked(backend, root, monkeypatch):
    monkeypatch.setattr(folder, "LOCK_TIMEOUT", 0.05)
    (root / "6f").mkdir(parents=True)
    with (root / "6f/.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="another process"):
            backend.create(PACKAGE, document=DOCUMENT, author=ADA)
        backend.create(OTHER, document=DOCUMENT, author=ADA)
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)


def test_what_was_cut_off_is_cleared_away(backend, root, public):
    for name in (f".new-{public.name}", f".gone-{public.name}"):
        (root / "6f" / name / "objects").mkdir(parents=True)
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    backend.purge(PACKAGE)
    assert [path.name for path in (root / "6f").iterdir()] == [".lock"]


SAVE_ON_A_FULL_DISK = """
import resource, signal, sys
from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.core import Author, Unavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    GitBackend(sys.argv[1]).update(sys.argv[2], document={"title": "2"}, author=Author("Ada", "ada@example.org"))
except Unavailable:
    print("unavailable")
"""


@pytest.mark.parametrize("room", [0, 60, 130])
def test_a_full_disk(backend, root, public, room):
    package = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    assert run_python(SAVE_ON_A_FULL_DISK, str(root), PACKAGE, str(room)).stdout == b"unavailable\n"
    assert backend.fetch(PACKAGE) == package
    check_integrity(public)
    assert backend.update(PACKAGE, document={"title": "2"}, author=ADA).revision.parents == (package.revision.id,)


SAVE_FOREVER = """
import sys
from itertools import count
from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.core import Author
backend = GitBackend(sys.argv[1])
for number in count():
    document = {"title": f"{sys.argv[3]}.{number}"}
    revision = backend.update(sys.argv[2], document=document, author=Author("Ada", "ada@example.org")).revision
    print(revision.id, flush=True)
"""


def test_killed_while_saving(backend, root, public):
    """What a process said it had saved is there; what it was at when it died is there or not, but nothing is broken."""
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    saved: list[str] = []
    for attempt in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE_FOREVER, str(root), PACKAGE, str(attempt)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        saved += [process.stdout.readline().strip() for _ in range(3 + attempt)]
        process.send_signal(signal.SIGKILL)
        saved += process.stdout.read().split()
        process.wait()
        for lock in public.rglob("*.lock"):
            os.utime(lock, (0, 0))
    check_integrity(public)
    backend.update(PACKAGE, document=titled("after all"), author=ADA)
    kept = [revision.id for revision in backend.revision_list(PACKAGE, limit=10_000)]
    assert {sha for sha in saved if len(sha) == 40} <= set(kept)


def test_a_replay_after_objects_but_before_the_ref(backend, public):
    first, second = chain(backend, 2)
    backend.publish(PACKAGE, revisions=[first])
    for item in second.objects:
        git("hash-object", "-t", item.type, "-w", "--stdin", cwd=public, stdin=item.data)
    backend.publish(PACKAGE, revisions=[first, second])
    assert backend.revision_fetch(PACKAGE).id == second.sha


def test_what_is_there_is_not_written_again(backend, public):
    first = chain(backend, 1)[0]
    backend.publish(PACKAGE, revisions=[first])
    count = len(object_ids(public))
    backend.update(PACKAGE, document={**titled("0"), "version": "2"}, author=ADA)
    assert len(object_ids(public)) == count + 3  # the document, the tree, the commit


def test_two_documents_of_the_same_bytes(backend):
    """Git stores what is equal once, also across a deletion."""
    time_ = datetime(2026, 1, 1, tzinfo=timezone.utc)
    first = backend.create(PACKAGE, document=DOCUMENT, author=ADA, timestamp=time_)
    backend.delete(PACKAGE, author=ADA)
    again = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    assert again.document == first.document
    assert blob(backend.load(PACKAGE, sha=again.revision.id)).sha in object_ids(backend.repository_path(PACKAGE))
