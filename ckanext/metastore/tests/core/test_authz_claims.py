"""What a token says: who, when, what. Each token here is signed rightly, and refused for one thing that it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.metastore.authz import InvalidToken, KeyRing, Scope, Verifier, unverified
from ckanext.metastore.tests import forge
from ckanext.metastore.tests.strategies import json_values

NOW = 1_800_000_000
RING = KeyRing(private_key=forge.pem())
MISSING = object()
OBJECTS = [None, True, False, 0, 1.5, [], ["x"], {}, {"x": "x"}]


def verifier(audience: str = "") -> Verifier:
    return Verifier(RING, issuer=forge.ISSUER, audience=audience, max_lifetime=900, clock=lambda: NOW)


def token(**changes) -> str:
    without = [name for name, value in changes.items() if value is MISSING]
    return forge.token(forge.claims(NOW, without=without, **changes))


def refuse(forged: str, reason: str, audience: str = "") -> None:
    with pytest.raises(InvalidToken, match=reason) as refusal:
        verifier(audience).verify(forged)
    assert type(refusal.value) is InvalidToken


def test_what_a_good_token_says():
    claims = verifier().verify(token(scopes="ds:o/d:tag,read ds:e:purge"))
    assert claims.subject == "ada"
    assert claims.scopes == (Scope("ds", "o/d", ("tag", "read")), Scope("ds", "e", ("purge",)))
    assert (claims.issued_at, claims.expires_at) == (NOW, NOW + 300)


def test_a_token_of_nobody_in_particular():
    assert verifier().verify(token(sub=MISSING)).subject is None


def test_a_token_as_authz_service_makes_it():
    authz_service = token(iat=MISSING, jti=MISSING, email="ada@example.org", nbf=NOW - 5)
    assert verifier().verify(authz_service).issued_at == NOW - 5


def test_it_is_as_old_as_iat_says_even_where_nbf_is_earlier():
    assert verifier().verify(token(iat=NOW - 3.25, nbf=NOW - 4)).issued_at == NOW - 3.25


def test_the_time_is_that_of_the_clock():
    present = Verifier(RING, issuer=forge.ISSUER, max_lifetime=900)
    assert present.verify(forge.token(forge.claims())).subject == "ada"
    with pytest.raises(InvalidToken, match="it has expired"):
        present.verify(forge.token(forge.claims(1_700_000_000)))


NO_TIMES: list[Any] = [None, True, False, "", str(NOW), [NOW], {}, -1, -0.5, 2**33, 10**400, -(10**400), 1e300]


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", NO_TIMES, ids=lambda value: repr(value)[:12])
def test_what_is_no_time(name, value):
    refuse(token(**{name: value}), f"its {name} is no time")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "scopes", "name"])
@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_anywhere(name, text):
    payload = json.dumps(forge.claims(NOW) | {name: float(text)}).encode()
    refuse(forge.token(payload), f"{text} is no number")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("text", ["1e400", "-1e400", "-1e10", "1E11", "8589934592.0"])
def test_numbers_that_are_too_great(name, text):
    payload = json.dumps(forge.claims(NOW) | {name: 4242}).replace("4242", text).encode()
    refuse(forge.token(payload), f"its {name} is no time")


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("it has expired", {"exp": NOW - 10}),
        ("it has expired", {"exp": NOW - 3600, "iat": NOW - 3700, "nbf": NOW - 3700}),
        ("it has expired", {"exp": 0}),
        ("it has expired", {"exp": -0.0}),
        ("its exp is no time", {"exp": MISSING}),
        ("it is not valid yet", {"nbf": NOW + 11}),
        ("it is not valid yet", {"iat": NOW + 10.5}),
        ("it is not valid yet", {"iat": NOW + 11, "nbf": MISSING}),
        ("it says neither iat nor nbf", {"iat": MISSING, "nbf": MISSING}),
        ("it lives too long", {"exp": NOW + 901}),
        ("it lives too long", {"exp": NOW + 900.5}),
        ("it lives too long", {"exp": NOW + 10 * 365 * 86400}),
        ("it lives too long", {"iat": NOW - 601}),
        ("it lives too long", {"nbf": NOW - 601}),
        ("it lives too long", {"nbf": -0.0}),
        ("it lives too long", {"nbf": NOW - 700, "iat": MISSING}),
        ("it expires before it is valid", {"exp": NOW}),
        ("it expires before it is valid", {"exp": NOW - 5}),
        ("it expires before it is valid", {"nbf": NOW + 9, "exp": NOW + 5}),
    ],
)
def test_times(reason, changes):
    refuse(token(**changes), reason)


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": NOW + 10, "nbf": NOW + 10},
        {"iat": NOW - 100, "nbf": NOW - 100, "exp": NOW - 9},
        {"iat": NOW - 100, "nbf": NOW - 100, "exp": NOW - 9.5},
        {"exp": NOW + 900},
        {"exp": NOW + 0.5},
        {"iat": NOW - 600, "nbf": NOW},
        {"iat": MISSING},
        {"nbf": MISSING},
    ],
)
def test_clocks_may_differ_by_ten_seconds(changes):
    assert verifier().verify(token(**changes)).subject == "ada"


ISSUERS = [
    "",
    f"{forge.ISSUER}/",
    f"{forge.ISSUER} ",
    "https://PORTAL.example",
    "http://portal.example",
    "portal.example",
]


@pytest.mark.parametrize("issuer", [*ISSUERS, MISSING, *OBJECTS, [forge.ISSUER]], ids=repr)
def test_issuers(issuer):
    refuse(token(iss=issuer), "it is of another issuer|its iss is no text")


AUDIENCES = [
    "",
    "metastore2",
    "xmetastore",
    "Metastore",
    "metastore ",
    "lfs",
    ["lfs"],
    ["metastore", "lfs"],
    ["metastore"],
]


@pytest.mark.parametrize("audience", [*AUDIENCES, MISSING, *OBJECTS, {"metastore": 1}], ids=repr)
def test_audiences(audience):
    assert verifier("metastore").verify(token(aud="metastore")).subject == "ada"
    refuse(token(aud=audience), "it is for another audience", "metastore")


@pytest.mark.parametrize("audience", ["", "metastore", *OBJECTS], ids=repr)
def test_where_no_audience_is_configured_a_token_names_none(audience):
    refuse(token(aud=audience), "it is for another audience")


SUBJECTS = [
    "",
    " ",
    "../ada",
    "ada/..",
    "a/b",
    "a\\b",
    "..",
    ".",
    ".ada",
    "ada\n",
    "ada\0",
    "a b",
    "ä",
    "\u0430da",
    "ada%2F",
]


@pytest.mark.parametrize("subject", [*SUBJECTS, "\ud800", "\u0661", "x" * 101, *OBJECTS], ids=ascii)
def test_subjects(subject):
    refuse(token(sub=subject), "its subject is no user's name|its sub is no text")


@pytest.mark.parametrize("subject", ["ada", "x" * 100, "ada.l@example.org", "_ada-1", "ADA"])
def test_good_subjects(subject):
    assert verifier().verify(token(sub=subject)).subject == subject


@pytest.mark.parametrize("jti", OBJECTS, ids=repr)
def test_ids_are_texts(jti):
    refuse(token(jti=jti), "its jti is no text")


GOOD = "ds:o/d:tag"
SCOPES = [
    *(
        "",
        " ",
        "*",
        "ds",
        "ds:o/d",
        "ds:o/d:",
        "ds:o/d:a:b:c",
        "ds:..:tag",
        "ds:o/%2F:tag",
        "DS:o/d:tag",
        "ds:o/d*:tag",
    ),
    *(
        f"{GOOD}\t{GOOD}",
        f"{GOOD}  {GOOD}",
        f"{GOOD} ",
        f" {GOOD}",
        f"{GOOD}\n",
        f"{GOOD},{GOOD}",
        f"{GOOD} y:read",
        "ds:*:*",
    ),
    *(
        f"{GOOD} nonsense",
        f"nonsense {GOOD}",
        "ds:o/d:purge,delete,update,tag y:read",
        "d\u0455:o/d:tag",
        '["ds:o/d:tag"]',
    ),
    " ".join([GOOD] * 65),
]


@pytest.mark.parametrize("scopes", SCOPES, ids=lambda scopes: ascii(scopes[:40]))
def test_scopes(scopes):
    refuse(token(scopes=scopes), "^scopes: ")
    assert verifier().payload(token(scopes=scopes))["scopes"] == scopes


@pytest.mark.parametrize("scopes", [MISSING, *OBJECTS, [GOOD], [[GOOD]], {"0": GOOD}], ids=repr)
def test_scopes_are_one_text(scopes):
    refuse(token(scopes=scopes), "its scopes is no text")


PAYLOADS = [
    *(
        b"[]",
        b'["ds:o/d:tag"]',
        b'"x"',
        b"null",
        b"1",
        b"not JSON",
        b"{",
        b"{}{}",
        b'{"iss":"x"}\0',
        b"\xff",
        b"{'a':1}",
    ),
    json.dumps(list(forge.claims(NOW).items())).encode(),
    json.dumps(forge.claims(NOW)).encode("utf-16"),
    b"\xef\xbb\xbf" + json.dumps(forge.claims(NOW)).encode(),
    b"[" * 5900,
    b'{"a":' * 1000,
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: ascii(payload[:20]))
def test_what_holds_no_claims(payload):
    refuse(forge.token(payload), "it is no JSON|it holds no JSON object")
    with pytest.raises(InvalidToken):
        unverified(forge.token(payload))


@pytest.mark.parametrize(
    "value", ["[" * 2500 + "]" * 2500, '{"x":' * 800 + "1" + "}" * 800, "9" * 5000, '"\\ud800"', "1e400"]
)
def test_what_is_odd_where_nobody_looks_breaks_nothing(value):
    payload = json.dumps(forge.claims(NOW))[:-1] + f',"x":{value}}}'
    try:
        claims = verifier().verify(forge.token(payload.encode()))
    except InvalidToken:
        return  # some Pythons read numbers that long, or objects that deep, and some do not
    assert claims.subject == "ada"


@pytest.mark.parametrize(
    "again", ['"sub":"bob"', '"exp":1', '"\\u0073ub":"bob"', '"x":{"y":1,"y":1}', '"x":[{"":1,"":2}]']
)
def test_nothing_is_said_twice(again):
    payload = json.dumps(forge.claims(NOW))[:-1] + f",{again}}}"
    refuse(forge.token(payload.encode()), "it says something twice")


def test_names_of_claims_are_taken_to_the_letter():
    refuse(forge.token({name.upper(): value for name, value in forge.claims(NOW).items()}), "its iss is no text")


def test_tokens_of_other_kinds():
    api_token = {"jti": "aTzNOCGl", "iat": NOW}
    refuse(forge.compact({"alg": "HS256", "typ": "JWT"}, api_token, forge.hs(b"the site's secret")), "its algorithm is")
    refuse(forge.token(api_token), "its iss is no text")
    presigned = {
        "sub": "ada",
        "iss": "giftless",
        "scopes": ["obj:o/d/0a:read"],
        "exp": NOW + 60,
        "iat": NOW,
        "nbf": NOW,
    }
    refuse(forge.token(presigned), "it is of another issuer")
    refuse(forge.token(presigned | {"iss": forge.ISSUER}), "its scopes is no text")


def test_what_is_not_verified_can_be_looked_at():
    stranger = forge.token(forge.claims(NOW, exp=1, sub=None), number=2)
    assert unverified(stranger)["exp"] == 1
    refuse(stranger, "no key that is known here has signed it")


@given(st.sampled_from(["iss", "aud", "sub", "scopes", "exp", "nbf", "iat", "jti", "name"]), json_values)
def test_whatever_is_said_the_answer_is_claims_or_a_refusal(name, value):
    try:
        claims = verifier().verify(token(**{name: value}))
    except InvalidToken:
        return
    assert NOW - 10 < claims.expires_at <= claims.issued_at + 900
