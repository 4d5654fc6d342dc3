"""What GitHub's API answers becomes one error of ours, at once, and the same call works when all is well again."""

from __future__ import annotations

import time
from unittest import mock

import pytest
import requests
from github import BadAttributeException, GithubException
from github.GithubException import IncompletableObject

from ckanext.metastore.backends.github import answers
from ckanext.metastore.backends.hosted import deadline
from ckanext.metastore.core.errors import (
    Conflict,
    Invalid,
    MetastoreError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from ckanext.metastore.core.types import Profile
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE, titled
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import Fault

PROFILE = Profile("city", "trees", "Trees", f"https://data.example/{PACKAGE}")


def publish(backend, **given):
    revision = backend.record(PACKAGE, document=DOCUMENT, author=ADA)
    backend.publish(PACKAGE, revisions=[revision], public=True, profile=PROFILE, **given)
    return revision


def history(github, name="city/trees"):
    return git("rev-list", "main", cwd=github.repository(name).path).split()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.bad_credentials, Unauthorized),
        (lambda **where: Fault.refusal(403, "Resource not accessible by personal access token", **where), Unauthorized),
        (Fault.primary_limit, RateLimited),
        (lambda **where: Fault.primary_limit(status=429, **where), RateLimited),
        (Fault.secondary_limit, RateLimited),
        (lambda **where: Fault.secondary_limit(status=429, **where), RateLimited),
        (lambda **where: Fault.conflict("Conflict", **where), Conflict),
        (lambda **where: Fault.refusal(422, "Validation Failed", **where), Invalid),
        (lambda **where: Fault.server_error(500, **where), Unavailable),
        (lambda **where: Fault.server_error(502, **where), Unavailable),
        (lambda **where: Fault.server_error(503, **where), Unavailable),
        (lambda **where: Fault(status=451, body={"message": "Repository access blocked"}, **where), Unavailable),
        (lambda **where: Fault(status=201, body="<html>Welcome to the hotel's network</html>", **where), Unavailable),
        (lambda **where: Fault(status=201, body="{", **where), Unavailable),
        (lambda **where: Fault(status=201, body={"id": "a text"}, **where), Unavailable),
        (lambda **where: Fault(drop="before", **where), Unavailable),
    ],
)
def test_creating_fails_and_then_works(github, node, registry, fault, error):
    fault = github.fail(fault(kind="rest", method="POST"))
    backend = node(registry=registry)
    with pytest.raises(error) as failure:
        publish(backend)
    assert type(failure.value) is error
    assert len(fault.hits) == 1
    assert (github.pushes, registry.kept) == (0, {})
    github.clear_faults()
    assert [publish(backend).sha] == history(github)


def test_an_owner_that_is_not_there(node, registry):
    backend = node(registry=registry)
    revision = backend.record(PACKAGE, document=DOCUMENT, author=ADA)
    with pytest.raises(NotFound, match="nobody is no organization"):
        backend.publish(PACKAGE, revisions=[revision], profile=Profile("nobody", "trees"))
    assert registry.kept == {}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "inf"}, 60),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, 60),
        ({"Retry-After": "7", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 7),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 1),  # long ago: our clock is fast
        ({}, 60),
    ],
)
@pytest.mark.parametrize("status", [403, 429])
def test_how_long_to_wait(github, node, registry, headers, expected, status):
    fault = Fault.secondary_limit(retry_after=None, status=status, method="POST")
    fault.headers = headers
    github.fail(fault)
    with pytest.raises(RateLimited, match="secondary rate limit") as failure:
        publish(node(registry=registry))
    assert failure.value.retry_after == expected


def test_a_primary_limit_ends_at_the_reset(github, node, registry):
    before = time.time()
    github.fail(Fault.primary_limit(reset_in=1000, method="POST"))
    with pytest.raises(RateLimited, match="API rate limit exceeded") as failure:
        publish(node(registry=registry))
    after = time.time()
    assert int(before + 1000) - after <= failure.value.retry_after <= after + 1000 - before


def test_reasons_that_github_gives(github, node, registry):
    body = {"message": "Validation Failed", "errors": [{"code": "custom", "message": "homepage is odd"}, "no object"]}
    github.fail(Fault(status=422, body=body, method="POST"))
    with pytest.raises(Invalid, match="Validation Failed: homepage is odd"):
        publish(node(registry=registry))
    github.fail(Fault(status=403, body="a text", method="POST"))
    with pytest.raises(Unauthorized, match="no reason is given"):
        publish(node(registry=registry))


@pytest.mark.parametrize("where", [{"path": "^/repositories/", "method": "PATCH"}, {"method": "PUT", "path": "topics"}])
@pytest.mark.parametrize(
    "fault", [Fault.lost_answer, Fault.server_error, lambda **where: Fault(truncate=True, **where)]
)
def test_a_change_that_fails_is_made_by_the_next_call(github, node, registry, where, fault):
    backend = node(registry=registry)
    revision = publish(backend)
    changed = Profile("city", "bushes", "Bushes", PROFILE.homepage, ("bush",))
    fault = github.fail(fault(**where))
    for _ in range(2):
        try:
            backend.publish(PACKAGE, revisions=[revision], public=True, profile=changed)
        except Unavailable:
            continue
    assert len(fault.hits) == 1
    repository = github.repository("city/bushes")
    assert (repository.description, tuple(repository.topics)) == ("Bushes", ("bush",))
    assert registry.get(PACKAGE).profile == changed


def test_a_server_that_drips_is_not_waited_for(github, node, registry):
    # The whole answer would take more than an hour.
    github.fail(Fault(method="POST", drip=2, times=None))
    with pytest.raises(Unavailable, match="in time"):
        publish(node(registry=registry, timeout=1))
    github.clear_faults()
    assert [publish(node(registry=registry)).sha] == history(github)


def test_nothing_is_asked_when_the_time_is_up():
    calls = []
    with deadline.within(0.001):
        time.sleep(0.01)
        with pytest.raises(Unavailable, match="in time"):
            answers.bounded(lambda: calls.append(1), 30)
    assert calls == []


def test_within_the_time_of_a_call_others_get_what_is_left():
    with deadline.within(1000):
        with deadline.within(2000):
            assert answers.bounded(lambda: deadline.remaining(5), 30) <= 1000  # in the thread too
        assert deadline.running()
    assert not deadline.running()
    assert deadline.remaining(5) == 5


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.RetryError("too many 502 error responses"),
        requests.exceptions.ChunkedEncodingError(),
        requests.exceptions.SSLError("certificate"),
        requests.exceptions.InvalidHeader("a header"),
        BadAttributeException("a text", (str, str), None),
        IncompletableObject(400),
        GithubException(0),
        RuntimeError("redirected"),
        AssertionError(),
        KeyError("id"),
        MemoryError(),
    ],
)
def test_whatever_the_client_raises_is_ours(error):
    def fail():
        raise error

    with pytest.raises(Unavailable) as failure:
        answers.bounded(fail, 30)
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None


def test_our_own_errors_pass():
    def fail():
        raise NotFound("repository", "x")

    with pytest.raises(NotFound, match="repository not found: x"):
        answers.bounded(fail, 30)


def test_old_names_lead_on(github, node, registry):
    """Somebody has renamed the repository at GitHub: pushes follow, and its name comes back with the next change."""
    backend = node(registry=registry)
    first = publish(backend)
    number = registry.get(PACKAGE).id
    github._world.repositories.move(number, "city", "renamed", "")
    second = backend.record(PACKAGE, document=titled("Two"), author=ADA, head=first.head)
    backend.publish(PACKAGE, revisions=[second], public=True, profile=PROFILE)
    assert history(github, "city/renamed") == [second.sha, first.sha]
    changed = Profile("city", "trees", "All trees", PROFILE.homepage)
    backend.publish(PACKAGE, revisions=[second], public=True, profile=changed)
    assert github.repository("city/trees").id == number


def test_every_error_is_one_of_ours():
    for status in range(300, 600):
        assert isinstance(answers.translated(GithubException(status, {"message": "No"}, {})), MetastoreError)


def test_the_users_netrc_plays_no_part(github, node, registry, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login eve password wrong\n")
    with mock.patch.dict("os.environ", {"HOME": str(tmp_path), "NETRC": str(tmp_path / ".netrc")}):
        assert [publish(node(registry=registry)).sha] == history(github)
