"""A GitHub that is slow, hangs or drips; many refs and long histories; and no room on our own disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ckanext.metastore.core.errors import Unavailable
from ckanext.metastore.core.objects import tag_object
from ckanext.metastore.core.types import TagUpdate
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE, titled
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import Fault

from .conftest import history
from .test_pushes import ASKING, NAME, PUSH, tags_of

FETCH: dict[str, Any] = {"kind": "git", "method": "POST", "path": "git-upload-pack$"}


@pytest.fixture
def backend(node):
    return node()


@pytest.fixture
def first(backend):
    return backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision


def children(github):
    """What still runs of the programs that push to this server."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if github.git_url.encode() in command and b"git" in command.split(b"\0")[0]:
            found.append(command)
    return found


# -- slow, hanging, dripping ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        lambda: Fault(hang=True, **ASKING),
        lambda: Fault(hang=True, **PUSH),
        lambda: Fault(drip=1, **ASKING),
        lambda: Fault(drip=1, **PUSH),
        lambda: Fault(delay=3600, **PUSH),
    ],
)
def test_an_endless_push_is_ended(github, backend, node, first, fault):
    impatient = node("node", timeout=1.5)
    fault = github.fail(fault())
    with pytest.raises(Unavailable):
        impatient.update(PACKAGE, document=titled("Two"), author=ADA)
    assert children(github) == []
    github.clear_faults()
    second = backend.update(PACKAGE, document=titled("Two"), author=ADA).revision
    assert history(github, NAME) == [second.id, first.id]


def test_an_endless_clone_is_ended_and_leaves_nothing(github, first, node, tmp_path):
    github.fail(Fault(drip=1, **FETCH))
    with pytest.raises(Unavailable):
        node("other", timeout=1).fetch(PACKAGE)
    assert list((tmp_path / "other").glob(".clone-*")) == []
    github.clear_faults()
    assert node("other").fetch(PACKAGE).revision.id == first.id


def test_whoever_waits_behind_an_endless_push_is_told(github, backend, node, first):
    github.fail(Fault(hang=True, **PUSH))
    impatient = node("node", timeout=1)
    failures = []

    def save():
        with pytest.raises(Unavailable) as failure:
            impatient.update(PACKAGE, document=titled("Two"), author=ADA)
        failures.append(failure.value)

    threads = [threading.Thread(target=save) for _ in range(3)]
    github.fail(Fault(hang=True, times=None, **PUSH))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failures) == 3
    assert history(github, NAME) == [first.id]


def test_what_a_killed_clone_has_left_is_cleared(backend, first, node, tmp_path):
    other = node("other")
    old, new = tmp_path / "other/.clone-old", tmp_path / "other/.clone-new"
    for folder in (old, new):
        (folder / "repository.git").mkdir(parents=True)
    os.utime(old, (time.time() - 3600, time.time() - 3600))
    assert other.fetch(PACKAGE).revision.id == first.id
    assert sorted(path.name for path in (tmp_path / "other").glob(".clone-*")) == [".clone-new"]


# -- a full disk on our side ----------------------------------------------------------------------------------------

_FULL = """
import resource, sys
from ckanext.metastore.backends.github import GitHubBackend
from ckanext.metastore.core.errors import Unavailable
from ckanext.metastore.testing.contract.base import ADA, PACKAGE, titled
path, token, api_url, git_url = sys.argv[1:]
backend = GitHubBackend(path, owner="city", token=token, api_url=api_url, git_url=git_url, timeout=30)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for call in (
    lambda: backend.update(PACKAGE, document=titled("Two"), author=ADA),
    lambda: backend.create("new", document=titled("New"), author=ADA),
):
    try:
        call()
    except Unavailable as error:
        print(type(error).__name__)
"""


@pytest.mark.parametrize("folder", ["node", "empty"])
def test_a_full_disk(github, backend, first, token, tmp_path, folder):
    arguments = [str(tmp_path / folder), token, github.api_url, github.git_url]
    result = subprocess.run(
        [sys.executable, "-c", _FULL, *arguments], env=os.environ, capture_output=True, text=True, check=False
    )
    assert (result.stdout.split(), result.stderr) == (["Unavailable", "Unavailable"], "")
    assert list(tmp_path.glob(f"{folder}/.clone-*")) == []
    assert history(github, NAME) == [first.id]
    second = backend.update(PACKAGE, document=titled("Two"), author=ADA).revision
    assert history(github, NAME) == [second.id, first.id]
    assert len(backend.create("new", document=DOCUMENT, author=ADA).revision.id) == 40


def test_no_folder_can_be_made(github, backend, first, node, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot clone the repository"):
        node("file/repositories").fetch(PACKAGE)


# -- much at once ---------------------------------------------------------------------------------------------------


def test_thousands_of_tags_at_once(github, backend, first):
    names = [f"{'long-' * 36}{number}" for number in range(1100)]
    tags = [TagUpdate(name, True, _tag(name, first.id)) for name in names]
    github.forget_requests()
    backend.publish(PACKAGE, tags=tags)
    assert sorted(tags_of(github)) == sorted(names)
    assert github.pushes == 3
    backend.publish(PACKAGE, tags=[TagUpdate(name, True, None) for name in names])
    assert tags_of(github) == []


def test_a_branch_of_another_name(github, node, tmp_path):
    backend = node(branch="data/history")
    first = backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision
    shutil.rmtree(tmp_path / "node")
    second = backend.update(PACKAGE, document=titled("Two"), author=ADA).revision
    assert git("rev-list", "data/history", cwd=github.repository(NAME).path).split() == [second.id, first.id]
    assert github.repository(NAME).default_branch == "data/history"


def test_a_history_of_ten_thousand_revisions(github, backend, first, node):
    path = github.repository(NAME).path
    tree = git("rev-parse", "main^{tree}", cwd=path).strip()
    commits = [
        f"commit refs/heads/main\nmark :{mark}\ncommitter A <a@b.c> {4000000000 + mark} +0000\ndata 1\n{mark % 10}\n"
        + (f"from {first.id}\n" if mark == 1 else "")
        for mark in range(1, 10_001)
    ]
    git("fast-import", "--quiet", cwd=path, stdin="".join(commits).encode())
    assert git("rev-parse", "main^{tree}", cwd=path).strip() == tree
    head = backend.update(PACKAGE, document=titled("Two"), author=ADA).revision
    other = node("other")
    assert [revision.id for revision in other.revision_list(PACKAGE, limit=1)] == [head.id]
    assert other.fetch(PACKAGE, revision_ref=first.id).document == DOCUMENT
    assert len(history(github, NAME)) == 10_002


def _tag(name, sha):
    return tag_object(name=name, target=sha, tagger=ADA, timestamp=1_700_000_000, message="")
