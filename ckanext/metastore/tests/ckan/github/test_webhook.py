"""GitHub tells that somebody has committed: it is answered at once, believed in nothing, and the job queue pulls."""

from __future__ import annotations

import hmac
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from ckan import model
from sqlalchemy import delete, select, update

from ckanext.metastore import turns
from ckanext.metastore.model.tables import pull_table
from ckanext.metastore.testing.github import Fault
from ckanext.metastore.tests.ckan.portal import served

SECRET = "only GitHub and we know this"
EXAMPLES = Path(__file__).parents[5] / "var" / "webhooks" / "index.json"
URL = "/metastore/webhook/github"

pytestmark = pytest.mark.usefixtures("pulls", "secret")


@pytest.fixture
def secret(queue, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.webhook_secret", SECRET)
    model.Session.execute(delete(pull_table))
    model.Session.commit()


@pytest.fixture
def deliver(app):
    """Deliver a payload, signed; gives the answer."""

    def post(payload, *, event="push", secret=SECRET, signature=None, form=False, **headers):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        kind = "application/json"
        if form:
            body, kind = urlencode({"payload": body.decode()}).encode(), "application/x-www-form-urlencoded"
        right = "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
        sent = {"X-GitHub-Event": event, "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", **headers}
        sent["X-Hub-Signature-256"] = right if signature is None else signature
        return app.post(URL, data=body, content_type=kind, headers=sent)

    return post


@pytest.fixture
def push(github, dataset):
    """What GitHub tells of a push to the dataset's branch."""
    repository = github.repository(f"city/{dataset['name']}")
    return {
        "ref": "refs/heads/main",
        "repository": {"id": repository.id, "full_name": f"city/{dataset['name']}"},
        "commits": [],
    }


def wait_until(happened, seconds=30):
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def title(act, dataset):
    return act("package_show", id=dataset["id"])["title"]


@pytest.fixture
def theirs(stranger):
    """Somebody has changed the title."""
    return stranger.edit(lambda document: document.update(title="Theirs"))


@pytest.mark.parametrize("form", [False, True])
def test_a_commit_that_is_told_of_is_pulled(act, dataset, push, theirs, deliver, queue, form):
    answer = deliver(push, form=form)
    assert (answer.status_code, len(queue)) == (202, 1)
    assert title(act, dataset) == "Street trees"
    turns.turn()
    assert title(act, dataset) == "Theirs"
    assert act("dataset_revision_list", id=dataset["id"])[0]["id"] == theirs


def test_a_delivery_that_comes_again_does_nothing(act, dataset, push, theirs, deliver, queue, asked):
    for _ in range(3):
        assert deliver(push).status_code == 202
    assert len(queue) == 1
    turns.turn()
    before = act("dataset_revision_list", id=dataset["id"])
    act("package_patch", id=dataset["id"], title="Ours")
    deliver(push)
    turns.turn()
    assert title(act, dataset) == "Ours"
    assert act("dataset_revision_list", id=dataset["id"])[1:] == before
    assert asked(turns.turn) == (0, 0, 0)


def test_what_a_delivery_says_is_not_believed(act, dataset, push, deliver):
    """Nothing was committed, whatever it says."""
    push["commits"] = [{"id": "1" * 40, "modified": ["datapackage.json"], "author": {"name": "admin"}}]
    push["after"] = "1" * 40
    before = act("dataset_revision_list", id=dataset["id"])
    assert deliver(push).status_code == 202
    turns.turn()
    assert act("dataset_revision_list", id=dataset["id"]) == before


def test_redis_is_down(act, dataset, push, theirs, deliver, ckan_config, monkeypatch):
    """It is kept in the database; whichever turn comes next does it."""
    with monkeypatch.context() as patched:
        patched.setitem(ckan_config, "ckan.redis.url", "redis://127.0.0.1:1/0")
        assert deliver(push).status_code == 202
    turns.turn()
    assert title(act, dataset) == "Theirs"


def test_a_clash_is_noted_and_not_tried_again(act, dataset, push, theirs, deliver, asked):
    act("package_patch", id=dataset["id"], title="Ours")
    deliver(push)
    turns.turn()
    diverged = act("dataset_publish", id=dataset["id"])["diverged"]
    assert (diverged["commit"], [clash["path"] for clash in diverged["clashes"]]) == (theirs, [["title"]])
    assert title(act, dataset) == "Ours"


def signed_with(secret, body=b""):
    return "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()


BAD_SIGNATURES = {
    "none": "",
    "another secret's": signed_with("x"),
    "of another payload": signed_with(SECRET),
    "not hexadecimal": "sha256=" + "z" * 64,
    "not ASCII": "sha256=\xe9",
    "SHA-1": "sha1=" + "0" * 40,
}


@pytest.mark.parametrize("signature", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES)
def test_a_delivery_that_is_not_githubs(act, dataset, push, theirs, deliver, queue, signature):
    assert deliver(push, signature=signature).status_code == 401
    assert len(queue) == 0
    turns.turn()
    assert title(act, dataset) == "Street trees"


def test_without_a_secret_nothing_is_taken(push, deliver, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.webhook_secret", "")
    assert deliver(push, secret="").status_code == 404


def test_without_an_account_nothing_is_pulled(push, deliver, queue, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.pull_user", "")
    assert (deliver(push).status_code, len(queue)) == (200, 0)


NOTHING_TO_DO = {
    "another branch": {"ref": "refs/heads/draft"},
    "a tag": {"ref": "refs/tags/main"},
    "a repository that we do not know": {"repository": {"id": 123456789012}},
    "a number that no database holds": {"repository": {"id": 10**30}},
    "no number": {"repository": {"id": "1"}},
    "true": {"repository": {"id": True}},
}


@pytest.mark.parametrize("change", NOTHING_TO_DO.values(), ids=NOTHING_TO_DO)
def test_nothing_to_do(push, deliver, queue, change):
    assert (deliver({**push, **change}).status_code, len(queue)) == (200, 0)


@pytest.mark.parametrize("event", ["ping", "pull_request", "repository", ""])
def test_another_event(push, deliver, queue, event):
    assert (deliver(push, event=event).status_code, len(queue)) == (200, 0)


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"ref": "refs/heads/main"}', b'{"repository": {"id": 1}}'],
)
def test_no_payload_of_githubs(deliver, queue, payload):
    assert (deliver(payload).status_code, len(queue)) == (400, 0)


def test_a_payload_that_is_too_large(deliver):
    assert deliver(b" " * 25_000_001).status_code == 413


@pytest.mark.parametrize("form", [False, True])
def test_a_large_payload(push, deliver, form):
    push["commits"] = [{"message": "x" * 1_000}] * 1_000
    assert deliver(push, form=form).status_code == 202


# -- real deliveries ------------------------------------------------------------------------------------------------


def test_every_delivery_that_github_knows_is_understood(deliver, queue):
    """Those of npm's ``@octokit/webhooks-examples``: none is about a repository of ours."""
    events = json.loads(EXAMPLES.read_text("utf-8"))
    answers = {
        event["name"]: [deliver(payload, event=event["name"]) for payload in event["examples"]] for event in events
    }
    statuses = {name: {answer.status_code for answer in given} for name, given in answers.items()}
    assert len(answers["push"]) > 1
    assert set().union(*statuses.values()) == {200}
    assert len(queue) == 0


def test_a_push_as_github_tells_it(act, dataset, push, theirs, deliver, queue):
    """A real delivery, but for whose repository and which branch it is about."""
    events = {event["name"]: event["examples"] for event in json.loads(EXAMPLES.read_text("utf-8"))}
    for example in events["push"]:
        answer = deliver({**example, "ref": push["ref"], "repository": {**example["repository"], **push["repository"]}})
        assert answer.status_code == 202
    turns.turn()
    assert title(act, dataset) == "Theirs"


def test_from_a_commit_at_github_into_ckan(act, dataset, github, token, stranger, app, queue):
    """All the way: a webhook is set up, somebody commits, GitHub delivers, a turn of the queue pulls."""
    with served(app.flask_app) as address:
        hook: Any = {"config": {"url": address + URL, "content_type": "json", "secret": SECRET}, "events": ["push"]}
        hooks = f"{github.api_url}/repos/city/{dataset['name']}/hooks"
        made = requests.post(hooks, json=hook, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert made.status_code == 201
        stranger.edit(lambda document: document.update(title="Theirs"))
        wait_until(lambda: len(queue) == 1)
    turns.turn()
    assert title(act, dataset) == "Theirs"


def test_github_is_down_when_it_is_to_be_pulled(act, dataset, push, theirs, deliver, github, asked):
    """It is tried again, later each time, and by nobody in between."""
    deliver(push)
    github.fail(Fault(status=503, times=None))
    turns.turn()
    assert asked(turns.turn) == (0, 0, 0)
    query = select(pull_table).where(pull_table.c.dataset_id == dataset["id"])
    row = model.Session.execute(query).one()
    assert (row.attempts, row.due_at > time.time(), row.reason) == (1, True, None)
    github.clear_faults()
    model.Session.execute(update(pull_table).values(due_at=int(time.time())))
    model.Session.commit()
    turns.turn()
    assert title(act, dataset) == "Theirs"
