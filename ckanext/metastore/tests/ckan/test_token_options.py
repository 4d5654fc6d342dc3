"""The options of tokens: each that is wrong stops the start with one sentence; the environment wins."""

from __future__ import annotations

from typing import Any

import jwt
import pytest
from ckan.exceptions import CkanConfigurationException
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from ckanext.metastore import config
from ckanext.metastore.authz import generate_private_key


def _pem(key, secret=None):
    how = BestAvailableEncryption(secret) if secret else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()


def _public(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


P256 = ec.generate_private_key(ec.SECP256R1())
KINDS = "must be a key for one of ES256 (curve P-256), EdDSA (Ed25519), RS256 (RSA of 2,048 bits or more)"
LIFETIMES: list[Any] = ["0", 0, "x", "-1", "1.5", "86401", "nan", [], "1e3"]
WRONG = {
    "no key": ({"private_key_file": ""}, "private_key_file: is not set; make a key with: metastore keys generate FILE"),
    "no file": ({"private_key_file": "/nowhere/key.pem"}, "private_key_file: /nowhere/key.pem cannot be read: No such"),
    "a folder": ({"private_key_file": "/"}, "private_key_file: / cannot be read: Is a directory"),
    "no PEM": ({"private_key": "nonsense"}, "private_key: is no private key in PEM without a password"),
    "empty": ({"private_key_file": "/dev/null"}, "private_key_file: is no private key in PEM without a password"),
    "a password": ({"private_key": _pem(P256, b"secret")}, "private_key: is no private key in PEM without a password"),
    "a public one": ({"private_key": _public(P256)}, "private_key: is no private key in PEM without a password"),
    "another curve": ({"private_key": _pem(ec.generate_private_key(ec.SECP384R1()))}, f"private_key: {KINDS}"),
    "short RSA": ({"private_key": _pem(rsa.generate_private_key(65537, 1024))}, f"private_key: {KINDS}"),
    "DSA": ({"private_key": _pem(dsa.generate_private_key(1024))}, f"private_key: {KINDS}"),
    "no public file": ({"public_key_file": "/nowhere/pub.pem"}, "public_key_file: /nowhere/pub.pem cannot be read: No"),
    "no public key": ({"public_key_file": "/dev/null"}, "public_key_file: /dev/null holds no public key in PEM"),
    "unknown algorithm": (
        {"algorithm": "HS256"},
        "algorithm: is 'HS256'; it must be one of ES256, EdDSA, RS256",
    ),
    "another algorithm": ({"algorithm": "RS256"}, "algorithm: is RS256, but the private key is one for ES256"),
    **{
        f"lifetime {value!r}": (
            {"max_lifetime": value},
            f"max_lifetime: is {value!r}; it must be a whole number of seconds from 1 to 86,400",
        )
        for value in LIFETIMES
    },
}


@pytest.fixture
def options(tokens, ckan_config, monkeypatch):
    """Set some of the options."""

    def set_(given):
        for name, value in given.items():
            monkeypatch.setitem(ckan_config, f"ckanext.authz_service.jwt_{name}", value)

    return set_


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_option_stops_the_start(options, name):
    given, said = WRONG[name]
    config.check_tokens()
    options(given)
    with pytest.raises(CkanConfigurationException) as refusal:
        config.check_tokens()
    assert str(refusal.value).startswith(f"ckanext.authz_service.jwt_{said}")
    assert "\n" not in str(refusal.value)
    assert "BEGIN" not in str(refusal.value)


def test_a_public_key_of_another_pair_stops_the_start(options, tmp_path):
    file = tmp_path / "other.pem"
    file.write_text(_public(P256))
    options({"public_key_file": str(file)})
    with pytest.raises(CkanConfigurationException, match=r"does not hold the private key's public half$"):
        config.check_tokens()


@pytest.mark.parametrize("lifetime", ["", None, "1", 86400])
def test_a_right_lifetime(options, lifetime):
    options({"max_lifetime": lifetime})
    config.check_tokens()
    assert config.max_lifetime() == int(lifetime or 900)


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_each_algorithm(options, city, api, algorithm):
    options({"private_key": generate_private_key(algorithm).replace("\n", "\\n"), "algorithm": algorithm})
    config.check_tokens()
    answer = api("authz_authorize", {"scopes": f"ds:{city.trees['id']}:read"}).json["result"]
    assert jwt.get_unverified_header(answer["token"])["alg"] == algorithm
    assert jwt.decode(answer["token"], api("authz_public_key", {}).json["result"]["public_key"], [algorithm])
    bring = {"Authorization": f"Bearer {answer['token']}"}
    assert api("package_show", {"id": city.trees["id"]}, bring).status_code == 200


def test_keys_are_changed_without_refusing_what_is_under_way(options, city, api, mint, tmp_path):
    call = ("package_show", {"id": city.hidden["id"]}, mint(city.edda, f"ds:{city.hidden['id']}:read"))
    both = tmp_path / "both.pem"
    old = api("authz_public_key", {}).json["result"]["public_key"]
    both.write_text(_public(P256) + old)
    options({"private_key": _pem(P256), "public_key_file": str(both)})
    config.check_tokens()
    assert api(*call).status_code == 200
    both.write_text(_public(P256))
    assert api(*call).status_code == 401
    both.write_text("nonsense")
    assert api(*call).status_code == 401
    both.write_text(_public(P256) + old)
    assert api(*call).status_code == 200


def test_the_environment_wins(monkeypatch):
    for name in ("PRIVATE_KEY_FILE", "MAX_LIFETIME", "ISSUER"):
        monkeypatch.setenv(f"CKANEXT__AUTHZ_SERVICE__JWT_{name}", name.lower())
    given = {"ckanext.authz_service.jwt_issuer": "another", "ckanext.authz_service.jwt_audience": "lfs"}
    config.read_environment(given)
    assert given == {
        "ckanext.authz_service.jwt_private_key_file": "private_key_file",
        "ckanext.authz_service.jwt_max_lifetime": "max_lifetime",
        "ckanext.authz_service.jwt_issuer": "issuer",
        "ckanext.authz_service.jwt_audience": "lfs",
    }
