"""Everything that can go wrong on demand does, and nothing else."""

import socket
import threading
import time

import pytest
import requests
from github import GithubException, RateLimitExceededException

from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import Fault

from .conftest import address, refused


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Fault.bad_credentials(), 401),
        (Fault.primary_limit(reset_in=30), 403),
        (Fault.secondary_limit(retry_after=7), 403),
        (Fault.secondary_limit(status=429), 429),
        (Fault.not_found(), 404),
        (Fault.conflict(), 409),
        (Fault.refusal(422, "Validation Failed"), 422),
        (Fault.server_error(503), 503),
    ],
)
def test_a_status(github, client, fault, status):
    github.fail(fault)

    with pytest.raises(GithubException) as failure:
        client.get_user().login  # noqa: B018
    assert failure.value.status == status
    assert [(hit.path, hit.status) for hit in fault.hits] == [("/user", status)]
    assert client.get_user().login == "ada"


def test_limits_say_when_to_come_back(github, client):
    before = int(time.time())
    github.fail(Fault.primary_limit(reset_in=100))
    with pytest.raises(RateLimitExceededException) as failure:
        client.get_organization("city")
    assert failure.value.headers
    assert failure.value.headers["x-ratelimit-remaining"] == "0"
    assert int(failure.value.headers["x-ratelimit-reset"]) >= before + 100

    github.fail(Fault.secondary_limit(retry_after=7))
    with pytest.raises(RateLimitExceededException, match="secondary rate limit") as failure:
        client.get_organization("city")
    assert failure.value.headers
    assert failure.value.headers["retry-after"] == "7"


def test_which_requests_and_how_often(github, client):
    fault = github.fail(Fault.server_error(method="GET", path="^/orgs/", times=2, after=1))
    statuses = []
    client.get_user().login  # noqa: B018
    for _ in range(4):
        try:
            client.get_organization("city")
            statuses.append(200)
        except GithubException as error:
            statuses.append(error.status)

    assert statuses == [200, 502, 502, 200]
    assert len(fault.hits) == 2


def test_an_answer_is_lost_after_the_deed(github, client):
    github.fail(Fault.lost_answer(method="POST"))

    with pytest.raises(requests.exceptions.ConnectionError):
        client.get_organization("city").create_repo("trees")
    assert github.repository("city/trees").name == "trees"


def test_a_request_is_lost_before_the_deed(github, client):
    city = client.get_organization("city")
    fault = github.fail(Fault(method="POST", drop="before"))

    with pytest.raises(requests.exceptions.ConnectionError):
        city.create_repo("trees")
    assert [hit.status for hit in fault.hits] == [0]
    assert city.create_repo("trees").name == "trees"


def test_half_an_answer(github, client):
    github.fail(Fault(truncate=True))

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get_organization("city")


def test_who_hangs_is_let_go(github):
    fault = github.fail(Fault(hang=True))
    with socket.create_connection((github.host, github.port), timeout=30) as connection:
        connection.sendall(b"GET /api/v3/meta HTTP/1.1\r\nHost: x\r\n\r\n")
        while not fault.hits:
            time.sleep(0.01)
        github.clear_faults()
        assert connection.recv(100) == b""


def test_the_server_stops_though_somebody_hangs(tmp_path):
    from ckanext.metastore.testing.github import StandIn

    with StandIn(tmp_path) as github:
        fault = github.fail(Fault(hang=True))
        thread = threading.Thread(target=_ask, args=(f"{github.api_url}/meta",))
        thread.start()
        while not fault.hits:
            time.sleep(0.01)
    thread.join(30)
    assert not thread.is_alive()


def _ask(url):
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(url, timeout=60)


def test_dripping_and_delay_change_nothing_else(github, client):
    github.fail(Fault(delay=0.01, drip=0.0001, path="/user"))

    assert client.get_user().login == "ada"


@pytest.mark.parametrize("fault", [Fault.server_error, lambda **where: Fault(drop="before", **where)])
def test_a_push_fails(github, repository, token, work, fault):
    remote = address(github, "city/trees", token)
    github.fail(fault(kind="git", method="POST"))

    refused("push", remote, "main", cwd=work)
    assert git("ls-remote", remote) == ""
    git("push", remote, "main", cwd=work)


@pytest.mark.parametrize("fault", [Fault.lost_answer, lambda **where: Fault(truncate=True, **where)])
def test_a_push_arrives_and_nobody_says_so(github, repository, token, work, fault):
    remote = address(github, "city/trees", token)
    github.fail(fault(kind="git", method="POST"))

    refused("push", remote, "main", cwd=work)
    assert git("ls-remote", remote, "main")


def test_a_fetch_breaks_off(github, repository, token, work, tmp_path):
    remote = address(github, "city/trees", token)
    git("push", remote, "main", cwd=work)
    github.fail(Fault(kind="git", path="git-upload-pack$", truncate=True, times=None))

    refused("clone", remote, str(tmp_path / "clone"))
    github.clear_faults()
    git("clone", remote, str(tmp_path / "clone"))
