"""Keys: read from files, and again when these change; refused where they are of no use; never told to anybody."""

from __future__ import annotations

import os
import threading
import time
from base64 import urlsafe_b64decode
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ckanext.metastore.authz import ALGORITHMS, InvalidToken, Issuer, KeyRing, Scope, Verifier, generate_private_key
from ckanext.metastore.core import Invalid
from ckanext.metastore.tests import forge

SCOPES = (Scope("ds", "o/d", ("tag",)),)
P1, P2, P3 = (forge.pem(number=number) for number in (1, 2, 3))


def issue(ring: KeyRing) -> str:
    return Issuer(ring, issuer=forge.ISSUER).issue(SCOPES, lifetime=60)[0]


def accepts(ring: KeyRing, token: str) -> bool:
    try:
        Verifier(ring, issuer=forge.ISSUER, max_lifetime=900).verify(token)
    except InvalidToken:
        return False
    return True


def saved(path: Path, *pems: str) -> str:
    """Put keys into a file as a careful program does: whole or not at all."""
    new = path.with_suffix(".new")
    new.write_text("".join(pems))
    new.replace(path)
    return str(path)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("way", ["text", "one line", "file", "files", "public key only"])
def test_every_algorithm_signs_and_proves(tmp_path, algorithm, way):
    pem = forge.pem(algorithm)
    private = saved(tmp_path / "private.pem", pem)
    public = saved(tmp_path / "public.pem", forge.public(pem))
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
    assert accepts(ring, issue(KeyRing(private_key=pem)))
    if way != "public key only":
        assert accepts(KeyRing(public_key_file=public), issue(ring))


def test_the_key_itself_wins_over_its_file(tmp_path):
    ring = KeyRing(private_key=P1, private_key_file=saved(tmp_path / "private.pem", P2))
    assert list(ring.keys().public) == [forge.kid(number=1)]


def test_what_only_proves_does_not_sign(tmp_path):
    ring = KeyRing(public_key_file=saved(tmp_path / "public.pem", forge.public(P1)))
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
            private_key_file=saved(tmp_path / "private.pem", P1),
            public_key_file=saved(tmp_path / "public.pem", forge.public(P1)),
        )
        assert ring.keys() is ring.keys()
        os.utime(tmp_path / "private.pem")
        assert ring.keys() is ring.keys()

    @pytest.mark.parametrize("way", ["replaced", "rewritten", "rewritten, with size and time as before", "linked"])
    def test_a_new_key_counts_at_once(self, tmp_path, way):
        path = tmp_path / "private.pem"
        if way == "linked":
            path.symlink_to(saved(tmp_path / "one.pem", P1))
        else:
            saved(path, P1)
        ring = KeyRing(private_key_file=str(path))
        old, state = issue(ring), path.stat()
        time.sleep(0.01)  # the kernel's clock does not tick more often
        if way == "replaced":
            saved(path, P2)
        elif way == "linked":
            saved(tmp_path / "two.pem", P2)
            (tmp_path / "new").symlink_to("two.pem")
            (tmp_path / "new").replace(path)
        else:
            path.write_text(P2)
            if way != "rewritten":
                os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
                assert (path.stat().st_size, path.stat().st_mtime_ns) == (state.st_size, state.st_mtime_ns)
        assert not accepts(ring, old)
        assert list(ring.keys().public) == [forge.kid(number=2)]

    def test_while_a_file_is_gone_or_half_written_nothing_is_signed_or_accepted(self, tmp_path, caplog):
        path = tmp_path / "private.pem"
        ring = KeyRing(private_key_file=saved(path, P1))
        token = issue(ring)
        for content in (None, "", P1[:100], "garbage"):
            path.unlink()
            if content is not None:
                path.write_text(content)
            with pytest.raises(Invalid):
                issue(ring)
            assert not accepts(ring, token)
            saved(path, P1)
            assert accepts(ring, token)

    def test_rotation_with_two_public_keys(self, tmp_path):
        private, public = tmp_path / "private.pem", tmp_path / "public.pem"
        signs = KeyRing(private_key_file=saved(private, P1), public_key_file=saved(public, forge.public(P1)))
        proves = KeyRing(public_key_file=str(public))
        old = issue(signs)
        saved(public, forge.public(P1), forge.public(P2))
        assert accepts(signs, old)
        saved(private, P2)
        new = issue(signs)
        assert [accepts(ring, token) for ring in (signs, proves) for token in (old, new)] == [True] * 4
        saved(public, forge.public(P2))
        assert [accepts(ring, token) for ring in (signs, proves) for token in (old, new)] == [False, True] * 2

    def test_the_signing_key_comes_first(self, tmp_path):
        public = saved(tmp_path / "public.pem", forge.public(P1), "\n# the new one\n", forge.public(P2))
        ring = KeyRing(private_key=P2, public_key_file=public)
        assert list(ring.keys().public) == [forge.kid(number=2), forge.kid(number=1)]
        assert ring.keys().pem == forge.public(P2) + forge.public(P1)

    @pytest.mark.parametrize("pems", [(P1, P2), (P2, P1), (forge.pem("RS256"), P1), (P1, forge.pem("EdDSA"))])
    def test_a_token_that_names_no_key_may_be_of_any(self, tmp_path, pems):
        ring = KeyRing(public_key_file=saved(tmp_path / "public.pem", *map(forge.public, pems)))
        assert accepts(ring, forge.token(forge.claims()))
        assert not accepts(ring, forge.token(forge.claims(), number=3))

    def test_a_token_is_of_the_key_that_it_names(self, tmp_path):
        ring = KeyRing(public_key_file=saved(tmp_path / "public.pem", forge.public(P1), forge.public(P2)))
        assert accepts(ring, forge.token(forge.claims(), kid=forge.kid(number=1)))
        assert not accepts(ring, forge.token(forge.claims(), kid=forge.kid(number=2)))

    def test_threads_get_keys_while_these_change(self, tmp_path):
        path, done = tmp_path / "private.pem", threading.Event()
        ring = KeyRing(private_key_file=saved(path, P1))

        def read() -> set[str]:
            found: set[str] = set()
            while not done.is_set():
                found |= ring.keys().public.keys()
            return found

        with ThreadPoolExecutor(4) as threads:
            reading = [threads.submit(read) for _ in range(4)]
            for pem in [P1, P2] * 10:
                saved(path, pem)
            done.set()
        assert set().union(*(each.result() for each in reading)) <= {forge.kid(number=1), forge.kid(number=2)}


def certificate(pem: str) -> str:
    name, key = x509.Name([]), forge.key(pem)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, datetime(2026, 1, 1), datetime(2027, 1, 1))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def damaged(pem: str) -> str:
    lines = pem.splitlines()
    return "\n".join([lines[0], lines[1][::-1], *lines[2:]])


SECRETS = {
    "encrypted": forge.private(forge.key(P1), BestAvailableEncryption(b"secret")),
    "P-384": forge.private(ec.generate_private_key(ec.SECP384R1())),
    "secp256k1": forge.private(ec.generate_private_key(ec.SECP256K1())),
    "RSA-1024": forge.private(rsa.generate_private_key(65537, 1024)),
    "Ed448": forge.private(ed448.Ed448PrivateKey.generate()),
    "X25519": forge.private(x25519.X25519PrivateKey.generate()),
    "OpenSSH": forge.key(P1).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(),
    "damaged": damaged(P1),
    "cut": P1[:120],
    "without its frame": "".join(P1.splitlines()[1:-1]),
    "public": forge.public(P1),
    "certificate": certificate(P1),
    "empty": " ",
    "path": "/etc/ckan/tokens.pem",
}


def assert_tells_no_key(text: str, *pems: str) -> None:
    for pem in pems:
        assert not any(line in text for line in pem.splitlines() if len(line) > 20 and not line.startswith("-----"))


@pytest.mark.parametrize("pem", SECRETS.values(), ids=SECRETS.keys())
@pytest.mark.parametrize("option", ["private_key", "private_key_file"])
def test_private_keys_that_are_of_no_use(tmp_path, option, pem):
    ring = KeyRing(**{option: pem if option == "private_key" else saved(tmp_path / "key", pem)})
    with pytest.raises(
        Invalid, match=r"is no private key in PEM without a password|must be a key for one of ES256"
    ) as error:
        ring.keys()
    assert error.value.field == f"jwt_{option}"
    assert_tells_no_key(f"{error.value!r}{error.value}{error.value.__cause__!r}{ring!r}", pem)


def test_a_private_key_that_cannot_be_encoded_is_not_repeated():
    with pytest.raises(Invalid, match="is no private key in PEM"):
        KeyRing(private_key=P1.replace("A", "\udcff")).keys()


def public(key) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


PUBLIC = {
    "private": P1,
    "certificate": certificate(P1),
    "P-384": public(ec.generate_private_key(ec.SECP384R1())),
    "RSA-1024": public(rsa.generate_private_key(65537, 1024)),
    "Ed448": public(ed448.Ed448PrivateKey.generate()),
    "damaged": damaged(forge.public(P1)),
    "empty": "",
    "cut": forge.public(P1)[:100],
    "binary": "\0\1\2",
}


@pytest.mark.parametrize("pem", PUBLIC.values(), ids=PUBLIC.keys())
@pytest.mark.parametrize("good", ["", forge.public(P1)], ids=["alone", "after a good one"])
def test_public_keys_that_are_of_no_use(tmp_path, pem, good):
    ring = KeyRing(public_key_file=saved(tmp_path / "key", good, pem))
    if good and "-----END" not in pem:
        assert list(ring.keys().public) == [forge.kid()]
        return
    with pytest.raises(
        Invalid, match=r"holds something that is no public|holds no public|must be a key for one of"
    ) as error:
        ring.keys()
    assert error.value.field == "jwt_public_key_file"
    assert_tells_no_key(f"{error.value!r}{error.value}{error.value.__cause__!r}", pem)


def test_a_public_key_may_be_written_as_pkcs_1(tmp_path):
    old = forge.key(forge.pem("RS256")).public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    ring = KeyRing(private_key=P1, public_key_file=saved(tmp_path / "key", forge.public(P1), old))
    assert list(ring.keys().public) == [forge.kid(), forge.kid("RS256")]


def test_two_keys_that_do_not_match(tmp_path):
    ring = KeyRing(private_key=P1, public_key_file=saved(tmp_path / "key", forge.public(P2)))
    with pytest.raises(Invalid, match=r"jwt_public_key_file: .* does not hold the private key's public half"):
        ring.keys()


def test_no_key_at_all():
    with pytest.raises(
        Invalid, match="jwt_private_key_file: is not set; make a key with: metastore keys generate FILE"
    ):
        KeyRing().keys()


@pytest.mark.parametrize("option", ["private_key_file", "public_key_file"])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none", "No such file"),
        (".", "Is a directory"),
        ("f/x", "Not a directory"),
        ("loop", "symbolic links"),
        ("x" * 999, "too long"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, option, name, reason):
    (tmp_path / "f").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(Invalid, match=f"jwt_{option}: .* cannot be read: .*{reason}"):
        KeyRing(**{option: str(tmp_path / name)}).keys()


@pytest.mark.parametrize("option", ["private_key_file", "public_key_file"])
def test_files_of_others_cannot_be_read(tmp_path, option):
    path = saved(tmp_path / "key", P1 if option == "private_key_file" else forge.public(P1))
    os.chmod(path, 0)  # noqa: PTH101
    before = os.geteuid()
    try:
        if before == 0:
            os.seteuid(65534)
        with pytest.raises(Invalid, match=f"jwt_{option}: .* cannot be read: Permission denied"):
            KeyRing(**{option: path}).keys()
    finally:
        os.seteuid(before)


@pytest.mark.parametrize(
    "pem", [P1, P1.replace("\n", "\\n"), forge.pem("RS256")], ids=["lines", "one line", "a long one"]
)
def test_a_key_in_place_of_its_path_is_not_repeated(pem, caplog):
    ring = KeyRing(private_key_file=pem)
    with pytest.raises(Invalid, match="jwt_private_key_file: is a key itself; it must be the path of one") as error:
        ring.keys()
    assert error.value.__suppress_context__
    assert not accepts(ring, forge.token(forge.claims()))
    assert_tells_no_key(f"{error.value!r}{caplog.text}", pem)


def test_the_log_says_why_nothing_can_be_verified_and_the_bearer_is_not_told(tmp_path, caplog):
    ring = KeyRing(private_key_file=str(tmp_path / "none.pem"))
    with pytest.raises(InvalidToken) as error:
        Verifier(ring, issuer=forge.ISSUER, max_lifetime=900).verify(forge.token(forge.claims()))
    assert str(error.value) == "no key can be used here"
    assert "none.pem cannot be read" in caplog.text


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_nothing_shows_the_private_key(tmp_path, algorithm):
    pem = forge.pem(algorithm)
    ring = KeyRing(private_key=pem, public_key_file=saved(tmp_path / "key", forge.public(pem)))
    keys = ring.keys()
    assert_tells_no_key(f"{ring!r}{keys!r}{keys}{keys.signing!r}{keys.public!r}{keys.pem}", pem)
    assert "PRIVATE" not in keys.pem


@pytest.mark.parametrize("algorithm", ["", "HS256", "none", "es256", "ES384", None])
def test_keys_of_unknown_kinds_are_not_made(algorithm):
    with pytest.raises(Invalid, match="it must be one of ES256, EdDSA, RS256"):
        generate_private_key(algorithm)


def test_an_rsa_key_has_2048_bits():
    assert forge.key(generate_private_key("RS256")).key_size == 2048
