"""What we say of somebody's commit at GitHub."""

import pytest
import requests
from github import GithubException

from ckanext.metastore.core import Author, Invalid, MetastoreError, NotFound, Unauthorized
from ckanext.metastore.core.types import Site
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE

from .conftest import HOME, NAME, PROFILE, connect

SITE = Site(Author("Portal", "portal@data.example"), dataset_url="https://data.example/dataset/{id}")


@pytest.fixture
def backend(node):
    backend = node(site=SITE)
    backend.create(PACKAGE, document=DOCUMENT, author=ADA)
    return backend


@pytest.fixture
def sha(backend):
    return backend.revision_fetch(PACKAGE).id


@pytest.fixture
def said(github, token):
    """A function that lists what was said of a commit, the newest first. PyGithub asks elsewhere."""

    def said(sha, name=NAME):
        url = f"{github.api_url}/repos/{name}/commits/{sha}/statuses"
        return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10).json()

    return said


@pytest.mark.parametrize(("accepted", "state"), [(True, "success"), (False, "failure")])
def test_report(backend, sha, github, client, accepted, state):
    github.forget_requests()

    backend.report(PACKAGE, sha=sha, accepted=accepted, reason="title: missing\nvalue")

    assert len(github.requests) == 1
    status = client.get_repo(NAME).get_commit(sha).get_combined_status()
    assert (status.state, status.total_count) == (state, 1)
    only = status.statuses[0]
    assert (only.context, only.description, only.target_url) == ("ckan", "title: missing value", HOME)


def test_the_newest_counts(backend, sha, client, said):
    backend.report(PACKAGE, sha=sha, accepted=False, reason="No")
    backend.report(PACKAGE, sha=sha, accepted=True, reason="Yes")

    assert [status["description"] for status in said(sha)] == ["Yes", "No"]
    assert client.get_repo(NAME).get_commit(sha).get_combined_status().state == "success"


def test_what_is_too_long_is_cut(backend, sha, said):
    backend.report(PACKAGE, sha=sha, accepted=False, reason="äx " * 100)

    description = said(sha)[0]["description"]
    assert description.startswith("äx äx")
    assert description.endswith("…")
    assert len(description) <= 140


def test_by_number(node, registry, client, said):
    backend = node(registry=registry)
    revision = backend.record(PACKAGE, document=DOCUMENT, author=ADA)
    backend.publish(PACKAGE, revisions=[revision], public=True, profile=PROFILE)
    client.get_repo("city/trees").edit(name="shrubs")

    backend.report(PACKAGE, sha=revision.sha, accepted=True, reason="Taken")

    status = said(revision.sha, "city/shrubs")[0]
    assert (status["description"], status["target_url"]) == ("Taken", None)


def test_an_app_may(backend, sha, app, said):
    app().report(PACKAGE, sha=sha, accepted=True, reason="Taken")

    assert said(sha)[0]["description"] == "Taken"


def test_no_such_commit(backend):
    with pytest.raises(Invalid, match="No commit found"):
        backend.report(PACKAGE, sha="1" * 40, accepted=True, reason="x")


def test_no_such_repository(node, registry):
    with pytest.raises(NotFound):
        node(registry=registry).report(PACKAGE, sha="1" * 40, accepted=True, reason="x")
    with pytest.raises(NotFound):
        node("other").report("nothing", sha="1" * 40, accepted=True, reason="x")


def test_a_token_that_may_not(backend, sha, node, github):
    with pytest.raises(Unauthorized):
        node("other", token=github.issue_token("ada", ["contents"])).report(PACKAGE, sha=sha, accepted=True, reason="x")


def test_github_is_away(node, sha, github):
    backend = node("other")
    github.stop()
    with pytest.raises(MetastoreError):
        backend.report(PACKAGE, sha=sha, accepted=True, reason="x")


@pytest.mark.parametrize(
    "sent",
    [
        {"state": "done"},
        {"state": "success", "description": "x" * 141},
        {"state": "success", "target_url": "javascript:alert(1)"},
        {},
    ],
)
def test_what_github_refuses(backend, sha, github, token, sent):
    url = f"{github.api_url}/repos/{NAME}/statuses/{sha}"
    assert requests.post(url, json=sent, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code == 422


def test_who_may_not_write_says_nothing(backend, sha, github):
    with pytest.raises(GithubException) as error:
        connect(github, github.issue_token("eve")).get_repo(NAME).get_commit(sha).create_status("success")
    assert error.value.status == 404
