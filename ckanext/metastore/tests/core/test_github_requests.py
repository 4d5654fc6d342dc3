"""How many requests each verb of the ``github`` backend takes, and that asking less first loses nothing."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone

import pytest

from ckanext.metastore.backends.github import GitHubBackend
from ckanext.metastore.core.errors import Conflict
from ckanext.metastore.core.types import Profile
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE, titled
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import StandIn

PUSH = ["GET git 200", "POST git 200"]
FETCH = PUSH


@pytest.fixture
def github(tmp_path):
    with StandIn(tmp_path / "github") as server:
        server.add_user("ada")
        server.add_organization("city", members=["ada"])
        yield server


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "repositories"


@pytest.fixture
def make(github, folder):
    token = github.issue_token("ada")

    def backend(**options):
        urls = {"api_url": github.api_url, "git_url": github.git_url}
        return GitHubBackend(folder, owner="city", token=token, **urls, **options)

    return backend


@pytest.fixture
def backend(make):
    return make()


@pytest.fixture
def asked(github):
    def requests(call):
        github.forget_requests()
        call()
        return [f"{request.method} {request.kind} {request.status}" for request in github.requests]

    return requests


class Registry(dict):
    """In place of a database."""

    put = dict.__setitem__
    forget = dict.__delitem__

    def elsewhere(self, package_id):
        return None


def test_what_each_verb_asks(backend, folder, asked):
    first = asked(lambda: backend.create(PACKAGE, document=DOCUMENT, author=ADA))
    assert first == ["GET git 404", "POST rest 201", *PUSH]
    assert asked(lambda: backend.update(PACKAGE, document=titled("Two"), author=ADA)) == PUSH
    assert asked(lambda: backend.update(PACKAGE, document=titled("Two"), author=ADA)) == []
    assert asked(lambda: backend.tag_create(PACKAGE, name="v1", author=ADA)) == PUSH
    assert asked(lambda: backend.tag_update(PACKAGE, tag="v1", author=ADA, name="v2")) == PUSH
    assert asked(lambda: backend.tag_delete(PACKAGE, tag="v2")) == PUSH
    for read in (backend.fetch, backend.revision_list, backend.tag_list):
        assert asked(lambda read=read: read(PACKAGE)) == []
    shutil.rmtree(folder)
    assert asked(lambda: backend.fetch(PACKAGE)) == FETCH
    shutil.rmtree(folder)
    assert asked(lambda: backend.update(PACKAGE, document=titled("Three"), author=ADA)) == [*FETCH, *PUSH]
    assert asked(lambda: backend.purge(PACKAGE)) == ["GET rest 200", "DELETE rest 204"]


def test_with_a_registry_a_history_begins_with_one_request_and_one_push(make, folder, asked, github):
    backend = make(registry=Registry())
    recorded = [backend.record(PACKAGE, document=DOCUMENT, author=ADA)]
    profile = Profile("city", "trees")

    def publish():
        backend.publish(PACKAGE, revisions=recorded, public=True, profile=profile)

    assert asked(publish) == ["POST rest 201", *PUSH]
    shutil.rmtree(folder)
    publish()
    assert git("rev-list", "main", cwd=github.repository("city/trees").path).split() == [recorded[0].sha]
    assert backend.fetch(PACKAGE).revision.id == recorded[0].sha


def test_a_package_that_this_node_does_not_know_exists_already(backend, folder, github):
    there = backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    shutil.rmtree(folder)
    with pytest.raises(Conflict) as refused:
        backend.create(PACKAGE, document=titled("Another"), author=ADA)
    assert refused.value.current == there.revision
    assert [revision.id for revision in backend.revision_list(PACKAGE)] == [there.revision.id]


def test_one_that_was_deleted_is_taken_up_again(backend, folder):
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)  # the same: so it would be the same revision
    backend.create(PACKAGE, document=DOCUMENT, author=ADA, timestamp=moment)
    gone = backend.delete(PACKAGE, author=ADA)
    shutil.rmtree(folder)
    again = backend.create(PACKAGE, document=DOCUMENT, author=ADA, timestamp=moment)
    assert again.revision.parents == (gone.id,)
