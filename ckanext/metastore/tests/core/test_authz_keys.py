"""Keys: read from files, and again when these change."""

from __future__ import annotations

import os
import threading
import time
from base64 import urlsafe_b64decode
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ckanext.metastore.authz import ALGORITHMS, Issuer, KeyRing, Scope, generate_private_key
from ckanext.metastore.core import Invalid
from ckanext.metastore.tests import forge

SCOPES = (Scope("ds", "o/d", ("tag",)),)
P1, P2, P3 = (forge.pem(number=number) for number in (1, 2, 3))


def issue(ring: KeyRing) -> str:
    return Issuer(ring, issuer=forge.ISSUER).issue(SCOPES, lifetime=60)[0]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("way", ["text", "one line", "file", "files", "public key only"])
def test_every_algorithm_signs_and_proves(tmp_path, algorithm, way):
    pem = forge.pem(algorithm)
    private = forge.saved(tmp_path / "private.pem", pem)
    public = forge.saved(tmp_path / "public.pem", forge.public(pem))
    options = {
        "text": {"private_key": pem},
        "one line": {"private_key": pem.replace("\n", "\\n")},
        "file": {"private_key_file": private},
        "files": {"private_key_file": private, "public_key_file": public},
        "public key only": {"public_key_file": public},
    }[way]
    ring = KeyRing(**options)
    assert ring.keys().pem == forge.public(pem)
    assert [key.algorithm for key in ring.keys().public.values()] == [algorithm]
    assert forge.accepts(ring, issue(KeyRing(private_key=pem)))
    if way != "public key only":
        assert forge.accepts(KeyRing(public_key_file=public), issue(ring))


def test_the_key_itself_wins_over_its_file(tmp_path):
    ring = KeyRing(private_key=P1, private_key_file=forge.saved(tmp_path / "private.pem", P2))
    assert list(ring.keys().public) == [forge.kid(number=1)]


def test_what_only_proves_does_not_sign(tmp_path):
    ring = KeyRing(public_key_file=forge.saved(tmp_path / "public.pem", forge.public(P1)))
    with pytest.raises(Invalid, match="jwt_private_key_file: is not set: tokens can be verified here, but not made"):
        issue(ring)


PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_keys_as_openssl_writes_them(algorithm):
    old = forge.key(forge.pem(algorithm)).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert list(KeyRing(private_key=old.decode()).keys().public) == [forge.kid(algorithm)]


@pytest.mark.parametrize(
    "spelled", [f"A key\n{P1}", PARAMETERS + P1, P1.replace("\n", "\r\n"), P1.rstrip(), f"\n{P1}\n"]
)
def test_what_may_be_around_a_key(spelled):
    assert list(KeyRing(private_key=spelled).keys().public) == [forge.kid()]


class TestIds:
    """A key's id is its JWK thumbprint."""

    def thumbprint(self, path: Path, key) -> str:
        path.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return next(iter(KeyRing(public_key_file=str(path)).keys().public))

    def test_as_rfc_7638_has_it_in_section_3_1(self, tmp_path):
        modulus = (
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3o"
            "knjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZH"
            "zu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEg"
            "U8awapJzKnqDKgw"
        )
        number = int.from_bytes(urlsafe_b64decode(modulus + "=="), "big")
        key = rsa.RSAPublicNumbers(65537, number).public_key()
        assert self.thumbprint(tmp_path / "key", key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

    def test_as_rfc_8037_has_it_in_appendix_a_3(self, tmp_path):
        x = urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
        key = ed25519.Ed25519PublicKey.from_public_bytes(x)
        assert self.thumbprint(tmp_path / "key", key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

    @pytest.mark.parametrize("secret", [1, 379])  # the latter's point begins with a zero
    def test_of_a_curve(self, tmp_path, secret):
        key = ec.derive_private_key(secret, ec.SECP256R1()).public_key()
        x, y = (
            forge.base64url(number.to_bytes(32, "big")) for number in (key.public_numbers().x, key.public_numbers().y)
        )
        member = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
        assert self.thumbprint(tmp_path / "key", key) == forge.base64url(sha256(member.encode()).digest())


class TestChanges:
    """Keys are read once, and again when their file has changed."""

    def test_nothing_is_read_again_while_nothing_changes(self, tmp_path):
        ring = KeyRing(
            private_key_file=forge.saved(tmp_path / "private.pem", P1),
            public_key_file=forge.saved(tmp_path / "public.pem", forge.public(P1)),
        )
        assert ring.keys() is ring.keys()
        os.utime(tmp_path / "private.pem")
        assert ring.keys() is ring.keys()

    @pytest.mark.parametrize("way", ["replaced", "rewritten", "rewritten, with size and time as before", "linked"])
    def test_a_new_key_counts_at_once(self, tmp_path, way):
        path = tmp_path / "private.pem"
        if way == "linked":
            path.symlink_to(forge.saved(tmp_path / "one.pem", P1))
        else:
            forge.saved(path, P1)
        ring = KeyRing(private_key_file=str(path))
        old, state = issue(ring), path.stat()
        time.sleep(0.01)  # the kernel's clock does not tick more often
        if way == "replaced":
            forge.saved(path, P2)
        elif way == "linked":
            forge.saved(tmp_path / "two.pem", P2)
            (tmp_path / "new").symlink_to("two.pem")
            (tmp_path / "new").replace(path)
        else:
            path.write_text(P2)
            if way != "rewritten":
                os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
                assert (path.stat().st_size, path.stat().st_mtime_ns) == (state.st_size, state.st_mtime_ns)
        assert not forge.accepts(ring, old)
        assert list(ring.keys().public) == [forge.kid(number=2)]

    def test_while_a_file_is_gone_or_half_written_nothing_is_signed_or_accepted(self, tmp_path, caplog):
        path = tmp_path / "private.pem"
        ring = KeyRing(private_key_file=forge.saved(path, P1))
        token = issue(ring)
        for content in (None, "", P1[:100], "garbage"):
            path.unlink()
            if content is not None:
                path.write_text(content)
            with pytest.raises(Invalid):
                issue(ring)
            assert not forge.accepts(ring, token)
            forge.saved(path, P1)
            assert forge.accepts(ring, token)

    def test_rotation_with_two_public_keys(self, tmp_path):
        private, public = tmp_path / "private.pem", tmp_path / "public.pem"
        signs = KeyRing(
            private_key_file=forge.saved(private, P1), public_key_file=forge.saved(public, forge.public(P1))
        )
        proves = KeyRing(public_key_file=str(public))
        old = issue(signs)
        forge.saved(public, forge.public(P1), forge.public(P2))
        assert forge.accepts(signs, old)
        forge.saved(private, P2)
        new = issue(signs)
        assert [forge.accepts(ring, token) for ring in (signs, proves) for token in (old, new)] == [True] * 4
        forge.saved(public, forge.public(P2))
        assert [forge.accepts(ring, token) for ring in (signs, proves) for token in (old, new)] == [False, True] * 2

    def test_the_signing_key_comes_first(self, tmp_path):
        public = forge.saved(tmp_path / "public.pem", forge.public(P1), "\n# the new one\n", forge.public(P2))
        ring = KeyRing(private_key=P2, public_key_file=public)
        assert list(ring.keys().public) == [forge.kid(number=2), forge.kid(number=1)]
        assert ring.keys().pem == forge.public(P2) + forge.public(P1)

    @pytest.mark.parametrize("pems", [(P1, P2), (P2, P1), (forge.pem("RS256"), P1), (P1, forge.pem("EdDSA"))])
    def test_a_token_that_names_no_key_may_be_of_any(self, tmp_path, pems):
        ring = KeyRing(public_key_file=forge.saved(tmp_path / "public.pem", *map(forge.public, pems)))
        assert forge.accepts(ring, forge.token(forge.claims()))
        assert not forge.accepts(ring, forge.token(forge.claims(), number=3))

    def test_a_token_is_of_the_key_that_it_names(self, tmp_path):
        ring = KeyRing(public_key_file=forge.saved(tmp_path / "public.pem", forge.public(P1), forge.public(P2)))
        assert forge.accepts(ring, forge.token(forge.claims(), kid=forge.kid(number=1)))
        assert not forge.accepts(ring, forge.token(forge.claims(), kid=forge.kid(number=2)))

    def test_threads_get_keys_while_these_change(self, tmp_path):
        path, done = tmp_path / "private.pem", threading.Event()
        ring = KeyRing(private_key_file=forge.saved(path, P1))

        def read() -> set[str]:
            found: set[str] = set()
            while not done.is_set():
                found |= ring.keys().public.keys()
            return found

        with ThreadPoolExecutor(4) as threads:
            reading = [threads.submit(read) for _ in range(4)]
            for pem in [P1, P2] * 10:
                forge.saved(path, pem)
            done.set()
        assert set().union(*(each.result() for each in reading)) <= {forge.kid(number=1), forge.kid(number=2)}


@pytest.mark.parametrize("algorithm", ["", "HS256", "none", "es256", "ES384", None])
def test_keys_of_unknown_kinds_are_not_made(algorithm):
    with pytest.raises(Invalid, match="it must be one of ES256, EdDSA, RS256"):
        generate_private_key(algorithm)


def test_an_rsa_key_has_2048_bits():
    assert forge.key(generate_private_key("RS256")).key_size == 2048
