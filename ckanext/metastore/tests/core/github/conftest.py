"""The stand-in for GitHub with two people, an organization and their tokens; all that is said is held against GitHub's
own description at the end of each test.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from github import Auth, Github

from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import StandIn
from ckanext.metastore.testing.github.openapi import Checker

DESCRIPTION = Path(__file__).parents[5] / "var" / "openapi" / "api.github.com.json"


@pytest.fixture
def github(tmp_path):
    assert DESCRIPTION.exists(), "GitHub's description is missing: run make install"
    checker = Checker(DESCRIPTION)
    with StandIn(tmp_path / "github") as server:
        server.observe(checker.see)
        server.add_user("ada")
        server.add_user("eve")
        server.add_organization("city", members=["ada"])
        yield server
    assert not checker.problems, "\n".join(checker.problems)


@pytest.fixture
def token(github):
    return github.issue_token("ada")


@pytest.fixture
def client(github, token):
    return connect(github, token)


@pytest.fixture
def repository(client):
    return client.get_organization("city").create_repo("trees")


@pytest.fixture
def work(tmp_path):
    """A clone-to-be with one commit, pushed nowhere yet."""
    folder = tmp_path / "work"
    git("init", "--quiet", "--initial-branch=main", str(folder))
    git("config", "user.name", "Ada", cwd=folder)
    git("config", "user.email", "ada@example.org", cwd=folder)
    write(folder, "README.md", b"Trees\n")
    return folder


def connect(github, token, **options):
    """A client that neither waits nor tries again by itself."""
    auth = Auth.Token(token) if isinstance(token, str) else token
    quick = {"retry": None, "seconds_between_requests": 0, "seconds_between_writes": 0, "timeout": 30}
    return Github(auth=auth, base_url=github.api_url, **{**quick, **options})


def address(github, name, token=None):
    """Where a repository is pushed to and cloned from."""
    site = github.git_url.replace("://", f"://x-access-token:{token}@") if token else github.git_url
    return f"{site}/{name}.git"


def write(folder, name, content):
    """Write a file and commit it; gives the commit."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--message", f"Write {name}", cwd=folder)
    return head(folder)


def head(folder):
    return git("rev-parse", "HEAD", cwd=folder).strip()


def refused(*arguments, cwd=None):
    """What ``git`` says when it cannot."""
    with pytest.raises(AssertionError) as failure:
        git(*arguments, cwd=cwd)
    return str(failure.value)
