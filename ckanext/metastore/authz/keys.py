"""Keys: the private one that signs tokens, and the public ones that prove them.

A key's algorithm follows from its kind, and its id (``kid``) from its content, so that neither can be set wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from ckanext.metastore.core import Invalid

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey
Public = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

ALGORITHMS = ("ES256", "EdDSA", "RS256")
"""What tokens may be signed with; the first one is the default."""

RSA_BITS = 2048
"""The size of an RSA key: the smallest that is taken, and the one that is made."""

_MEMBERS = {"ES256": ("crv", "kty", "x", "y"), "EdDSA": ("crv", "kty", "x"), "RS256": ("e", "kty", "n")}
"""What a thumbprint is made of, in this order (RFC 7638)."""

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_State = tuple[str, int, int, int, int]


@dataclass(frozen=True)
class PublicKey:
    """A key that proves tokens.

    :param id: its JWK thumbprint, which tokens name as ``kid`` (RFC 7638)
    :param algorithm: one of :data:`ALGORITHMS`
    """

    id: str
    algorithm: str
    key: Public
    pem: str = field(repr=False)


@dataclass(frozen=True)
class Keys:
    """The keys at one moment.

    :param private: the one that signs; None where only others do
    :param signing: its public half
    :param public: every key that proves tokens, by its id; the signing key's first
    """

    private: PrivateKey | None
    signing: PublicKey | None
    public: dict[str, PublicKey]

    @property
    def pem(self) -> str:
        """The public keys, one after the other."""
        return "".join(key.pem for key in self.public.values())


class KeyRing:
    """Keys in files, parsed once, and again when a file has changed.

    While a file cannot be read no token is signed or accepted.

    :param private_key: the private key itself, as PEM; wins over the file
    :param private_key_file: the path of the private key, as PEM
    :param public_key_file: the path of one or more public keys, as PEM; must hold the private key's half, if both are
        given. Others in it count too: that is how keys are changed without refusing tokens that are under way
    """

    def __init__(self, *, private_key: str = "", private_key_file: str = "", public_key_file: str = "") -> None:
        self._private_key = private_key
        self._private_path = Path(private_key_file) if private_key_file and not private_key else None
        self._public_path = Path(public_key_file) if public_key_file else None
        # Both at once, as other threads may read and replace them meanwhile.
        self._known: tuple[list[_State], Keys] | None = None

    def keys(self) -> Keys:
        """The keys as they are now.

        :raises Invalid: there is none, or one cannot be used; names the option
        """
        states, known = list(self._states()), self._known
        if known is None or known[0] != states:
            known = self._known = states, self._read()
        return known[1]

    def _states(self) -> Iterator[_State]:
        for option, path in (("jwt_private_key_file", self._private_path), ("jwt_public_key_file", self._public_path)):
            if path:
                with _readable(option, path):
                    state = path.stat()
                # Unlike the time of the content, that of the change cannot be set back.
                yield option, state.st_ctime_ns, state.st_dev, state.st_ino, state.st_size

    def _read(self) -> Keys:
        private, signing = self._read_private()
        public = {signing.id: signing} if signing else {}
        if self._public_path:
            with _readable("jwt_public_key_file", self._public_path):
                found = list(_public_keys(self._public_path.read_bytes()))
            if not found:
                raise Invalid("jwt_public_key_file", f"{self._public_path} holds no public key in PEM")
            if signing and signing.id not in {key.id for key in found}:
                raise Invalid("jwt_public_key_file", f"{self._public_path} does not hold the private key's public half")
            public |= {key.id: key for key in found}
        if not public:
            raise Invalid("jwt_private_key_file", "is not set; make a key with: metastore keys generate FILE")
        return Keys(private, signing, public)

    def _read_private(self) -> tuple[PrivateKey | None, PublicKey | None]:
        if self._private_path:
            with _readable("jwt_private_key_file", self._private_path):
                return _private_key("jwt_private_key_file", self._private_path.read_bytes())
        if self._private_key:
            return _private_key("jwt_private_key", self._private_key.replace("\\n", "\n").encode(errors="replace"))
        return None, None


@contextmanager
def _readable(option: str, path: Path) -> Iterator[None]:
    """Turn what the file system says into our error. What is no path but a key is not repeated."""
    try:
        yield
    except OSError as error:
        if "-----BEGIN" in str(path):
            raise Invalid(option, "is a key itself; it must be the path of one") from None
        raise Invalid(option, f"{path} cannot be read: {error.strerror}") from error


def _private_key(option: str, pem: bytes) -> tuple[PrivateKey, PublicKey]:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # Nothing of the key goes into the message.
        raise Invalid(option, "is no private key in PEM without a password") from error
    if not isinstance(key, PrivateKey):
        raise _unsupported(option)
    return key, _public_key(option, key.public_key())


def _public_keys(pem: bytes) -> Iterator[PublicKey]:
    for block in _PEM.finditer(pem):
        try:
            key = serialization.load_pem_public_key(block[0])
        except (ValueError, UnsupportedAlgorithm) as error:
            raise Invalid("jwt_public_key_file", "holds something that is no public key in PEM") from error
        yield _public_key("jwt_public_key_file", key)


def _public_key(option: str, key: Any) -> PublicKey:
    algorithm, jwk = _described(option, key)
    members = {name: jwk[name] for name in _MEMBERS[algorithm]}
    thumbprint = base64url_encode(sha256(dumps(members, separators=(",", ":")).encode()).digest())
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(thumbprint.decode(), algorithm, key, pem.decode())


def _described(option: str, key: Any) -> tuple[str, dict[str, Any]]:
    """Tell a key's algorithm, and its members as a JWK (RFC 7517)."""
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return "ES256", ECAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, Ed25519PublicKey):
        return "EdDSA", OKPAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, RSAPublicKey) and key.key_size >= RSA_BITS:
        return "RS256", RSAAlgorithm.to_jwk(key, as_dict=True)
    raise _unsupported(option)


def _unsupported(option: str) -> Invalid:
    kinds = f"ES256 (curve P-256), EdDSA (Ed25519), RS256 (RSA of {RSA_BITS:,} bits or more)"
    return Invalid(option, f"must be a key for one of {kinds}")


def generate_private_key(algorithm: str = ALGORITHMS[0]) -> str:
    """Make a private key, as PEM (PKCS #8).

    :param algorithm: one of :data:`ALGORITHMS`
    :raises Invalid: it is not
    """
    key: PrivateKey
    if algorithm == "ES256":
        key = generate_ec(SECP256R1())
    elif algorithm == "EdDSA":
        key = Ed25519PrivateKey.generate()
    elif algorithm == "RS256":
        key = generate_rsa(public_exponent=65537, key_size=RSA_BITS)
    else:
        raise Invalid("algorithm", f"is {algorithm!r}; it must be one of {', '.join(ALGORITHMS)}")
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
