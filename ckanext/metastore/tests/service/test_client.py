"""The Python client, against a service over real HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import count, islice
from threading import Thread

import pytest
from werkzeug.serving import make_server

from ckanext.metastore.client import Client
from ckanext.metastore.core import Change, Conflict, Invalid, NotFound, RateLimited, Unauthorized, Unavailable
from ckanext.metastore.tests.service.running import DOCUMENT

NUMBERS = count()


@pytest.fixture(scope="module")
def client(service):
    with service.client() as client:
        yield client


@pytest.fixture
def dataset(client):
    """Owner and name of a dataset with two revisions."""
    name = f"trees-{next(NUMBERS)}"
    client.create("parks", DOCUMENT, name=name, message="First survey")
    client.patch("parks", name, {"title": "Street trees"}, message="Say what it is")
    return "parks", name


# -- what it does ---------------------------------------------------------------------------------------------------


def test_a_dataset_is_created_and_read(client):
    document = {**DOCUMENT, "name": "lindens", "x": [1, None, {"y": "ä"}]}
    made = client.create("parks", document, message="First", private=True)
    assert (made.owner, made.name, made.private, made.published) == ("parks", "lindens", True, True)
    assert client.fetch("parks", "lindens") == made
    assert made.document == document


def test_a_dataset_is_updated_whole_or_in_part(client, dataset):
    before = client.fetch(*dataset)
    after = client.update(*dataset, {**DOCUMENT, "version": "2"}, message="Anew", base_revision=before.revision_id)
    assert after.document == {**DOCUMENT, "version": "2"}
    assert client.update(*dataset, after.document).revision_id == after.revision_id
    patched = client.patch(*dataset, {"version": None, "title": "T"}, private=True, base_revision=after.revision_id)
    assert (patched.document, patched.private) == ({**DOCUMENT, "title": "T"}, True)


def test_a_dataset_is_deleted_and_comes_back(client, dataset):
    first = client_first(client, dataset)
    gone = client.delete(*dataset, message="Nobody needs it")
    assert gone.message == "Nobody needs it"
    with pytest.raises(NotFound):
        client.fetch(*dataset)
    assert client.revert(*dataset, first).document == DOCUMENT


def client_first(client, dataset):
    """The id of the oldest revision."""
    return list(client.revision_list(*dataset))[-1].id


def test_a_dataset_moves_and_is_purged(client, dataset):
    owner, name = dataset
    moved = client.move(owner, name, new_name=f"{name}-moved")
    assert (moved.owner, moved.name) == (owner, f"{name}-moved")
    client.purge(owner, moved.name)
    with pytest.raises(NotFound) as raised:
        client.fetch(owner, moved.name)
    assert (raised.value.kind, raised.value.ref) == ("dataset", f"{owner}/{moved.name}")


def test_lists_are_read_page_by_page(service):
    with service.client("ds:long/*:read,update ds:long/:create") as client:
        names = [f"d{number:02}" for number in range(23)]
        for name in names:
            client.create("long", {**DOCUMENT, "name": name, "title": name.upper()})
        found = list(client.list(owner="long"))
        assert [(each.name, each.title) for each in found] == [(name, name.upper()) for name in names]
        for number in range(22):
            client.patch("long", "d00", {"version": str(number)}, message=str(number))
        assert [each.message for each in client.revision_list("long", "d00")] == [
            *map(str, reversed(range(22))), "Create dataset"
        ]  # fmt: skip
        assert [each.message for each in islice(client.revision_list("long", "d00"), 2)] == ["21", "20"]


def test_the_past(client, dataset):
    newest, first = client.revision_list(*dataset)
    assert client.revision_fetch(*dataset) == newest
    assert client.revision_fetch(*dataset, revision=first.id[:7]) == first
    assert client.fetch(*dataset, revision=first.id).document == DOCUMENT
    assert client.fetch(*dataset, as_of=newest.timestamp.replace(tzinfo=None)).revision_id == newest.id
    with pytest.raises(NotFound):
        client.fetch(*dataset, as_of=datetime.now(timezone.utc) - timedelta(days=1))


def test_what_differs(client, dataset):
    first = client_first(client, dataset)
    assert client.diff(*dataset, first) == [Change("added", ("title",), None, "Street trees")]
    assert client.json_patch(*dataset, first) == [{"op": "add", "path": "/title", "value": "Street trees"}]
    assert '+  "title": "Street trees",' in client.text_diff(*dataset, first, "HEAD")


def test_back_to_an_older_revision(client, dataset):
    first, head = client_first(client, dataset), client.fetch(*dataset).revision_id
    reverted = client.revert(*dataset, first, message="Back", base_revision=head)
    assert reverted.document == DOCUMENT
    assert client.revert(*dataset, head, fields=["title"]).document["title"] == "Street trees"
    with pytest.raises(Conflict):
        client.revert(*dataset, first, base_revision=head)


def test_tags(client, dataset):
    first = client_first(client, dataset)
    made = client.tag_create(*dataset, "2026-frühling", description="Spring", revision=first)
    assert (made.name, made.revision_id, made.description) == ("2026-frühling", first, "Spring")
    assert client.fetch(*dataset, revision="2026-frühling").revision_id == first
    assert client.tag_fetch(*dataset, "2026-frühling") == made
    renamed = client.tag_update(*dataset, "2026-frühling", new_name="v1", description="First")
    assert client.tag_list(*dataset) == [renamed]
    with pytest.raises(Conflict):
        client.tag_create(*dataset, "v1")
    client.tag_delete(*dataset, "v1")
    assert client.tag_list(*dataset) == []


def test_resources(client, dataset):
    assert client.resource_list(*dataset, revision=client_first(client, dataset)) == DOCUMENT["resources"]
    assert client.resource_fetch(*dataset, "trees") == DOCUMENT["resources"][0]
    with pytest.raises(NotFound):
        client.resource_fetch(*dataset, "a/b c")


# -- errors ---------------------------------------------------------------------------------------------------------


def test_a_conflict_has_the_newer_revision(client, dataset):
    newest, first = client.revision_list(*dataset)
    with pytest.raises(Conflict) as raised:
        client.patch(*dataset, {"title": "Mine"}, base_revision=first.id)
    assert raised.value.current is not None
    assert (raised.value.current.id, raised.value.current.author) == (newest.id, newest.author)


def test_a_document_that_is_not_valid_names_the_place(client, dataset):
    with pytest.raises(Invalid) as raised:
        client.update(*dataset, {**DOCUMENT, "resources": [{"name": "trees"}]})
    assert raised.value.field.startswith("/resources/0")


def test_a_wrong_parameter_is_named(client, dataset):
    with pytest.raises(Invalid) as raised:
        client.create("No Owner", DOCUMENT)
    assert raised.value.field == "owner"


def test_what_is_not_there_is_named(client, dataset):
    cases = [
        ("dataset", "parks/nowhere", lambda: client.fetch("parks", "nowhere")),
        ("revision", "v7", lambda: client.fetch(*dataset, revision="v7")),
        ("tag", "v7", lambda: client.tag_fetch(*dataset, "v7")),
        ("tag", "of a\nkind", lambda: client.tag_fetch(*dataset, "of a\nkind")),
        ("mirror", "987654321", lambda: client.mirror_fetch(987654321)),
    ]
    for kind, ref, ask in cases:
        with pytest.raises(NotFound) as raised:
            ask()
        assert (raised.value.kind, raised.value.ref) == (kind, ref)


@pytest.mark.parametrize("token", ["", "made.up.token"])
def test_without_a_good_token(service, dataset, token):
    with Client(service.address, token=token) as client, pytest.raises(Unauthorized):
        client.fetch(*dataset)


def test_a_token_that_does_not_allow_it(service, dataset):
    with service.client("ds:parks/*:read") as client, pytest.raises(Unauthorized):
        client.patch(*dataset, {"title": "Mine"})


def test_a_token_can_be_asked_for_each_time(service, dataset):
    tokens = iter(["made.up.token", service.token()])
    with Client(service.address, token=lambda: next(tokens)) as client:
        with pytest.raises(Unauthorized):
            client.fetch(*dataset)
        assert client.fetch(*dataset)


def test_a_token_that_is_none_is_not_shown(service):
    with Client(service.address, token="se cret\nx") as client, pytest.raises(Invalid) as raised:
        client.fetch("parks", "trees")
    assert "cret" not in str(raised.value)


@pytest.mark.parametrize("address", ["metadata.example.org", "ftp://example.org", "http://", ""])
def test_an_address_that_is_none(address):
    with pytest.raises(Invalid, match="write one like"):
        Client(address)


def test_nobody_answers():
    with Client("http://127.0.0.1:9", timeout=1) as client, pytest.raises(Unavailable, match=r"127\.0\.0\.1"):
        client.fetch("parks", "trees")


@contextmanager
def answering(*answers):
    """A server that gives these answers, one after the other; gives its address, and the requests."""
    asked: list[dict] = []

    def application(environ, start_response):
        status, headers, body = answers[min(len(asked), len(answers) - 1)]
        asked.append(environ)
        start_response(status, headers)
        return [body]

    server = make_server("127.0.0.1", 0, application)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/below", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (("200 OK", [("ETag", '"x"')], b"<html>"), Unavailable, "does not answer as a metastore does"),
        (("200 OK", [], b"{}"), Unavailable, "does not answer as a metastore does"),
        (("502 Bad Gateway", [], b"<html>"), Unavailable, "answers 502"),
        (("302 Found", [("Location", "http://elsewhere.example/")], b""), Unavailable, "answers 302"),
        (("404 Not Found", [], b"[]"), NotFound, "page not found"),
        (("418 I'm a teapot", [], b'{"errors": [1]}'), Invalid, "answers 418"),
        (("429 Too Many Requests", [("Retry-After", "7")], b""), RateLimited, "answers 429"),
        (("409 Conflict", [], b'{"detail": "no", "current": {"id": 1}}'), Conflict, "no"),
    ],
)
def test_who_answers_is_no_metastore(answer, error, text):
    with answering(answer) as (address, asked), Client(address, token="secret") as client:
        with pytest.raises(error, match=text) as raised:
            client.fetch("parks", "trees")
        assert "secret" not in str(raised.value)
        assert [environ["PATH_INFO"] for environ in asked] == ["/below/v1/datasets/parks/trees"]
    if isinstance(raised.value, RateLimited):
        assert raised.value.retry_after == 7


def test_a_post_whose_answer_is_lost_is_sent_again_by_the_same_key():
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def cut_off():
        for _ in range(2):
            connection, _ = listener.accept()
            seen.append(connection.recv(65536).decode())
            connection.close()

    thread = Thread(target=cut_off)
    thread.start()
    with Client(f"http://127.0.0.1:{listener.getsockname()[1]}") as client, pytest.raises(Unavailable):
        client.create("parks", DOCUMENT)
    thread.join()
    listener.close()
    first, second = (
        [line for line in each.splitlines() if line.lower().startswith("idempotency-key: ")] for each in seen
    )
    assert first == second
    assert len(first) == 1


def test_it_needs_neither_ckan_nor_flask():
    code = "import sys; import ckanext.metastore.client; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"ckan", "flask", "werkzeug", "pygit2", "github", "jwt", "sqlalchemy"}.intersection(loaded)
