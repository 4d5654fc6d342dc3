"""The stand-in for GitHub with two people, an organization and their tokens; all that is said is held against GitHub's
own description at the end of each test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from github import Auth, Github

from ckanext.metastore.backends.github import GitHubBackend, credentials
from ckanext.metastore.core.types import Profile
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, PACKAGE, titled
from ckanext.metastore.testing.git import check_integrity, git
from ckanext.metastore.testing.github import StandIn
from ckanext.metastore.testing.github.openapi import Checker

HOME = f"https://data.example/dataset/{PACKAGE}"
PROFILE = Profile("city", "trees", "Trees", HOME)

DESCRIPTION = Path(__file__).parents[5] / "var" / "openapi" / "api.github.com.json"


def key_pair():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


PRIVATE, PUBLIC = key_pair()
NAME = f"city/{PACKAGE}"


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


class Registry:
    """Which repository is which package's, as a database would keep it."""

    def __init__(self):
        self.kept = {}

    def get(self, package_id):
        return self.kept.get(package_id)

    def get_all(self, package_ids):
        return {package_id: self.kept[package_id] for package_id in package_ids if package_id in self.kept}

    def put(self, package_id, hosted):
        self.kept[package_id] = hosted

    def elsewhere(self, package_id):
        return None

    def forget(self, package_id):
        self.kept.pop(package_id, None)


@pytest.fixture
def node(github, token, tmp_path):
    """A function that makes a backend with a folder of its own, as each machine has one."""

    def make(name="node", **options):
        where = {"api_url": github.api_url, "git_url": github.git_url}
        return GitHubBackend(tmp_path / name, **{"owner": "city", "token": token, "timeout": 30, **where, **options})

    return make


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture(autouse=True)
def no_app_tokens(monkeypatch):
    """The processes of other tests have left no tokens."""
    monkeypatch.setattr(credentials, "_app_tokens", {})


@pytest.fixture
def app(github, node, tmp_path):
    """A function that makes a backend which acts as a GitHub App."""
    github.add_app(7, PUBLIC, installation_id=70, account="city")
    key = tmp_path / "app.pem"
    key.write_text(PRIVATE)

    def make(name="app", **options):
        given = {"app_id": "7", "app_private_key_file": str(key), "app_installation_id": "70"}
        return node(name, **{"token": "", **given, **options})

    return make


def history(github, name):
    """The revisions that a repository at GitHub has, newest first; it must be whole."""
    path = github.repository(name).path
    check_integrity(path)
    return git("rev-list", "main", cwd=path).split()


@pytest.fixture
def publish(node, registry):
    """A function that saves the next revision at GitHub."""
    backend = node(registry=registry)
    made: list[Any] = []

    def publish(package_id=PACKAGE, profile=PROFILE, public=True, **given):
        revisions = [revision for key, revision in made if key == package_id]
        head = revisions[-1].head if revisions else None
        document = titled(f"Number {len(revisions)}")
        revision = backend.record(package_id, document=document, author=ADA, head=head)
        backend.publish(package_id, revisions=[revision], public=public, profile=profile, **given)
        made.append((package_id, revision))
        return revision

    return publish


@pytest.fixture
def one(node):
    return node("one")


@pytest.fixture
def two(node):
    return node("two")


@pytest.fixture
def first(one):
    return one.create(PACKAGE, document=DOCUMENT, author=ADA).revision


def asked(github):
    return [f"{request.method} {request.path}" for request in github.requests if request.kind == "rest"]


def refs(github, name):
    return git("for-each-ref", cwd=github.repository(name).path)


def commit(work):
    """Commit a page."""
    (work / "index.html").write_text("Welcome")
    git("add", "--all", cwd=work)
    return git("commit", "--message", "Welcome", cwd=work)


def chain(error):
    """An error and all that it is chained to."""
    found = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


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
