"""A portal on the github backend, with a GitHub of our own over real Git."""

from __future__ import annotations

import time

import pytest
from ckan import model
from ckan.lib.jobs import get_queue
from ckan.lib.redis import connect_to_redis
from sqlalchemy import delete, select, update

from ckanext.metastore import jobs
from ckanext.metastore.model.tables import host_table, repository_table
from ckanext.metastore.testing.git import check_integrity, git
from ckanext.metastore.testing.github import StandIn
from ckanext.metastore.tests.ckan.checks import nothing_waits

from .stranger import Stranger


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with StandIn(tmp_path_factory.mktemp("github")) as server:
        server.add_user("ada")
        server.add_organization("parks", members=["ada"])
        server.add_organization("city", members=["ada"])
        yield server


@pytest.fixture
def token(server):
    return server.issue_token("ada")


@pytest.fixture(autouse=True)
def github(portal, server, token, ckan_config, monkeypatch):
    """The backend is GitHub's; the counters begin at nothing."""
    options = {
        "backend": "github",
        "github.owner": "city",
        "github.token": token,
        "github.api_url": server.api_url,
        "github.git_url": server.git_url,
    }
    for name, value in options.items():
        monkeypatch.setitem(ckan_config, f"ckanext.metastore.{name}", value)
    server.clear_faults()
    server.forget_requests()
    model.Session.execute(delete(host_table))
    model.Session.commit()
    return server


@pytest.fixture
def pulls(github, editor, ckan_config, monkeypatch):
    """From now on, what others commit is pulled: as the editor."""
    monkeypatch.setitem(ckan_config, "ckanext.metastore.pull_user", editor["name"])


@pytest.fixture
def stranger(dataset, github, token, tmp_path):
    """Somebody who works on the dataset's repository."""
    url = f"{github.git_url}/city/{dataset['name']}.git".replace("://", f"://ada:{token}@")
    return Stranger(url, tmp_path / "clone")


@pytest.fixture
def asked(github):
    """What a call asks of GitHub: requests to its API, and pushes, and fetches."""

    def count(call):
        github.forget_requests()
        call()
        rest = [f"{request.method} {request.path}" for request in github.requests if request.kind == "rest"]
        return len(rest), github.pushes, github.fetches

    return count


# -- the job queue --------------------------------------------------------------------------------------------------


@pytest.fixture
def queue(github, monkeypatch):
    """CKAN's job queue, empty; nothing waits, and Redis is believed to be well."""
    nothing_waits()
    connect_to_redis().flushdb()
    monkeypatch.setattr(jobs, "_bell", jobs._Bell())
    return get_queue()


@pytest.fixture
def background(queue, ckan_config, monkeypatch):
    """From now on, saves are published by the job queue."""
    monkeypatch.setitem(ckan_config, "ckanext.metastore.publish", "background")
    return queue


@pytest.fixture
def attempt():
    """What is known of the attempts to publish a dataset; None where nothing is."""

    def read(dataset_id):
        model.Session.rollback()
        query = select(repository_table).where(repository_table.c.dataset_id == dataset_id)
        return model.Session.execute(query).one_or_none()

    return read


@pytest.fixture
def time_passes():
    """As if all that is planned were due: it moves into the past what it is planned for."""

    def move():
        past = int(time.time()) - 1
        planned = repository_table.c.retry_at.is_not(None)
        model.Session.execute(update(repository_table).where(planned).values(retry_at=past))
        model.Session.execute(update(host_table).values(paused_until=past))
        model.Session.commit()
        registry = get_queue().scheduled_job_registry
        for job_id in registry.get_job_ids():
            registry.connection.zadd(registry.key, {job_id: past})

    return move


def head(github, name):
    repository = github.repository(name)
    check_integrity(repository.path)
    return git("rev-parse", "main", cwd=repository.path).strip()


def tags_of(github, name):
    return git("tag", "--list", cwd=github.repository(name).path).split()
