"""The ``git`` program as our child: what a push and a fetch cost, and where the password goes."""

from __future__ import annotations

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from github import Auth, Github

from ckanext.metastore.backends.git.folder import create_repository
from ckanext.metastore.backends.git.transport import RefUpdate, Remote
from ckanext.metastore.core.errors import NotFound, Unauthorized, Unavailable
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import StandIn

MAIN = "refs/heads/main"


@pytest.fixture
def github(tmp_path):
    with StandIn(tmp_path / "github") as server:
        server.add_user("ada")
        server.add_organization("city", members=["ada"])
        yield server


@pytest.fixture
def token(github):
    return github.issue_token("ada")


@pytest.fixture
def hosted(github, token):
    client = Github(auth=Auth.Token(token), base_url=github.api_url, seconds_between_writes=0)
    repository = client.get_organization("city").create_repo("trees")
    github.forget_requests()
    return repository


@pytest.fixture
def work(tmp_path):
    """A repository with one commit."""
    folder = tmp_path / "work.git"
    git("init", "--quiet", "--bare", "--initial-branch=main", str(folder))
    who = {f"GIT_{role}_{part}": "ada" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    tree = git("mktree", cwd=folder).strip()
    git("update-ref", MAIN, git("commit-tree", tree, "-m", "Start", cwd=folder, env=who).strip(), cwd=folder)
    return folder


@pytest.fixture
def empty(tmp_path):
    folder = tmp_path / "empty.git"
    create_repository(folder, "main")
    return folder


@pytest.fixture
def gateway(github):
    """A host that leads all to another, the stand-in; tests may have it answer something else."""
    with _Gateway() as server:
        server.lead_to(github.git_url)
        yield server


class _Gateway(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[str] = []

    def lead_to(self, url, status=301):
        self.answer = lambda request: (status, {"Location": url + request.path}, "")

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Gateway

    def do_GET(self):
        self.server.seen.append(self.headers.get("Authorization", ""))
        status, headers, body = self.server.answer(self)
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self):
        self.do_GET()

    def log_message(self, *words):
        return


def remote(host, token, **options):
    return Remote(f"{host}/city/trees.git", host, lambda: token, lambda: 60.0, **options)


def push(remote, repository):
    remote.push(repository, [RefUpdate(MAIN, None, head(repository))])


def fetch(remote, repository):
    remote.fetch(repository, [f"+{MAIN}:{MAIN}"])


def head(repository):
    return git("rev-parse", MAIN, cwd=repository).strip()


def basic(token):
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


def test_a_push_and_a_fetch_are_two_requests_each(github, token, hosted, work, empty):
    push(remote(github.git_url, token), work)
    hosted.edit(private=True)
    asked = [request for request in github.requests if request.kind == "git"]
    assert [(request.method, request.status, request.user) for request in asked] == [
        ("GET", 200, "ada"),
        ("POST", 200, "ada"),
    ]

    github.forget_requests()
    fetch(remote(github.git_url, token), empty)
    assert head(empty) == head(work)
    assert [(request.method, request.user) for request in github.requests] == [("GET", "ada"), ("POST", "ada")]


def test_the_old_name_leads_on_where_that_is_wanted(github, token, hosted, work, empty):
    hosted.edit(name="oaks")
    push(remote(github.git_url, token), work)
    hosted.edit(private=True)
    fetch(remote(github.git_url, token), empty)
    assert head(empty) == head(work)

    with pytest.raises(NotFound):
        fetch(remote(github.git_url, token, follows=False), empty)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_another_host_never_gets_the_password(github, token, hosted, work, empty, gateway, status, name):
    push(remote(github.git_url, token), work)
    gateway.lead_to(github.git_url.replace("127.0.0.1", name), status)
    host = f"http://127.0.0.1:{gateway.server_port}"
    github.forget_requests()

    for transfer, repository in ((fetch, empty), (push, work)):
        with pytest.raises((NotFound, Unavailable)):
            transfer(remote(host, token), repository)

    assert set(gateway.seen) == {f"Basic {basic(token)}"}
    assert github.requests == [], "it is not even asked"


def test_not_even_where_it_is_reached_in_the_middle(github, token, work, gateway):
    """A push whose first request is answered, and whose second one is led away."""
    refs = (
        b"001f# service=git-receive-pack\n0000"
        + _line(b"0" * 40 + b" capabilities^{}\0report-status atomic\n")
        + b"0000"
    )
    lead_away = gateway.answer
    kind = "application/x-git-receive-pack-advertisement"
    gateway.answer = lambda request: (
        (200, {"Content-Type": kind}, refs.decode()) if request.command == "GET" else lead_away(request)
    )

    with pytest.raises(NotFound):
        push(remote(f"http://127.0.0.1:{gateway.server_port}", token), work)

    assert len(gateway.seen) > 1
    assert github.requests == []


def _line(content):
    return b"%04x" % (len(content) + 4) + content


def test_nor_does_anybody_who_lists_the_processes(github, token, hosted, work):
    lines: set[str] = set()
    github.latency = 0.5
    pushing = threading.Thread(target=push, args=(remote(github.git_url, token), work))
    pushing.start()
    while pushing.is_alive():
        lines |= set(filter(None, map(_command_line, Path("/proc").glob("[0-9]*/cmdline"))))
        pushing.join(0.02)

    assert [line for line in lines if "/city/trees.git" in line and "push" in line]
    assert not [line for line in lines if token in line or basic(token) in line]
    assert github.pushes == 1


def _command_line(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def test_no_error_shows_the_password(token, work, gateway):
    gateway.answer = lambda request: (403, {}, f"You sent {request.headers['Authorization']}, I know {token}.")

    with pytest.raises(Unauthorized, match="You sent Basic") as refused:
        push(remote(f"http://127.0.0.1:{gateway.server_port}", token), work)

    assert token not in str(refused.value)
    assert basic(token) not in str(refused.value)
