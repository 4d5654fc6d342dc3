"""Tokens made by hand: right ones, and those that no library would make. Signs without PyJWT, which is under test."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ckanext.metastore.authz import InvalidToken, KeyRing, Verifier, generate_private_key

ISSUER = "https://portal.example"
Part = dict[str, Any] | bytes
Signer = Callable[[bytes], bytes]


def pem(algorithm: str = "ES256", number: int = 1) -> str:
    """A private key; always the same one of that number."""
    return _numbered(algorithm, number)


@cache
def _numbered(algorithm: str, number: int) -> str:
    return generate_private_key(algorithm)


def kid(algorithm: str = "ES256", number: int = 1) -> str:
    """The id of the key of that number."""
    return next(iter(KeyRing(private_key=pem(algorithm, number)).keys().public))


@cache
def key(private_pem: str) -> Any:
    return load_pem_private_key(private_pem.encode(), None)


def public(private_pem: str) -> str:
    """The public half."""
    return key(private_pem).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private(unsaved: Any, protection: Any = None) -> str:
    """A key of any kind, as PEM."""
    return unsaved.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection or NoEncryption()).decode()


def es(private_key: Any, digest: HashAlgorithm | None = None) -> Signer:
    """ECDSA as JWS has it: both numbers, one after the other."""
    size = (private_key.key_size + 7) // 8

    def sign(message: bytes) -> bytes:
        numbers = decode_dss_signature(private_key.sign(message, ECDSA(digest or SHA256())))
        return b"".join(number.to_bytes(size, "big") for number in numbers)

    return sign


def rs(private_key: Any, digest: HashAlgorithm | None = None) -> Signer:
    return lambda message: private_key.sign(message, padding.PKCS1v15(), digest or SHA256())


def ps(private_key: Any) -> Signer:
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    return lambda message: private_key.sign(message, pss, SHA256())


def hs(secret: bytes) -> Signer:
    return lambda message: hmac.digest(secret, message, "sha256")


def signer(algorithm: str = "ES256", number: int = 1) -> Signer:
    """What signs rightly, with the key of that number."""
    made = key(pem(algorithm, number))
    return {"ES256": es, "RS256": rs}[algorithm](made) if algorithm != "EdDSA" else made.sign


def base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def claims(now: float | None = None, *, without: Iterable[str] = (), **changes: Any) -> dict[str, Any]:
    """What a good token says, but for these changes."""
    begin = int(time.time() if now is None else now)
    said = {
        "iss": ISSUER,
        "sub": "ada",
        "name": "Ada Lovelace",
        "scopes": "ds:o/d:tag",
        "iat": begin,
        "nbf": begin,
        "exp": begin + 300,
        "jti": str(uuid4()),
    }
    return {name: value for name, value in (said | changes).items() if name not in without}


def compact(header: Part, payload: Part, sign: Signer) -> str:
    """A token of these parts: objects, or what stands in their place."""
    contents = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload))
    message = ".".join(map(base64url, contents))
    return f"{message}.{base64url(sign(message.encode()))}"


def token(payload: Part, algorithm: str = "ES256", number: int = 1, **header: Any) -> str:
    """A token that is signed as its header says."""
    return compact({"alg": algorithm, "typ": "JWT"} | header, payload, signer(algorithm, number))


def saved(path: Path, *pems: str) -> str:
    """Put keys into a file as a careful program does: whole or not at all."""
    new = path.with_suffix(".new")
    new.write_text("".join(pems))
    new.replace(path)
    return str(path)


def accepts(ring: KeyRing, brought: str) -> bool:
    """Whether a token is verified by these keys."""
    try:
        Verifier(ring, issuer=ISSUER, max_lifetime=900).verify(brought)
    except InvalidToken:
        return False
    return True
