"""Who may do what: tokens, scopes, what everybody may read, what is private."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ckanext.metastore.authz import Issuer, KeyRing, generate_private_key, parse_scopes
from ckanext.metastore.service import Settings, create_app, datasets
from ckanext.metastore.tests.service.server import ALL, READ, TREES, bearer, token

URL = "/v1/datasets/acme/trees"
OTHERS = "ds:city/*:read,update,tag,revert,delete,purge ds:city/:create"


def calls(client):
    """A request of every kind, with the action that its token must have."""
    yield "read", client.get(URL)
    yield "read", client.get(f"{URL}/revisions")
    yield "read", client.get(f"{URL}/revisions/HEAD")
    yield "read", client.get(f"{URL}/diff?a=HEAD")
    yield "read", client.get(f"{URL}/resources")
    yield "read", client.get(f"{URL}/resources/trees")
    yield "read", client.get(f"{URL}/tags")
    yield "read", client.get(f"{URL}/tags/v1")
    yield "update", client.put(URL, json=TREES)
    yield "update", client.patch(URL, json={})
    yield "update", client.post(f"{URL}/move", json={"name": "trees"})
    yield "tag", client.post(f"{URL}/tags", json={"name": "v2"})
    yield "tag", client.patch(f"{URL}/tags/v1", json={"description": "x"})
    yield "tag", client.delete(f"{URL}/tags/v2")
    yield "revert", client.post(f"{URL}/revert", json={"revision": "HEAD"})
    yield "delete", client.delete(URL)
    yield "purge", client.post(f"{URL}/purge")


@pytest.fixture
def trees(app):
    """A service with a dataset: the client that made it, and one without a token."""
    client, anonymous = app()
    assert client.post("/v1/datasets?owner=acme", json=TREES).status_code == 201
    assert client.post(f"{URL}/tags", json={"name": "v1"}).status_code == 201
    return client, anonymous


def with_scopes(client, scopes):
    settings = client.application.extensions["metastore"].settings
    other = client.application.test_client()
    other.environ_base["HTTP_AUTHORIZATION"] = bearer(token(settings, scopes))["Authorization"]
    return other


@pytest.mark.parametrize("action", ["read", "update", "tag", "revert", "delete", "purge"])
def test_each_operation_needs_its_own_scope(trees, action):
    client = with_scopes(trees[0], f"ds:acme/*:{action}")
    for needed, answer in calls(client):
        assert (answer.status_code == 403) == (needed != action), (needed, answer.request.path)
        assert answer.status_code == 403 or answer.status_code < 300


def test_without_a_token_nothing_is_answered_but_who_is_asked_for_one(trees):
    for _, answer in calls(trees[1]):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="metastore"'
    assert trees[1].get("/v1/datasets").status_code == 401
    assert trees[1].post("/v1/datasets?owner=acme", json=TREES).status_code == 401


def test_a_token_for_others_learns_nothing(trees):
    client = with_scopes(trees[0], OTHERS)
    for _, answer in calls(client):
        there = answer.json
        assert answer.status_code == 403
    assert client.get("/v1/datasets/acme/nothing").json["detail"] == there["detail"].replace("purge", "show")
    assert client.post("/v1/datasets?owner=acme&name=new", json=TREES).status_code == 403
    assert client.get("/v1/datasets").json == []


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Bearer a.b.c", "Basic eDp5", "Token x", "", "Bearer {expired}", "Bearer {other}"]
)
def test_a_token_that_is_none_is_refused_even_for_what_everybody_may_read(app, header):
    client, anonymous = app(anonymous_read=True)
    client.post("/v1/datasets?owner=acme", json=TREES)
    settings = client.application.extensions["metastore"].settings
    other = Issuer(KeyRing(private_key=generate_private_key()), issuer=settings.issuer, audience="metastore")
    header = header.replace("{expired}", token(settings, READ, lifetime=-60))
    header = header.replace("{other}", other.issue(parse_scopes(READ), lifetime=60)[0])
    refused = anonymous.get(URL, headers={"Authorization": header})
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert anonymous.get(URL).status_code == 200


def test_everybody_reads_what_is_public_only_where_that_is_set(app):
    client, anonymous = app(anonymous_read=True)
    client.post("/v1/datasets?owner=acme", json=TREES)
    client.post("/v1/datasets?owner=acme&name=hidden&private=true", json=TREES)
    assert anonymous.get(URL).json == TREES
    assert [found["name"] for found in anonymous.get("/v1/datasets").json] == ["trees"]
    assert anonymous.get("/v1/datasets/acme/hidden").status_code == 401
    assert anonymous.patch(URL, json={}).status_code == 401
    assert anonymous.post(f"{URL}/tags", json={"name": "x"}).status_code == 401


def test_a_token_is_no_good_for_what_is_younger(app):
    client, _ = app()
    older = with_scopes(client, "ds:acme/trees:read")
    client.post("/v1/datasets?owner=acme", json=TREES)
    assert older.get(URL).status_code == 403
    assert with_scopes(client, "ds:acme/trees:read").get(URL).status_code == 200


# -- what is private ------------------------------------------------------------------------------------------------


@pytest.fixture
def mixed(app):
    """A dataset that was public, then private, then public again: its shas, oldest first; clients, and a reader."""
    client, anonymous = app(anonymous_read=True)
    answers = [client.post("/v1/datasets?owner=acme", json=TREES)]
    answers.append(client.patch(f"{URL}?private=true", json={"title": "Secret"}))
    client.post(f"{URL}/tags", json={"name": "inner"})
    answers.append(client.patch(URL, json={"title": "Still secret"}))
    answers.append(client.patch(f"{URL}?private=false", json={"title": "Open"}))
    return client, anonymous, [answer.headers["ETag"].strip('"') for answer in answers]


def test_what_was_private_is_seen_by_those_who_may_change_the_dataset_and_nobody_else(mixed):
    client, anonymous, shas = mixed
    assert [revision["public"] for revision in client.get(f"{URL}/revisions").json] == [True, False, False, True]
    for reader in (anonymous, with_scopes(client, READ)):
        revisions = reader.get(f"{URL}/revisions").json
        assert [revision["id"] for revision in revisions] == [shas[3], shas[0]]
        assert revisions[0]["parents"] == [shas[0]]
        assert reader.get(f"{URL}/tags").json == []
        for ref in (shas[1], shas[2], shas[1][:8], "inner"):
            for url in (f"{URL}?revision={ref}", f"{URL}/revisions/{ref}", f"{URL}/resources?revision={ref}"):
                assert reader.get(url).status_code == 404
            assert reader.get(f"{URL}/diff?a={ref}").status_code == 404
        assert reader.get(f"{URL}/tags/inner").status_code == 404


def test_who_may_read_a_private_dataset_sees_what_it_is_now(mixed):
    client, anonymous, shas = mixed
    head = client.patch(f"{URL}?private=true", json={"title": "Closed"}).headers["ETag"].strip('"')
    reader = with_scopes(client, READ)
    assert reader.get(URL).json["title"] == "Closed"
    assert reader.get(URL).headers["Metastore-Private"] == "true"
    assert [revision["id"] for revision in reader.get(f"{URL}/revisions").json] == [head, shas[3], shas[0]]
    assert anonymous.get(URL).status_code == 401


def test_the_repository_that_is_served_holds_nothing_private(mixed):
    client, _, shas = mixed
    service = client.application.extensions["metastore"]
    path = service.store.repository(service.store.find("acme", "trees"))
    names = {file.parent.name + file.name for file in path.glob("objects/??/*")}
    assert {shas[0], shas[3]} <= names
    assert not {shas[1], shas[2]} & names


def test_going_back_to_what_was_private_must_be_said(mixed):
    client, _, shas = mixed
    refused = client.post(f"{URL}/revert", json={"revision": shas[1]})
    assert refused.status_code == 422
    assert "allow_private" in refused.json["detail"]
    said = {"revision": shas[1], "allow_private": True}
    assert client.post(f"{URL}/revert", json=said).json["title"] == "Secret"
    reverter = with_scopes(client, "ds:acme/*:revert")
    assert reverter.post(f"{URL}/revert", json=said).status_code == 404


def test_what_is_private_stays_so_until_it_is_said_otherwise(app):
    client, _ = app()
    client.post("/v1/datasets?owner=acme&private=true", json=TREES)
    assert client.patch(URL, json={"title": "x"}).headers["Metastore-Private"] == "true"
    same = client.patch(f"{URL}?private=false", json={})
    assert same.headers["Metastore-Private"] == "false"
    client.delete(URL)
    assert (
        client.post(f"{URL}/revert", json={"revision": same.headers["ETag"].strip('"')}).headers["Metastore-Private"]
        == "false"
    )


# -- keys of others -------------------------------------------------------------------------------------------------


class _KeyServer(HTTPServer):
    pem = ""
    asked = 0


class _Handler(BaseHTTPRequestHandler):
    server: _KeyServer

    def do_GET(self):
        self.server.asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.pem.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def portal():
    """A portal that gives its public key, as CKAN does at /authz/public_key."""
    with _KeyServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def portal_token(ring):
    return bearer(
        Issuer(ring, issuer="https://data.example.org", audience="metastore").issue(parse_scopes(ALL), lifetime=60)[0]
    )


def test_tokens_of_a_portal_are_proved_by_its_public_key(portal, tmp_path):
    ring = KeyRing(private_key=generate_private_key())
    portal.pem = ring.keys().pem
    url = f"http://127.0.0.1:{portal.server_port}/authz/public_key"
    settings = Settings(path=tmp_path / "data", tokens_public_key_url=url, tokens_issuer="https://data.example.org")
    client = create_app(settings).test_client()
    assert client.get("/v1/datasets", headers=portal_token(ring)).status_code == 200
    assert portal.asked == 1
    stranger = portal_token(KeyRing(private_key=generate_private_key()))
    for _ in range(3):
        assert client.get("/v1/datasets", headers=stranger).status_code == 401
    assert portal.asked == 1
    # The key is kept: the portal may be down when the service starts.
    portal.pem = "no key at all"
    again = create_app(settings).test_client()
    assert again.get("/v1/datasets", headers=portal_token(ring)).status_code == 200


def test_a_portal_may_change_its_key(portal, tmp_path, monkeypatch):
    monkeypatch.setattr("ckanext.metastore.service.keys.REFRESH_PAUSE", 0.0)
    old, new = (KeyRing(private_key=generate_private_key()) for _ in range(2))
    portal.pem = old.keys().pem
    url = f"http://127.0.0.1:{portal.server_port}/"
    settings = Settings(path=tmp_path / "data", tokens_public_key_url=url, tokens_issuer="https://data.example.org")
    client = create_app(settings).test_client()
    assert client.get("/v1/datasets", headers=portal_token(old)).status_code == 200
    portal.pem = new.keys().pem
    assert client.get("/v1/datasets", headers=portal_token(new)).status_code == 200
    assert client.get("/v1/datasets", headers=portal_token(old)).status_code == 401


@pytest.mark.parametrize(
    "scopes",
    [
        "ds:acme/*:read",
        "ds:acme/trees:read",
        "ds:trees:read",
        "ds:acme/{id}:read",
        "ds:{id}:read",
        "ds:city/{id}:read",
        "ds:city/*:metadata:read ds:acme/oaks:read",
        "ds:acme/oaks:update ds:city/trees:read",
        "ds:acme/:create ds:x/city/trees:read",
        "res:acme/*:read",
        "ds:nobody/*:read",
        None,
    ],
)
def test_a_list_has_what_can_be_read_and_nothing_else(app, scopes):
    client, anybody = app(f"{ALL} {OTHERS}", anonymous_read=True)
    at = [(owner, name) for owner in ("acme", "city") for name in ("elms", "oaks", "trees")]
    for owner, name in at:
        client.post(f"/v1/datasets?owner={owner}&name={name}&private={str(name == 'oaks').lower()}", json=TREES)
        client.post("/v1/mirrors", json={"owner": owner, "name": f"{name}-2", "private": name == "elms"})
    client.delete("/v1/datasets/city/elms")
    ids = {(each["owner"], each["name"]): each["id"] for each in client.get("/v1/datasets").json}
    given = scopes and scopes.format(id=ids["acme", "trees"])
    reader = with_scopes(client, given) if given else anybody
    readable = [place for place in at if reader.get("/v1/datasets/{}/{}".format(*place)).status_code == 200]
    assert [(each["owner"], each["name"]) for each in reader.get("/v1/datasets").json] == readable
    numbers = [number for number in range(1, 7) if reader.get(f"/v1/mirrors/{number}").status_code == 200]
    assert [each["number"] for each in reader.get("/v1/mirrors").json] == numbers
    # The index itself gives little more.
    service = client.application.extensions["metastore"]
    claims = service.access.claims(reader.environ_base.get("HTTP_AUTHORIZATION"))
    with service.database.read() as connection:
        found = list(datasets.after(connection, None, ("", ""), service.access.reach(claims)))
    assert {(each.owner, each.name) for each in found} - {*readable} <= {("city", "elms"), ("acme", "oaks")}
