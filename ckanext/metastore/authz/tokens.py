"""Tokens: JWTs of ckanext-authz-service's shape, issued, and verified to the letter.

PyJWT signs, and checks signatures. What is around the signature is read here and more strictly than it does: one
spelling of each token, no key twice, numbers that are numbers.

:see: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (best practices)
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import jwt
from jwt.utils import base64url_decode, base64url_encode

from ckanext.metastore.authz.keys import ALGORITHMS, KeyRing, PublicKey
from ckanext.metastore.authz.scopes import Scope, parse_scopes
from ckanext.metastore.core import Invalid, MetastoreError

log = logging.getLogger(__name__)

SIZE_LIMIT = 8192
"""How many characters a token may have."""

LEEWAY = 10
"""How many seconds two clocks may differ."""

_FOREVER = 2**33
_COMPACT = re.compile(r"([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII)
_HEADER = frozenset({"alg", "typ", "kid"})
_SUBJECT = re.compile(r"(?!\.)[A-Za-z0-9_.@-]{1,100}", re.ASCII)


class InvalidToken(MetastoreError):
    """A token that proves nothing. The reason is for the log of whoever refuses it; its bearer is not told."""


@dataclass(frozen=True)
class Claims:
    """What a verified token says.

    :param subject: the user's name; None for nobody in particular
    :param issued_at: in seconds since 1970-01-01 UTC
    :param expires_at: in seconds since 1970-01-01 UTC
    :param name: the user's full name, to be shown; None where it is not said
    """

    subject: str | None
    scopes: tuple[Scope, ...]
    issued_at: float
    expires_at: float
    name: str | None = None


class Issuer:
    """Makes tokens.

    :param ring: the keys
    :param issuer: the claim ``iss``: who makes them
    :param audience: the claim ``aud``: whom they are for; empty for none
    """

    def __init__(self, ring: KeyRing, *, issuer: str, audience: str = "") -> None:
        self._ring = ring
        self._issuer = issuer
        self._audience = audience

    def issue(
        self,
        scopes: Sequence[Scope],
        *,
        lifetime: int,
        subject: str | None = None,
        name: str | None = None,
        email: str | None = None,
    ) -> tuple[str, int]:
        """Make one token.

        :param lifetime: in seconds
        :returns: the token, and when it expires, in seconds since 1970-01-01 UTC
        :raises Invalid: there is no usable key, or the token would be too long
        """
        keys = self._ring.keys()
        if keys.private is None or keys.signing is None:
            raise Invalid("jwt_private_key_file", "is not set: tokens can be verified here, but not made")
        now = time.time()
        claims = {
            "iss": self._issuer,
            "aud": self._audience or None,
            "sub": subject,
            "name": name,
            "email": email,
            "scopes": " ".join(map(str, scopes)),
            # To the fraction of a second: what was made after the token is not what the token is about.
            "iat": now,
            "nbf": int(now),
            "exp": int(now) + lifetime,
            "jti": str(uuid4()),
        }
        said = {claim: value for claim, value in claims.items() if value is not None}
        token = jwt.encode(said, keys.private, keys.signing.algorithm, {"kid": keys.signing.id})
        if len(token) > SIZE_LIMIT:
            raise Invalid("scopes", f"make a token of {len(token):,} characters; at most {SIZE_LIMIT:,} are allowed")
        return token, int(now) + lifetime


class Verifier:
    """Verifies tokens.

    :param ring: the keys
    :param issuer: what the claim ``iss`` must be
    :param audience: what the claim ``aud`` must be; empty where there must be none
    :param max_lifetime: how many seconds a token may live
    :param clock: tells the time, in seconds since 1970-01-01 UTC
    """

    def __init__(
        self,
        ring: KeyRing,
        *,
        issuer: str,
        max_lifetime: int,
        audience: str = "",
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._ring = ring
        self._issuer = issuer
        self._audience = audience
        self._clock = clock or time.time
        self._max_lifetime = max_lifetime

    def verify(self, token: str) -> Claims:
        """What a token says, if all about it is right.

        :raises InvalidToken: something is not
        """
        claims = self.payload(token)
        try:
            scopes = parse_scopes(_text(claims, "scopes"))
        except Invalid as error:
            raise InvalidToken(str(error)) from error
        issued_at = claims["iat"] if "iat" in claims else claims["nbf"]
        name = claims.get("name")
        return Claims(claims.get("sub"), scopes, issued_at, claims["exp"], name if isinstance(name, str) else None)

    def payload(self, token: str) -> dict[str, Any]:
        """All claims of a token, if all about it is right but perhaps its scopes.

        :raises InvalidToken: something is not
        """
        claims = _verified(token, self._ring)
        if _text(claims, "iss") != self._issuer:
            raise InvalidToken("it is of another issuer")
        if claims.get("aud", "") != self._audience or ("aud" in claims and not self._audience):
            raise InvalidToken("it is for another audience")
        if "sub" in claims and not _SUBJECT.fullmatch(_text(claims, "sub")):
            raise InvalidToken("its subject is no user's name")
        if "jti" in claims:
            _text(claims, "jti")
        self._check_times(claims)
        return claims

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self._clock()
        expires_at = _time(claims, "exp")
        begins = [_time(claims, name) for name in ("iat", "nbf") if name in claims]
        if not begins:
            raise InvalidToken("it says neither iat nor nbf")
        if max(begins) > now + LEEWAY:
            raise InvalidToken("it is not valid yet")
        if expires_at <= now - LEEWAY:
            raise InvalidToken("it has expired")
        if expires_at <= max(begins):
            raise InvalidToken("it expires before it is valid")
        if expires_at - min(begins) > self._max_lifetime:
            raise InvalidToken("it lives too long")


def unverified(token: str) -> dict[str, Any]:
    """What a token claims, whoever made it. Good for looking at, and for nothing else.

    :raises InvalidToken: it cannot be read
    """
    _, payload, _ = _parts(token)
    return _object(payload)


def _verified(token: str, ring: KeyRing) -> dict[str, Any]:
    """Read the claims of a token that one of the keys has signed."""
    header, payload, _ = _parts(token)
    if not any(_has_signed(key, token) for key in _candidates(_object(header), ring)):
        raise InvalidToken("no key that is known here has signed it")
    return _object(payload)


def _parts(token: str) -> tuple[bytes, ...]:
    parts = _COMPACT.fullmatch(token) if isinstance(token, str) and len(token) <= SIZE_LIMIT else None
    if parts is None:
        raise InvalidToken("it is no JWT, or too long")
    return tuple(map(_decoded, parts.groups()))


def _has_signed(key: PublicKey, token: str) -> bool:
    try:
        jwt.PyJWS(algorithms=[key.algorithm]).decode(token, key.key, algorithms=[key.algorithm])
    except jwt.PyJWTError:
        return False
    return True


def _decoded(segment: str) -> bytes:
    """Decode a segment that is spelled as it would be encoded, so that there is one spelling of each token."""
    try:
        content = base64url_decode(segment)
    except ValueError as error:
        raise InvalidToken("it is no base64") from error
    if base64url_encode(content).decode() != segment:
        raise InvalidToken("it is no canonical base64")
    return content


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content.decode(), object_pairs_hook=_without_twins, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidToken("it is no JSON") from error
    if not isinstance(found, dict):
        raise InvalidToken("it holds no JSON object")
    return found


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidToken("it says something twice")
    return found


def _no_number(text: str) -> None:
    raise InvalidToken(f"{text} is no number")


def _candidates(header: dict[str, Any], ring: KeyRing) -> list[PublicKey]:
    """Give the keys that may have signed: the one that is named, or all of that algorithm where none is."""
    algorithm, kid = header.get("alg"), header.get("kid")
    if header.keys() - _HEADER or header.get("typ", "JWT") != "JWT":
        raise InvalidToken("its header has what is not known here")
    if algorithm not in ALGORITHMS:
        raise InvalidToken("its algorithm is not allowed")
    try:
        known = ring.keys().public.values()
    except Invalid as error:
        # It is no fault of the token's, and where the keys are is nothing for its bearer.
        log.error("No token can be verified: %s", error)
        raise InvalidToken("no key can be used here") from error
    return [key for key in known if key.algorithm == algorithm and ("kid" not in header or key.id == kid)]


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise InvalidToken(f"its {name} is no text")
    return value


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _FOREVER:
        raise InvalidToken(f"its {name} is no time")
    return value
