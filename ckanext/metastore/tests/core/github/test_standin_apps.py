"""Apps: a signed word, and a token for an hour."""

import time
from datetime import datetime, timedelta, timezone

import jwt
import pytest
import requests
from github import Auth, GithubException, GithubIntegration

from ckanext.metastore.testing.git import git

from .conftest import PRIVATE, PUBLIC, address, connect, key_pair


@pytest.fixture
def auth(github):
    github.add_app(7, PUBLIC, installation_id=70, account="city")
    return Auth.AppAuth(7, PRIVATE)


def test_an_app_creates_and_pushes(github, auth, work):
    installation = GithubIntegration(auth=auth, base_url=github.api_url).get_access_token(70)
    made = connect(github, installation.token).get_organization("city").create_repo("trees", private=True)
    git("push", address(github, made.full_name, installation.token), "main", cwd=work)

    assert installation.token.startswith("ghs_")
    assert installation.expires_at > datetime.now(timezone.utc) + timedelta(minutes=59)
    assert github.requests[-1].user == "app/7"
    with pytest.raises(GithubException, match="not accessible by integration"):
        connect(github, installation.token).get_user().login  # noqa: B018


def test_the_token_runs_out(github, auth):
    github.set_installation_token_lifetime(-1)
    integration = GithubIntegration(auth=auth, base_url=github.api_url)
    token = integration.get_access_token(70).token

    with pytest.raises(GithubException, match="Bad credentials"):
        connect(github, token).get_organization("city")


def test_the_app_itself(github, auth):
    assert GithubIntegration(auth=auth, base_url=github.api_url).get_app().slug == "app-7"


@pytest.mark.parametrize(
    ("claims", "key", "status", "words"),
    [
        ({"iss": "7", "exp": 3600}, PRIVATE, 401, "too far in the future"),
        ({"iss": "7", "exp": -100}, PRIVATE, 401, "Expiration time"),
        ({"iss": "7", "exp": 100, "iat": 1000}, PRIVATE, 401, "Issued at"),
        ({"iss": "8", "exp": 100}, PRIVATE, 404, "Integration not found"),
        ({"iss": "7", "exp": 100}, key_pair()[0], 401, "could not be decoded"),
    ],
)
def test_a_word_that_is_not_believed(github, auth, claims, key, status, words):
    now = int(time.time())
    timed = {name: now + value if name in ("exp", "iat") else value for name, value in claims.items()}
    word = jwt.encode({"iat": now, **timed}, key, algorithm="RS256")

    answer = requests.get(f"{github.api_url}/app", headers={"Authorization": f"Bearer {word}"}, timeout=30)
    assert answer.status_code == status
    assert words in answer.json()["message"]


def test_another_installation(github, auth):
    with pytest.raises(GithubException) as failure:
        GithubIntegration(auth=auth, base_url=github.api_url).get_access_token(71)
    assert failure.value.status == 404
