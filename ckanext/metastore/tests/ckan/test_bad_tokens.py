"""Bad tokens: each is refused, tells its bearer nothing, and leaves nothing behind."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from ckan.tests import factories
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ckanext.metastore.authz import KeyRing
from ckanext.metastore.tests.ckan.city import SITE


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    return tmp_path_factory.mktemp("repositories")


def _part(content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed(keys, header, payload):
    """A token whose parts are as they are given, with a true signature."""
    key: Any = serialization.load_pem_private_key(keys.read_bytes(), None)
    start = f"{_part(header)}.{_part(payload)}"
    return f"{start}.{_part(jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(start.encode(), key))}"


def _hmac(secret, payload, algorithm="HS256"):
    start = f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(payload)}"
    return f"{start}.{_part(hmac.new(secret, start.encode(), hashlib.sha256).digest())}"


def test_good_ones(claims, keys, mint, tried):
    kid = KeyRing(private_key_file=str(keys)).keys().signing.id
    now = int(time.time())
    for token in (
        mint.token(claims),
        mint.token(claims, headers={"kid": kid}),
        _signed(keys, {"alg": "ES256"}, claims),
        mint.token({**claims, "iat": now + 5, "nbf": now + 5}),
        mint.token({name: value for name, value in claims.items() if name != "iat"}),
        mint.token({name: value for name, value in claims.items() if name != "nbf"}),
        mint.token({**claims, "jti": "1", "email": "edda@example.org", "name": "Edda", "other": [1]}),
    ):
        assert tried(token) == 200
        assert tried(token, "bearer {}") == 200


HEADERS: dict[str, dict[str, Any]] = {
    "alg none": {"alg": "none"},
    "alg NONE": {"alg": "NONE"},
    "alg RS512": {"alg": "RS512"},
    "alg ES384": {"alg": "ES384"},
    "alg RS256": {"alg": "RS256"},
    "alg HS256": {"alg": "HS256"},
    "alg in lower case": {"alg": "es256"},
    "no alg": {"alg": None},
    "alg as a list": {"alg": ["ES256"]},
    "unknown kid": {"kid": "nobody"},
    "empty kid": {"kid": ""},
    "kid null": {"kid": "null"},
    "kid as a list": {"kid": ["nobody"]},
    "kid as a path": {"kid": "../../../../dev/null"},
    "kid as SQL": {"kid": "' OR 1=1 --"},
    "jwk": {"jwk": {"kty": "EC"}},
    "jku": {"jku": "https://example.org/keys.json"},
    "x5u": {"x5u": "https://example.org/key.pem"},
    "crit": {"crit": ["exp"]},
    "unknown crit": {"crit": ["nonsense"], "nonsense": 1},
    "b64": {"b64": False, "crit": ["b64"]},
    "typ": {"typ": "at+jwt"},
    "zip": {"zip": "DEF"},
}


def test_headers(claims, keys, tried):
    for name, change in HEADERS.items():
        header = {key: value for key, value in {"alg": "ES256", "typ": "JWT", **change}.items() if value is not None}
        assert tried(_signed(keys, header, claims)) == 401, name
    others: list[Any] = [[], "ES256", b'{"alg":"ES256","alg":"ES256"}', b"{", b"", {"alg": "ES256", "kid": None}]
    for header in others:
        assert tried(_signed(keys, header, claims)) == 401, header


def test_signatures(claims, keys, mint, tried, app):
    good = mint.token(claims)
    header, payload, signature = good.split(".")
    public = keys.with_name(f"{keys.stem}.pub.pem")
    pem = KeyRing(private_key_file=str(keys)).keys().pem.encode()
    assert not public.exists() or public.read_bytes() == pem
    other = {"exp": claims["exp"] + 1}
    wide = {"scopes": f"{claims['scopes']},purge"}
    p256, p384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
    rsa_key = rsa.generate_private_key(65537, 2048)
    for name, token in {
        "no signature": f"{header}.{payload}.",
        "alg none, no signature": f"{_part({'alg': 'none'})}.{payload}.",
        "2 parts": f"{header}.{payload}",
        "4 parts": f"{good}.{signature}",
        "JWE": f"{good}.{signature}.{signature}",
        "a bit flipped": f"{header}.{payload}.{_part(_flipped(signature))}",
        "a signature of nulls": f"{header}.{payload}.{_part(bytes(64))}",
        "a signature in DER": f"{header}.{payload}.{_part(p256.sign(b'x', ec.ECDSA(_sha256())))}",
        "payload changed": f"{header}.{_part({**claims, **other})}.{signature}",
        "scopes widened": f"{header}.{_part({**claims, **wide})}.{signature}",
        "header changed": f"{_part({'typ': 'JWT', 'alg': 'ES256'})}.{payload}.{signature}",
        "HS256 with the public PEM": _hmac(pem, claims),
        "HS256 with the public PEM, CRLF": _hmac(pem.replace(b"\n", b"\r\n"), claims),
        "HS256 with the public PEM, stripped": _hmac(pem.strip(), claims),
        "HS256 with nothing": _hmac(b"", claims),
        "ES256 said, HMAC made": _hmac(pem, claims, "ES256"),
        "HS256 with the site's secret": _hmac(str(app.flask_app.config["SECRET_KEY"]).encode(), claims),
        "another key": jwt.encode(claims, p256, "ES256"),
        "another curve": jwt.encode(claims, p384, "ES384"),
        "RS256": jwt.encode(claims, rsa_key, "RS256"),
        "RS512": jwt.encode(claims, rsa_key, "RS512"),
        "100 kB": mint.token({**claims, "other": "x" * 100_000}),
        "8 KiB": mint.token({**claims, "other": "x" * 6_200}),
        "no base64": f"{header}.{payload}.{signature[:-1]}!",
        "padded": f"{good}==",
        "spare bits": f"{good[:-1]}{_next(good[-1])}",
        "nothing": "",
        "dots": "..",
        "a space inside": f"{header}. {payload}.{signature}",
        "twice": f"{good} {good}",
        "quotes": f'"{good}"',
        "a comma": f"{good},{good}",
    }.items():
        assert tried(token) == 401, name
    assert tried(good, "Bearer {},") == 401
    assert tried(good) == 200


def _sha256():
    from cryptography.hazmat.primitives.hashes import SHA256

    return SHA256()


def _flipped(signature):
    raw = bytearray(base64.urlsafe_b64decode(f"{signature}=="))
    raw[10] ^= 1
    return bytes(raw)


def _next(character):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(character) + 1]


def test_a_trailing_newline(claims, mint):
    """No header has one; the verifier takes none either."""
    from ckanext.metastore import config
    from ckanext.metastore.authz import InvalidToken

    token = mint.token(claims)
    assert config.token_verifier().verify(token)
    for odd in (f"{token}\n", f"\n{token}", f"{token} ", f"{token}\0"):
        with pytest.raises(InvalidToken):
            config.token_verifier().verify(odd)


GONE = object()
"""The claim is left out."""

CLAIMS = {
    "exp": [GONE, None, [9], "9999999999", True, -1, 0, float("nan"), float("inf"), 1e300, 10**400, {}],
    "nbf": [None, [9], "0", True, float("nan"), {}],
    "iat": [None, [9], "0", False, float("nan"), {}],
    "iss": [GONE, None, "", "https://example.org", f"{SITE}/", SITE.upper(), [SITE], {}, SITE.replace("http", "https")],
    "aud": ["", "metastore", SITE, [], ["metastore"], {}, None, 1],
    "sub": [None, 1, "", "nobody-of-this-name", "../etc/passwd", "a b", "a\n", "a\0", [], {}, "x" * 101, True],
    "jti": [{}, [], 1, None],
    "scopes": [GONE, None, "", " ", {}, 1, True, [], [["ds:a/b:read"]], ["ds:a/b:read", 1], {"ds:a/b:read": 1}],
}


def test_claims(claims, keys, tried):
    for name, values in CLAIMS.items():
        for value in values:
            said = {key: each for key, each in {**claims, name: value}.items() if each is not GONE}
            assert tried(_signed(keys, {"alg": "ES256"}, said)) == 401, (name, value)


def test_times(claims, mint, tried):
    now = int(time.time())
    for name, change in {
        "expired": {"exp": now - 11},
        "long expired": {"exp": now - 4000, "iat": now - 4500, "nbf": now - 4500},
        "not valid yet": {"nbf": now + 15},
        "not made yet": {"iat": now + 15},
        "lives too long": {"exp": now + 901},
        "lives for ten years": {"exp": now + 315_360_000},
        "lived too long": {"iat": now - 900, "nbf": now - 900, "exp": now + 60},
        "made long before": {"iat": now - 900, "exp": now + 60},
    }.items():
        assert tried(mint.token({**claims, **change})) == 401, name
    neither = {key: value for key, value in claims.items() if key not in {"iat", "nbf"}}
    assert tried(mint.token(neither)) == 401


def test_payloads(claims, keys, tried):
    text = json.dumps(claims)
    for payload in (
        [claims],
        "text",
        None,
        1,
        b"",
        b"{",
        b"\xff",
        text.encode() + b"x",
        text.encode("utf-16"),
        f'{{"scopes": "ds:x:read", {text[1:]}'.encode(),
        f'{{"sub": "x", {text[1:]}'.encode(),
        b"[" * 3000,
    ):
        assert tried(_signed(keys, {"alg": "ES256"}, payload)) == 401, payload


def test_subjects(city, claims, mint, tried):
    states = {"deleted": factories.User(), "pending": factories.User(), "renamed": factories.User()}
    for state, user in states.items():
        city.call("organization_member_create", id=city.parks["id"], username=user["name"], role="editor")
        token = mint.token({**claims, "sub": user["name"]})
        assert tried(token) == 200
        change = {"name": f"{user['name']}-2"} if state == "renamed" else {"state": state}
        city.call("user_patch", id=user["id"], **change)
        assert tried(token) == 401, state
    assert tried(mint.token({**claims, "sub": city.edda["id"]})) == 401
    assert tried(mint.token({**claims, "sub": city.edda["name"].upper()})) == 401
    assert tried(mint.token({key: value for key, value in claims.items() if key != "sub"})) == 403
    assert tried(mint.token({**claims, "sub": city.rita["name"]})) == 403


def test_wrong_kinds(city, claims, mint, tried):
    for token in (
        factories.APIToken(user=city.boss["name"])["token"],
        mint.token({"sub": "giftless", "iat": claims["iat"], "exp": claims["exp"], "scopes": "obj:o/d/x:read"}),
        mint.token({**claims, "iss": "giftless", "aud": "giftless"}),
        city.boss["id"],
        "0" * 36,
    ):
        assert tried(token) == 401
