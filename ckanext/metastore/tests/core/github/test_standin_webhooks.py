"""What webhooks are sent, held against real deliveries and GitHub's description."""

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest

from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github.openapi import Description

from .conftest import DESCRIPTION, address, head, write

EXAMPLES = Path(__file__).parents[5] / "var" / "webhooks" / "index.json"
NOTHING = "0" * 40
SECRET = "s3cret ä"


@pytest.fixture(scope="module")
def real():
    """A function that gives GitHub's own deliveries of an event."""
    assert EXAMPLES.exists(), "GitHub's deliveries are missing: run make install"
    events = {event["name"]: event["examples"] for event in json.loads(EXAMPLES.read_text("utf-8"))}
    return events.__getitem__


@pytest.fixture(scope="module")
def described():
    return Description(DESCRIPTION)


@pytest.fixture
def receiver():
    """A web server, and what came in: headers and bodies."""
    received, gate = [], threading.Event()
    gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            gate.wait(10)
            received.append((dict(self.headers), body))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield SimpleNamespace(received=received, gate=gate, url=f"http://127.0.0.1:{server.server_port}/in?x=1")
    gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hooked(repository, receiver):
    config = {"url": receiver.url, "content_type": "json", "secret": SECRET}
    repository.create_hook("web", config, ["push"])
    return repository


@pytest.fixture
def pushed(hooked, github, token, work):
    """The commit that was pushed first."""
    git("push", "--quiet", address(github, "city/trees", token), "main", cwd=work)
    assert told(github)
    return head(work)


def told(github, event="push"):
    """What was told of an event, by now. Who waits for it between two pushes knows the order."""
    return [delivery.payload for delivery in github.deliveries if delivery.event == event]


def gaps(real, ours, at=""):
    """What a real delivery has and ours has not, or not of that type."""
    if isinstance(real, dict) and isinstance(ours, dict):
        for name, value in real.items():
            if name not in ours:
                yield f"{at}/{name} is missing"
            else:
                yield from gaps(value, ours[name], f"{at}/{name}")
    elif isinstance(real, list) and isinstance(ours, list):
        for value in real[:1] if ours else ():
            yield from gaps(value, ours[0], f"{at}/0")
    elif real is not None and ours is not None and type(real) is not type(ours):
        yield f"{at} is {type(ours).__name__}, not {type(real).__name__}"


def test_a_ping(hooked, github, real, described, receiver):
    (payload,) = told(github, "ping")
    assert (payload["hook_id"], payload["hook"]["config"]["secret"]) == (hooked.get_hooks()[0].id, "********")
    assert payload["repository"]["full_name"] == "city/trees"
    assert list(gaps(real("ping")[0], payload)) == []
    assert list(described.complaints("/components/schemas/webhook-ping", payload)) == []
    assert receiver.received[0][0]["X-GitHub-Event"] == "ping"


def test_headers_and_signature(pushed, github, receiver):
    assert [delivery.status for delivery in github.deliveries] == [202, 202]
    headers, body = receiver.received[-1]
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={signature}"
    assert headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert (headers["X-GitHub-Event"], headers["Content-Type"]) == ("push", "application/json")
    assert len({headers["X-GitHub-Delivery"] for headers, _ in receiver.received}) == 2


def test_a_form(repository, github, token, work, receiver):
    repository.create_hook("web", {"url": receiver.url, "content_type": "form"}, ["push"])
    git("push", "--quiet", address(github, "city/trees", token), "main", cwd=work)
    payload = told(github)[0]
    headers, body = receiver.received[-1]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "X-Hub-Signature-256" not in headers
    assert json.loads(parse_qs(body.decode())["payload"][0]) == payload
    assert payload["after"] == head(work)


def test_a_branch_is_made_and_moved(pushed, github, token, work, real, described):
    write(work, "datapackage.json", b"{}")
    sha = head(work)
    git("push", "--quiet", address(github, "city/trees", token), "main", cwd=work)
    made, moved = told(github)

    assert (made["ref"], made["before"], made["after"]) == ("refs/heads/main", NOTHING, pushed)
    assert (made["created"], made["deleted"], made["forced"]) == (True, False, False)
    assert (moved["before"], moved["after"], moved["created"]) == (pushed, sha, False)
    assert moved["repository"]["id"] == github.repository("city/trees").id
    assert (moved["pusher"]["name"], moved["sender"]["login"]) == ("ada", "ada")
    assert [commit["id"] for commit in moved["commits"]] == [sha]
    assert (moved["head_commit"]["added"], moved["head_commit"]["modified"]) == (["datapackage.json"], [])
    assert moved["head_commit"]["author"]["email"] == "ada@example.org"
    # Not all of GitHub's own addresses have a user of GitHub's, nor has every hook an App.
    optional = {"/commits/0/author/username", "/commits/0/committer/username"}
    optional |= {"/head_commit/author/username", "/head_commit/committer/username", "/installation"}
    for example in real("push"):
        if example["ref"].startswith("refs/heads/"):
            found = set(gaps(example, moved)) - {f"{path} is missing" for path in optional}
            assert not found
    for payload in (made, moved):
        assert list(described.complaints("/components/schemas/webhook-push", payload)) == []


def test_a_branch_is_forced_and_removed(pushed, github, token, work, real, described):
    url = address(github, "city/trees", token)
    git("commit", "--quiet", "--amend", "--message", "Other", cwd=work)
    git("push", "--quiet", "--force", url, "main", "main:side", cwd=work)
    assert len(told(github)) == 3
    git("push", "--quiet", url, ":side", cwd=work)
    gone = told(github)[-1]
    assert (gone["ref"], gone["after"]) == ("refs/heads/side", NOTHING)
    assert (gone["deleted"], gone["head_commit"]) == (True, None)
    forced = next(payload for payload in told(github) if payload["before"] == pushed)
    assert (forced["forced"], forced["after"]) == (True, head(work))
    deleted = next(example for example in real("push") if example["deleted"] and "organization" in example)
    assert list(gaps(deleted, gone)) == []
    for payload in (forced, gone):
        assert list(described.complaints("/components/schemas/webhook-push", payload)) == []


def test_a_tag(pushed, github, token, work):
    git("tag", "v1", cwd=work)
    git("push", "--quiet", address(github, "city/trees", token), "v1", cwd=work)
    payload = told(github)[-1]
    assert (payload["ref"], payload["commits"], payload["head_commit"]["id"]) == ("refs/tags/v1", [], pushed)


def test_a_file_is_written_in_the_pages(pushed, github, token):
    first = github.put_file("city/trees", "datapackage.json", b"{}", token=token, message="Add")
    assert len(told(github)) == 2
    second = github.put_file("city/trees", "datapackage.json", b"[]", token=token)
    assert [(payload["before"], payload["after"]) for payload in told(github)[1:]] == [(pushed, first), (first, second)]
    assert told(github)[-1]["head_commit"]["modified"] == ["datapackage.json"]


def test_a_ref_is_moved_by_the_api(pushed, hooked, github, token):
    sha = github.put_file("city/trees", "a", b"x", token=token)
    ref = hooked.create_git_ref("refs/heads/side", pushed)
    ref.edit(sha)
    ref.delete()
    moves = [(payload["before"], payload["after"]) for payload in told(github) if payload["ref"] == "refs/heads/side"]
    assert sorted(moves) == sorted([(NOTHING, pushed), (pushed, sha), (sha, NOTHING)])


def test_a_push_does_not_wait(hooked, github, token, work, receiver):
    github.deliveries  # noqa: B018 (the ping has arrived)
    receiver.gate.clear()
    git("push", "--quiet", address(github, "city/trees", token), "main", cwd=work)
    assert [headers["X-GitHub-Event"] for headers, _ in receiver.received] == ["ping"]
    receiver.gate.set()
    assert told(github)[0]["after"] == head(work)


def test_what_is_refused_is_not_told(pushed, github, token, work):
    github.protect("city/trees", "main")
    write(work, "b", b"x")
    with pytest.raises(AssertionError, match="protected branch"):
        git("push", "--quiet", address(github, "city/trees", token), "main", cwd=work)
    assert len(told(github)) == 1


@pytest.mark.parametrize("change", [{"active": False}, {"events": ["issues"]}])
def test_who_does_not_want_to_know(hooked, github, token, work, receiver, change):
    hooked.get_hooks()[0].edit("web", {"url": receiver.url}, **change)
    git("push", "--quiet", address(github, "city/trees", token), "main", cwd=work)
    assert told(github) == []


def test_nobody_is_there(repository, github, token, work):
    repository.create_hook("web", {"url": "http://127.0.0.1:9/"}, ["push"])
    git("push", "--quiet", address(github, "city/trees", token), "main", cwd=work)
    assert [delivery.status for delivery in github.deliveries] == [0, 0]


def test_an_organizations_hook(repository, github, token, work, receiver):
    github.add_organization_hook("city", receiver.url, secret=SECRET)
    git("push", "--quiet", address(github, "city/trees", token), "main", cwd=work)
    assert told(github)[0]["organization"]["login"] == "city"
    assert receiver.received[0][0]["X-GitHub-Hook-Installation-Target-Type"] == "organization"


def test_a_delivery_is_sent_again(pushed, github, receiver):
    github.redeliver(github.deliveries[-1])
    again, before = receiver.received[-1], receiver.received[-2]
    assert again == before
