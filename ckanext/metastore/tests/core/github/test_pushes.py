"""Pushes that are refused, lost, slow or endless; a disk that is full. Nothing is ever there twice, or half."""

from __future__ import annotations

from typing import Any

import pytest

from ckanext.metastore.backends.git import transport
from ckanext.metastore.core.errors import Invalid, NotFound, RateLimited, Unauthorized, Unavailable
from ckanext.metastore.core.record import record_tag
from ckanext.metastore.core.types import Author, Site, TagUpdate
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE, titled
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import Fault

from .conftest import history

PUSH: dict[str, Any] = {"kind": "git", "method": "POST", "path": "git-receive-pack$"}
ASKING: dict[str, Any] = {"kind": "git", "method": "GET", "path": "git-receive-pack$"}
NAME = f"city/{PACKAGE}"


def tags_of(github, name=NAME):
    return git("tag", "--list", cwd=github.repository(name).path).split()


@pytest.fixture
def backend(node):
    return node()


@pytest.fixture
def first(backend):
    return backend.create(PACKAGE, document=DOCUMENT, author=ADA).revision


# -- refused --------------------------------------------------------------------------------------------------------


def test_a_protected_branch(github, backend, first):
    github.protect(NAME, "main")
    with pytest.raises(Unauthorized, match=r"protected branch hook declined.*through a pull request"):
        backend.update(PACKAGE, document=titled("Two"), author=ADA)
    assert history(github, NAME) == [first.id]
    assert backend.fetch(PACKAGE).revision.id == first.id
    github.unprotect(NAME, "main")
    second = backend.update(PACKAGE, document=titled("Two"), author=ADA).revision
    assert history(github, NAME) == [second.id, first.id]


def test_a_hook_that_says_why(github, backend, first):
    github.set_hook(NAME, "#!/bin/sh\necho 'file not found: the licence' >&2\nexit 1\n")
    with pytest.raises(Unauthorized, match=r"pre-receive hook declined.*file not found: the licence"):
        backend.update(PACKAGE, document=titled("Two"), author=ADA)
    with pytest.raises(Unauthorized, match="pre-receive hook declined"):
        backend.tag_create(PACKAGE, name="v1", author=ADA)
    assert (history(github, NAME), tags_of(github)) == ([first.id], [])
    assert backend.tag_list(PACKAGE) == []


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("!\tmain:main\t[remote rejected] (Internal Server Error)", Unavailable),
        ("remote: fatal: no space\n!\tmain:main\t[remote rejected] (unpacker error)", Unavailable),
        ("!\tmain:main\t[remote rejected] (atomic transaction failed)", Unavailable),
        ("!\tmain:main\t[remote rejected] (push declined due to repository rule violations)", Unauthorized),
        ("!\tv1:v1\t[remote rejected] (cannot lock ref 'refs/tags/v1': reference already exists)", transport.Moved),
        ("!\tmain:main\t[remote rejected] (failed to update ref)", transport.Moved),
        (
            "!\tmain:main\t[remote rejected] (atomic transaction failed)\n"
            "remote: error: cannot lock ref 'refs/heads/main': is at 1 but expected 2",
            transport.Moved,
        ),
        ("!\tmain:main\t[rejected] (stale info)\n!\tv1:v1\t[rejected] (atomic push failed)", transport.Moved),
        ("remote: Repository not found.\nfatal: repository 'https://x/' not found", NotFound),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", Unavailable),
        ("fatal: unable to access 'https://x/': SSL: the issuer's certificate was not found", Unavailable),
        ("remote: You have exceeded a secondary rate limit.\nThe requested URL returned error: 403", RateLimited),
        ("fatal: write error: No space left on device", Unavailable),
    ],
)
def test_what_a_push_may_say(said, error):
    assert type(transport._error("https://x/", said)) is error


def test_unknown_lfs_objects(github, node):
    resource = {"name": "trees", "path": "https://data.example/trees.csv", "bytes": 7, "hash": "sha256:" + "ab" * 32}
    document = {**DOCUMENT, "resources": [resource]}
    with pytest.raises(NotFound):
        node().fetch(PACKAGE)
    site = Site(Author("City", "city@example.org"), lfs_url="https://lfs.example/{id}")
    backend = node(site=site)
    first = backend.create(PACKAGE, document=document, author=ADA).revision
    pointer = git("show", "main:data/trees.csv", cwd=github.repository(NAME).path)
    assert "ab" * 32 in pointer
    assert history(github, NAME) == [first.id]
    # The host's hook takes pointers whose `.lfsconfig` names another server; and it refuses those that it must know.
    github.set_hook(NAME, "#!/bin/sh\necho 'GH008: Your push referenced 1 unknown Git LFS object:' >&2\nexit 1\n")
    with pytest.raises(Invalid, match="GH008"):
        backend.update(PACKAGE, document={**document, "title": "Two"}, author=ADA)
    assert history(github, NAME) == [first.id]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (lambda: Fault.bad_credentials(**ASKING, times=None), Unauthorized),
        (lambda: Fault.refusal(403, "Permission denied", **ASKING), Unauthorized),
        (lambda: Fault.not_found(**ASKING), NotFound),
        (lambda: Fault.not_found(**PUSH), NotFound),
        (lambda: Fault.refusal(429, "Too many", **ASKING), RateLimited),
        (lambda: Fault.refusal(429, "Too many", **PUSH), RateLimited),
        (lambda: Fault.server_error(500, **PUSH), Unavailable),
        (lambda: Fault.server_error(503, **ASKING), Unavailable),
        (lambda: Fault(drop="before", **ASKING), Unavailable),
        (lambda: Fault(drop="before", **PUSH), Unavailable),
        (lambda: Fault(truncate=True, **ASKING), Unavailable),
    ],
)
def test_a_push_fails_and_then_works(github, backend, first, fault, error):
    fault = github.fail(fault())
    with pytest.raises(error) as failure:
        backend.update(PACKAGE, document=titled("Two"), author=ADA)
    assert fault.hits
    if isinstance(failure.value, RateLimited):
        assert failure.value.retry_after == 60
    assert history(github, NAME) == [first.id]
    assert backend.fetch(PACKAGE).revision.id == first.id
    github.clear_faults()
    second = backend.update(PACKAGE, document=titled("Two"), author=ADA).revision
    assert history(github, NAME) == [second.id, first.id]


# -- lost answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.lost_answer, lambda **where: Fault(truncate=True, **where)])
def test_a_push_arrives_and_nobody_says_so(github, backend, first, fault):
    second = backend.record(PACKAGE, document=titled("Two"), author=ADA, head=_head(backend))
    tag = record_tag(name="v2", revision_id=second.sha, author=ADA)
    fault = github.fail(fault(**PUSH))
    with pytest.raises(Unavailable):
        backend.publish(PACKAGE, revisions=[second], tags=[TagUpdate("v2", True, tag)])
    assert len(fault.hits) == 1
    assert backend.fetch(PACKAGE).revision.id == first.id
    for _ in range(2):
        backend.publish(PACKAGE, revisions=[second], tags=[TagUpdate("v2", True, tag)])
        assert (history(github, NAME), tags_of(github)) == ([second.sha, first.id], ["v2"])
        assert backend.fetch(PACKAGE).revision.id == second.sha
        assert backend.tag_fetch(PACKAGE, tag="v2").revision_id == second.sha


def test_the_first_push_arrives_and_nobody_says_so(github, backend):
    first = backend.record(PACKAGE, document=DOCUMENT, author=ADA)
    github.fail(Fault.lost_answer(**PUSH))
    with pytest.raises(Unavailable):
        backend.publish(PACKAGE, revisions=[first])
    backend.publish(PACKAGE, revisions=[first])
    assert history(github, NAME) == [first.sha]


@pytest.mark.parametrize("fault", [Fault.lost_answer, lambda **where: Fault(truncate=True, **where)])
def test_a_verb_whose_push_arrives_unheard(github, backend, first, fault):
    github.fail(fault(**PUSH))
    with pytest.raises(Unavailable):
        backend.update(PACKAGE, document=titled("Two"), author=ADA)
    second = backend.update(PACKAGE, document=titled("Two"), author=ADA)
    assert second.document == titled("Two")
    assert history(github, NAME) == [second.revision.id, first.id]


def test_a_push_refused_leaves_neither_branch_nor_tag(github, backend, first):
    second = backend.record(PACKAGE, document=titled("Two"), author=ADA, head=_head(backend))
    tag = record_tag(name="v2", revision_id=second.sha, author=ADA)
    github.set_hook(NAME, "#!/bin/sh\ngrep -q refs/tags && exit 1\nexit 0\n")
    with pytest.raises(Unauthorized):
        backend.publish(PACKAGE, revisions=[second], tags=[TagUpdate("v2", True, tag)])
    assert (history(github, NAME), tags_of(github)) == ([first.id], [])


def _head(backend):
    return backend._history(PACKAGE).head
