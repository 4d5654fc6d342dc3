"""Tokens issued: what they say, read without the verifier."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from uuid import UUID

import pytest

from ckanext.metastore.authz import ALGORITHMS, Issuer, KeyRing, Scope, Verifier, unverified
from ckanext.metastore.core import Invalid
from ckanext.metastore.tests import forge

TAG, READ = Scope("ds", "o/d", ("tag",)), Scope("ds", "o/*", ("read", "update"), "metadata")


def issuer(algorithm: str = "ES256", audience: str = "") -> Issuer:
    return Issuer(KeyRing(private_key=forge.pem(algorithm)), issuer=forge.ISSUER, audience=audience)


def said(token: str, segment: int = 1) -> dict:
    return json.loads(urlsafe_b64decode(token.split(".")[segment] + "=="))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_header_has_what_is_needed_and_no_more(algorithm):
    token, _ = issuer(algorithm).issue([TAG], lifetime=60)
    assert said(token, 0) == {"alg": algorithm, "typ": "JWT", "kid": forge.kid(algorithm)}


def test_the_claims_are_those_of_authz_service_and_iat_and_jti():
    before = time.time()
    token, expires_at = issuer(audience="lfs").issue([TAG, READ], lifetime=60, subject="ada", name="Ada", email="a@b.c")
    claims = said(token)
    assert claims == {
        "iss": forge.ISSUER,
        "aud": "lfs",
        "sub": "ada",
        "name": "Ada",
        "email": "a@b.c",
        "scopes": "ds:o/d:tag ds:o/*:metadata:read,update",
        "iat": claims["iat"],
        "nbf": int(claims["iat"]),
        "exp": int(claims["iat"]) + 60,
        "jti": str(UUID(claims["jti"], version=4)),
    }
    assert before <= claims["iat"] <= time.time()
    assert expires_at == claims["exp"] == unverified(token)["exp"]
    assert [type(claims[name]) for name in ("exp", "nbf")] == [int, int]


def test_of_nobody_in_particular_nothing_is_said():
    token, _ = issuer().issue([TAG], lifetime=60)
    assert said(token).keys() == {"iss", "scopes", "iat", "nbf", "exp", "jti"}


def test_where_nothing_is_granted_the_scopes_are_an_empty_text():
    token, _ = issuer().issue([], lifetime=60, subject="ada")
    assert said(token)["scopes"] == ""


def test_no_two_tokens_are_the_same():
    assert len({said(issuer().issue([TAG], lifetime=60)[0])["jti"] for _ in range(50)}) == 50


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("audience", ["", "lfs"])
@pytest.mark.parametrize("subject", [None, "ada"])
def test_what_is_issued_is_verified(algorithm, audience, subject):
    ring = KeyRing(private_key=forge.pem(algorithm))
    token, expires_at = issuer(algorithm, audience).issue([TAG, READ], lifetime=900, subject=subject)
    claims = Verifier(ring, issuer=forge.ISSUER, audience=audience, max_lifetime=900).verify(token)
    assert (claims.subject, claims.scopes, claims.expires_at) == (subject, (TAG, READ), expires_at)
    assert claims.issued_at == said(token)["iat"]


def test_names_in_every_script():
    token, _ = issuer().issue([TAG], lifetime=60, subject="ada", name="Ада 李 \ud800")
    assert said(token)["name"] == "Ада 李 \ud800"


@pytest.mark.parametrize(
    ("scopes", "name"), [([TAG] * 64, "x" * 6000), ([Scope("ds", "o" * 100 + "/" + "d" * 100, ("tag",))] * 64, None)]
)
def test_tokens_that_nobody_would_take_are_not_made(scopes, name):
    with pytest.raises(Invalid, match=r"scopes: make a token of [\d,]+ characters; at most 8,192 are allowed"):
        issuer().issue(scopes, lifetime=60, name=name)
