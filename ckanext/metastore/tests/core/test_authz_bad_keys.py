"""Keys that are of no use: refused in one sentence that names the option, and never told to anybody."""

from __future__ import annotations

import os
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ckanext.metastore.authz import ALGORITHMS, InvalidToken, KeyRing, Verifier
from ckanext.metastore.core import Invalid
from ckanext.metastore.tests import forge

P1, P2, P3 = (forge.pem(number=number) for number in (1, 2, 3))


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
    ring = KeyRing(**{option: pem if option == "private_key" else forge.saved(tmp_path / "key", pem)})
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
    ring = KeyRing(public_key_file=forge.saved(tmp_path / "key", good, pem))
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
    ring = KeyRing(private_key=P1, public_key_file=forge.saved(tmp_path / "key", forge.public(P1), old))
    assert list(ring.keys().public) == [forge.kid(), forge.kid("RS256")]


def test_two_keys_that_do_not_match(tmp_path):
    ring = KeyRing(private_key=P1, public_key_file=forge.saved(tmp_path / "key", forge.public(P2)))
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
    path = forge.saved(tmp_path / "key", P1 if option == "private_key_file" else forge.public(P1))
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
    assert not forge.accepts(ring, forge.token(forge.claims()))
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
    ring = KeyRing(private_key=pem, public_key_file=forge.saved(tmp_path / "key", forge.public(pem)))
    keys = ring.keys()
    assert_tells_no_key(f"{ring!r}{keys!r}{keys}{keys.signing!r}{keys.public!r}{keys.pem}", pem)
    assert "PRIVATE" not in keys.pem
