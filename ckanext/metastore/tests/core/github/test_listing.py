"""What an owner has at GitHub, listed page by page."""

from __future__ import annotations

import pytest

from ckanext.metastore.backends.github import repositories
from ckanext.metastore.backends.github.credentials import credentials
from ckanext.metastore.backends.github.repositories import Repositories
from ckanext.metastore.core import NotFound

from .conftest import asked


@pytest.fixture
def api(github, token, monkeypatch):
    monkeypatch.setattr(repositories, "PAGE", 2)
    return Repositories(github.api_url, github.git_url, credentials(token, "", "", "", github.api_url, 10), 10)


def test_an_organizations(api, client, github):
    for number in range(5):
        client.get_organization("city").create_repo(f"r{number}", private=number == 3)
    client.get_user().create_repo("mine")
    client.get_repo("city/r1").edit(archived=True)
    github.forget_requests()
    found = list(api.list("city"))
    assert [line.partition("?")[0] for line in asked(github)] == ["GET /orgs/city/repos"] * 3
    assert [there.hosted.profile.name for there in found] == ["r0", "r1", "r2", "r3", "r4"]
    assert [there.archived for there in found] == [False, True, False, False, False]
    assert [there.hosted.private for there in found] == [False, False, False, True, False]
    assert found[0].hosted.id == github.repository("city/r0").id


def test_ones_own(api, client):
    for name in ("a", "b"):
        client.get_user().create_repo(name)
    client.get_organization("city").create_repo("theirs")
    assert [there.hosted.profile.name for there in api.list("ada")] == ["a", "b"]
    assert list(api.list("city"))


def test_somebody_elses(api):
    with pytest.raises(NotFound):
        list(api.list("eve"))


def test_nobody_has_any(api):
    assert list(api.list("city")) == []
