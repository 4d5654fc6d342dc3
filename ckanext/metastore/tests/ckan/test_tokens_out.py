"""Tokens out: what ``authz_authorize`` grants, and how ``authz_verify`` and the public key prove it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
import pytest
from ckan.tests import factories

from ckanext.metastore.tests.ckan.city import SITE, ref


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    return tmp_path_factory.mktemp("repositories")


@pytest.fixture
def logged_in(city, _cities):
    """The header of a request by a user with an API token of CKAN's; nobody brings none."""
    made = _cities[0].__dict__.setdefault("api_tokens", {})

    def header(user):
        if user is None:
            return {}
        if user["name"] not in made:
            made[user["name"]] = factories.APIToken(user=user["name"])["token"]
        return {"Authorization": made[user["name"]]}

    return header


@pytest.fixture
def authorize(api, logged_in):
    """Ask for a token over HTTP."""

    def ask(user, scopes, **more):
        return api("authz_authorize", {"scopes": scopes, **more}, logged_in(user))

    return ask


DS = "read,update,patch,delete,purge,tag,revert"
"""All that can be asked for on one dataset. Below, what is granted of it to whom."""


def _table(city):
    """What is asked for, and what each gets: the sysadmin, administrator, editor, member, another user, nobody."""
    parks, transport, museum = city.parks, city.transport, city.museum
    trees, hidden, gone = (ref(parks, each) for each in (city.trees, city.hidden, city.gone))
    all_, edits, reads, none = DS, "read,update,patch,delete,tag,revert", "read", ""
    part = "read,update,patch,delete"
    file = city.trees["resources"][0]["id"]
    secret = city.hidden["resources"][0]["id"]
    return {
        f"ds:{trees}:{DS}": (all_, edits, edits, reads, reads, reads),
        f"ds:{ref(parks, city.trees, 'id')}:{DS}": (all_, edits, edits, reads, reads, reads),
        f"ds:{city.trees['name']}:{DS}": (all_, edits, edits, reads, reads, reads),
        f"ds:{city.trees['id']}:{DS}": (all_, edits, edits, reads, reads, reads),
        f"ds:{trees}:metadata:{DS}": (f"{part},purge", part, part, reads, reads, reads),
        f"ds:{trees}:data:{DS}": (f"{part},purge", part, part, reads, reads, reads),
        f"ds:{trees}:other:read": (none,) * 6,
        f"ds:{hidden}:{DS}": (all_, edits, edits, reads, none, none),
        f"ds:{gone}:{DS}": (all_, edits, edits, reads, none, none),
        f"ds:{ref(transport, city.stops)}:{DS}": (all_, reads, edits, reads, reads, reads),
        f"ds:{ref(museum, city.vault)}:{DS}": (all_, none, none, none, none, none),
        f"ds:{ref(transport, city.trees)}:{DS}": (none,) * 6,
        f"ds:{parks['name']}/no-such:{DS}": (none,) * 6,
        f"ds:no-such/{city.trees['name']}:{DS}": (none,) * 6,
        f"ds:*/{city.trees['name']}:{DS}": (none,) * 6,
        f"ds:*:{DS}": (none,) * 6,
        f"ds:*/*:{DS}": (none,) * 6,
        f"ds:{parks['name']}/*:read,update,patch,delete,tag,revert,create": (edits, edits, edits, reads, none, none),
        f"ds:{parks['name']}/:create,list,read": ("create,list", "create,list", "create,list", "list", "list", "list"),
        f"ds:{trees}:write,create,list,readx": (none,) * 6,
        f"ds:{trees}/{file}:read": (none,) * 6,
        f"org:{parks['name']}:read,update,patch,delete,purge": (
            "read,update,patch,delete,purge",
            "read,update,patch,delete",
            "read",
            "read",
            "read",
            "read",
        ),
        f"org:{parks['id']}:read,update": ("read,update", "read,update", "read", "read", "read", "read"),
        "org:no-such:read": (none,) * 6,
        "org:*:read": (none,) * 6,
        f"org:{parks['name']}/x:read": (none,) * 6,
        f"res:{trees}/{file}:read,update,delete": (*("read,update,delete",) * 3, "read", "read", "read"),
        f"res:{trees}/*:read,update,delete": (*("read,update,delete",) * 3, "read", "read", "read"),
        f"res:{trees}/:create": ("create", "create", "create", none, none, none),
        f"res:{hidden}/{secret}:read,update": (*("read,update",) * 3, "read", none, none),
        f"res:{trees}/{secret}:read,update": (none,) * 6,
        f"res:{ref(transport, city.trees)}/{file}:read": (none,) * 6,
        f"res:{city.trees['name']}/{file}:read": (none,) * 6,
        f"obj:{trees}/*:read,write": (*("read,write",) * 3, "read", "read", "read"),
        f"obj:{hidden}/*:read,write": (*("read,write",) * 3, "read", none, none),
        f"obj:{trees}/*:read,write,verify": (*("read,write",) * 3, "read", "read", "read"),
        f"obj:{trees}:read": (none,) * 6,
        f"obj:{trees}/{'a' * 64}:read": (none,) * 6,
        f"obj:{ref(transport, city.trees)}/*:read": (none,) * 6,
        f"obj:{parks['name']}/*:read": (none,) * 6,
    }


def test_who_gets_what(city, authorize):
    users = (city.boss, city.ada, city.edda, city.mona, city.rita, None)
    for scope, expected in _table(city).items():
        place, _, asked = scope.rpartition(":")
        for user, actions in zip(users, expected, strict=True):
            answer = authorize(user, [scope]).json["result"]
            wanted = [f"{place}:{actions}"] if actions else []
            assert answer["granted_scopes"] == wanted, (user, scope)
            assert (answer["requested_scopes"], answer["user_id"]) == ([scope], user and user["name"])
            claims = jwt.decode(answer["token"], options={"verify_signature": False})
            assert claims["scopes"] == " ".join(wanted), asked


def test_several_at_once_are_looked_at_one_by_one(city, authorize):
    mine, theirs = ref(city.parks, city.trees), ref(city.museum, city.vault)
    asked = [f"ds:{mine}:update", f"ds:{theirs}:update,read", f"ds:{mine}:read,read,tag", f"ds:{theirs}:tag"]
    for order in (asked, asked[::-1]):
        answer = authorize(city.edda, order).json["result"]
        assert sorted(answer["granted_scopes"]) == sorted([f"ds:{mine}:update", f"ds:{mine}:read,tag"])
        assert answer["requested_scopes"] == order
        assert authorize(city.edda, " ".join(order)).json["result"]["requested_scopes"] == order


def test_what_a_token_says(city, api, authorize, ckan_config, monkeypatch):
    scope = f"ds:{ref(city.parks, city.trees)}:read"
    before = datetime.now(timezone.utc)
    for user in (city.edda, None):
        answer = authorize(user, scope).json["result"]
        assert set(answer) == {"user_id", "token", "expires_at", "requested_scopes", "granted_scopes"}
        claims = jwt.decode(answer["token"], options={"verify_signature": False})
        people = {"sub", "name"} if user else set()
        assert set(claims) == {"iss", "scopes", "iat", "nbf", "exp", "jti", *people}
        assert (claims["iss"], claims["scopes"], claims.get("sub")) == (SITE, scope, user and user["name"])
        assert claims.get("name") == (user and user["fullname"])
        expires = datetime.fromisoformat(answer["expires_at"])
        assert (expires.timestamp(), expires.utcoffset()) == (claims["exp"], timedelta(0))
        assert before + timedelta(seconds=895) < expires < before + timedelta(seconds=960)
        assert set(jwt.get_unverified_header(answer["token"])) == {"alg", "typ", "kid"}
    for name, value in {"include_user_email": "true", "audience": "lfs", "issuer": "urn:city"}.items():
        monkeypatch.setitem(ckan_config, f"ckanext.authz_service.jwt_{name}", value)
    answer = authorize(city.edda, scope).json["result"]
    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert (claims["email"], claims["aud"], claims["iss"]) == (city.edda["email"], "lfs", "urn:city")
    assert api("authz_verify", {"token": answer["token"]}).json["result"]["verified"]
    assert (
        api("package_show", {"id": city.trees["id"]}, {"Authorization": f"Bearer {answer['token']}"}).status_code == 200
    )


def test_lifetimes(city, authorize, ckan_config, monkeypatch):
    def lives(**asked):
        answer = authorize(city.edda, f"ds:{city.trees['id']}:read", **asked).json["result"]
        claims = jwt.decode(answer["token"], options={"verify_signature": False})
        return claims["exp"] - claims["nbf"]

    assert [lives(), lives(lifetime=60), lives(lifetime="60"), lives(lifetime=10**6), lives(lifetime=1)] == [
        900,
        60,
        60,
        900,
        1,
    ]
    monkeypatch.setitem(ckan_config, "ckanext.authz_service.jwt_max_lifetime", "300")
    assert [lives(), lives(lifetime=60), lives(lifetime=900)] == [300, 60, 300]


def test_bad_input_is_named(city, authorize):
    mine = ref(city.parks, city.trees)
    bad = {
        f"ds:{mine}:read y:read": [f"ds:{mine}:read y:read"],
        f"ds:{mine}:purge,delete tag": [f"ds:{mine}:read", f"ds:{mine}:purge,delete tag"],
        f"ds:{mine}:metadata:read:x": [f"ds:{mine}:metadata:read:x"],
        f"ds:{mine}": [f"ds:{mine}"],
        f"ds:{mine}:": f"ds:{mine}:",
        f"ds:{mine}:*": [f"ds:{mine}:*"],
        f"ds:{mine}*:read": [f"ds:{mine}*:read"],
        f"ds:{mine}:read,": [f"ds:{mine}:read,"],
        f"ds:{mine}::read": [f"ds:{mine}::read"],
        "ds": "ds",
        f"nix:{mine}:read": [f"ds:{mine}:read", f"nix:{mine}:read"],
        f"DS:{mine}:read": [f"DS:{mine}:read"],
        f"ds:{mine}:read\\n": [f"ds:{mine}:read\n"],
        "''": f"ds:{mine}:read  ds:{mine}:tag",
        "not 65": [f"ds:{mine}:read"] * 65,
        "not 0": [],
        "Must be a list of texts": {"ds": mine},
        "one text with a space": None,
        "scope of type obj must be the only one": [f"obj:{mine}/*:read", f"obj:{mine}/*:write"],
        "type obj": f"obj:{mine}/*:read ds:{mine}:read",
        "list of texts": [["ds:x:read"]],
        "Must be a list of texts, or": [1],
    }
    for user in (city.edda, None):
        for named, scopes in bad.items():
            answer = authorize(user, scopes)
            assert answer.status_code == 409, scopes
            assert set(answer.json["error"]) == {"scopes", "__type"}
            assert named in answer.json["error"]["scopes"][0]
    lifetimes: list[Any] = [0, -1, "x", True, 1e9, 1.5, "", [60], {}, 2**40, "60 "]
    for lifetime in lifetimes:
        answer = authorize(city.edda, f"ds:{mine}:read", lifetime=lifetime)
        assert (answer.status_code, set(answer.json["error"])) == (409, {"lifetime", "__type"}), lifetime
    long = [f"ds:{'o' * 99}/{'d' * 99}{number}:read" for number in range(64)]
    assert authorize(city.edda, long).status_code == 200


def test_a_token_is_no_credential_for_more_tokens(city, api, mint):
    scope = f"ds:{ref(city.parks, city.trees)}:update,read"
    answer = api("authz_authorize", {"scopes": scope}, mint(city.boss, scope)).json["result"]
    assert (answer["user_id"], answer["granted_scopes"]) == (None, [scope.replace("update,", "")])


def test_verify(city, api, authorize, mint):
    token = authorize(city.edda, f"ds:{city.trees['id']}:read").json["result"]["token"]
    payload = jwt.decode(token, options={"verify_signature": False})
    forged, expired = f"{token[:-8]}AAAAAAAA", mint.token(mint.claims(city.edda, "ds:x:read", iat=1, nbf=1, exp=2))
    for get in (True, False):
        for strict in ({}, {"strict": "true"}, {"strict": "false"}):
            result = api("authz_verify", {"token": token, **strict}, get=get).json["result"]
            assert result == {"verified": True, "payload": payload}
        for bad in (forged, expired, "nix"):
            result = api("authz_verify", {"token": bad}, get=get).json["result"]
            assert set(result) == {"verified", "message"}
            assert result["verified"] is False
        result = api("authz_verify", {"token": forged, "strict": "false"}, get=get).json["result"]
        assert (result["verified"], result["payload"]) == (False, payload)
        assert api("authz_verify", {}, get=get).status_code == 409
    for odd in (1, [token], None, ""):
        assert api("authz_verify", {"token": odd}).status_code == 409


def test_the_public_key_proves_it(city, api, app, authorize, ckan_config, monkeypatch, tmp_path):
    token = authorize(None, f"ds:{city.trees['id']}:read").json["result"]["token"]
    pem = api("authz_public_key", {}, get=True).json["result"]["public_key"]
    assert api("authz_public_key", {}).json["result"] == {"public_key": pem}
    page = app.get("/authz/public_key")
    assert (page.status_code, page.mimetype, page.text) == (200, "application/x-pem-file", pem)
    assert "PRIVATE" not in pem
    assert jwt.decode(token, pem, ["ES256"])["iss"] == SITE
    monkeypatch.setitem(ckan_config, "ckanext.authz_service.jwt_private_key_file", str(tmp_path / "none.pem"))
    for get in (True, False):
        assert api("authz_public_key", {}, get=get).status_code == 404
    assert app.get("/authz/public_key").status_code == 204
    assert authorize(city.edda, f"ds:{city.trees['id']}:read").status_code == 409
    assert api("authz_verify", {"token": token}).json["result"]["verified"] is False


def test_tokens_are_made_by_post(city, app, logged_in):
    address = f"/api/3/action/authz_authorize?scopes=ds:{city.trees['id']}:read"
    assert app.get(address, headers=logged_in(city.edda)).status_code == 400


def test_one_that_is_given_is_taken(city, api, authorize):
    made = city.dataset(city.parks)
    token = authorize(city.edda, f"ds:{ref(city.parks, made)}:read,tag,revert,delete").json["result"]["token"]
    bring = {"Authorization": f"Bearer {token}"}
    for action, more in {
        "package_show": {},
        "dataset_tag_create": {"name": "v2"},
        "dataset_revert": {"to_revision_ref": "v1"},
        "package_delete": {},
    }.items():
        assert api(action, {"id": made["id"], **more}, bring).status_code == 200, action
    assert api("package_patch", {"id": made["id"], "title": "New"}, bring).status_code == 403
