"""What is around a token's claims: its spelling, its header, its signature."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384, SHA512

from ckanext.metastore.authz import ALGORITHMS, InvalidToken, KeyRing, Verifier, unverified
from ckanext.metastore.authz.tokens import SIZE_LIMIT
from ckanext.metastore.tests import forge

NOW = 1_800_000_000
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
CLAIMS = forge.claims(NOW)
GOOD = forge.token(CLAIMS)
HEADER, PAYLOAD, SIGNATURE = GOOD.split(".")
STALE = "no key that is known here has signed it"
NO_JWT = "it is no JWT, or too long"
PUBLIC = forge.public(forge.pem()).encode()


@pytest.fixture(scope="module")
def verify(tmp_path_factory):
    """Verifies tokens of one key of each algorithm."""
    file = tmp_path_factory.mktemp("keys") / "all.pub.pem"
    file.write_text("".join(forge.public(forge.pem(algorithm)) for algorithm in ALGORITHMS))
    ring = KeyRing(public_key_file=str(file))
    return Verifier(ring, issuer=forge.ISSUER, max_lifetime=900, clock=lambda: NOW).verify


def refuse(verify, token, reason=None):
    with pytest.raises(InvalidToken, match=reason) as refusal:
        verify(token)
    assert type(refusal.value) is InvalidToken
    return str(refusal.value)


def with_header(header: forge.Part, signer: forge.Signer | None = None) -> str:
    return forge.compact(header, CLAIMS, signer or forge.signer())


def with_signature(signature: bytes, algorithm: str = "ES256") -> str:
    return forge.compact({"alg": algorithm, "typ": "JWT"}, CLAIMS, lambda _: signature)


def der(message: bytes) -> bytes:
    raw = forge.signer()(message)
    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


def flipped(part: str) -> str:
    return part[:10] + ("A" if part[10] != "A" else "B") + part[11:]


def longer_ed25519(message: bytes) -> bytes:
    """The same signature, with the group's order added to its second half: who does not check takes it too."""
    raw = forge.signer("EdDSA")(message)
    return raw[:32] + (int.from_bytes(raw[32:], "little") + ED25519_ORDER).to_bytes(32, "little")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("named", [True, False])
def test_a_good_token_is_taken_with_and_without_kid(verify, algorithm, named):
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": forge.kid(algorithm)} if named else {})
    assert verify(with_header(header, forge.signer(algorithm))).subject == "ada"


def test_the_type_may_be_left_out(verify):
    assert verify(with_header({"alg": "ES256"})).subject == "ada"


HEADERS = {
    "no alg": {"typ": "JWT"},
    "alg none": {"alg": "none"},
    "alg NONE": {"alg": "NONE"},
    "alg null": {"alg": None},
    "alg a list": {"alg": ["ES256"]},
    "alg an object": {"alg": {"ES256": 1}},
    "alg a number": {"alg": 256},
    "alg true": {"alg": True},
    "alg in lower case": {"alg": "es256"},
    "alg with a space": {"alg": "ES256 "},
    "alg empty": {"alg": ""},
    "alg HS256": {"alg": "HS256"},
    "alg ES384": {"alg": "ES384"},
    "alg ES256K": {"alg": "ES256K"},
    "alg RS384": {"alg": "RS384"},
    "alg PS256": {"alg": "PS256"},
    "alg of another key": {"alg": "RS256"},
    "alg of a third key": {"alg": "EdDSA"},
    "typ of another kind": {"alg": "ES256", "typ": "at+jwt"},
    "typ in lower case": {"alg": "ES256", "typ": "jwt"},
    "typ null": {"alg": "ES256", "typ": None},
    "typ a list": {"alg": "ES256", "typ": ["JWT"]},
    "cty": {"alg": "ES256", "cty": "JWT"},
    "jwk": {"alg": "ES256", "jwk": {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}},
    "jku": {"alg": "ES256", "jku": "https://evil.example/keys.json"},
    "x5u": {"alg": "ES256", "x5u": "https://evil.example/key.pem"},
    "x5c": {"alg": "ES256", "x5c": []},
    "an unknown crit": {"alg": "ES256", "crit": ["exp"], "exp": 1},
    "an empty crit": {"alg": "ES256", "crit": []},
    "crit null": {"alg": "ES256", "crit": None},
    "b64": {"alg": "ES256", "b64": True},
    "b64 false": {"alg": "ES256", "b64": False, "crit": ["b64"]},
    "enc": {"alg": "ES256", "enc": "A256GCM"},
    "zip": {"alg": "ES256", "zip": "DEF"},
    "an unknown member": {"alg": "ES256", "": ""},
    "kid unknown": {"alg": "ES256", "kid": "x"},
    "kid empty": {"alg": "ES256", "kid": ""},
    "kid null": {"alg": "ES256", "kid": None},
    "kid a list": {"alg": "ES256", "kid": [forge.kid()]},
    "kid an object": {"alg": "ES256", "kid": {}},
    "kid a path": {"alg": "ES256", "kid": "../../../../dev/null"},
    "kid an injection": {"alg": "ES256", "kid": "x' UNION SELECT 'key"},
    "kid of another algorithm's key": {"alg": "ES256", "kid": forge.kid("EdDSA")},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_headers(verify, header):
    refuse(verify, with_header(header), "its algorithm is|its header has|no key that")


NO_HEADERS = [
    b"",
    b"{}",
    b"[]",
    b'"ES256"',
    b"null",
    b"1",
    b"not JSON",
    b'{"alg":"ES256"',
    b'{"alg":"ES256"}{}',
    b'{"alg":"ES256"}\0',
    b"{'alg':'ES256'}",
    b'{"alg":"ES256","alg":"ES256"}',
    b'{"alg":"none","alg":"ES256"}',
    b'{"alg":"ES256","\\u0061lg":"ES256"}',
    b'\xef\xbb\xbf{"alg":"ES256"}',
    b'{"alg":"ES256","typ":"\xff"}',
    b'{"alg":"ES256","kid":"\\ud800"}',
    b'{"alg":"ES256","kid":NaN}',
    b'{"alg":"ES256","kid":-Infinity}',
    b'{"alg":"ES256","kid":' + b"9" * 5000 + b"}",
    b'{"alg":"ES256","kid":1e400}',
    b'{"alg":"ES256","kid":' + b"[" * 3000 + b"]" * 3000 + b"}",
    b"[" * 6000,
    b'{"alg":' * 800,
    *(json.dumps({"alg": "ES256"}).encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-32")),
]


@pytest.mark.parametrize("header", NO_HEADERS, ids=lambda header: ascii(header[:30]))
def test_what_is_no_header(verify, header):
    refuse(verify, with_header(header))


@pytest.mark.parametrize("header", [b'{"alg":"ES256"}', b' {"typ": "JWT",\n"alg": "ES256"} '])
def test_what_is_one_though_it_is_spelled_differently(verify, header):
    assert verify(with_header(header)).subject == "ada"


SIGNATURES = {
    "another key of the algorithm": lambda: forge.token(CLAIMS, number=2),
    "another Ed25519 key": lambda: forge.token(CLAIMS, "EdDSA", 2),
    "another RSA key": lambda: forge.token(CLAIMS, "RS256", 2),
    "another RSA key, and the right kid": lambda: forge.token(CLAIMS, "RS256", 2, kid=forge.kid("RS256")),
    "the public PEM as secret": lambda: with_header({"alg": "HS256"}, forge.hs(PUBLIC)),
    "the same with CRLF": lambda: with_header({"alg": "HS256"}, forge.hs(PUBLIC.replace(b"\n", b"\r\n"))),
    "the same without the last line's end": lambda: with_header({"alg": "HS256"}, forge.hs(PUBLIC.strip())),
    "the same as ES256": lambda: with_header({"alg": "ES256"}, forge.hs(PUBLIC)),
    "the same as RS256": lambda: with_header({"alg": "RS256"}, forge.hs(PUBLIC)),
    "an empty secret": lambda: with_header({"alg": "HS256"}, forge.hs(b"")),
    "RS512": lambda: with_header({"alg": "RS512"}, forge.rs(forge.key(forge.pem("RS256")), SHA512())),
    "SHA-512 as RS256": lambda: with_header({"alg": "RS256"}, forge.rs(forge.key(forge.pem("RS256")), SHA512())),
    "PS256": lambda: with_header({"alg": "PS256"}, forge.ps(forge.key(forge.pem("RS256")))),
    "PSS as RS256": lambda: with_header({"alg": "RS256"}, forge.ps(forge.key(forge.pem("RS256")))),
    "SHA-384 as ES256": lambda: with_header({"alg": "ES256"}, forge.es(forge.key(forge.pem()), SHA384())),
    "curve P-384": lambda: with_header({"alg": "ES256"}, forge.es(ec.generate_private_key(ec.SECP384R1()))),
    "curve P-384 as ES384": lambda: with_header({"alg": "ES384"}, forge.es(ec.generate_private_key(ec.SECP384R1()))),
    "curve secp256k1": lambda: with_header({"alg": "ES256"}, forge.es(ec.generate_private_key(ec.SECP256K1()))),
    "an Ed25519 key's as ES256": lambda: with_header({"alg": "ES256"}, forge.signer("EdDSA")),
    "an ES256 key's as EdDSA": lambda: with_header({"alg": "EdDSA"}, forge.signer("ES256")),
    "DER, not JOSE": lambda: with_header({"alg": "ES256"}, der),
    "zeros": lambda: with_signature(bytes(64)),
    "zeros as EdDSA": lambda: with_signature(bytes(64), "EdDSA"),
    "zeros as RS256": lambda: with_signature(bytes(256), "RS256"),
    "r = 0": lambda: with_signature(bytes(32) + b"\1" * 32),
    "s = 0": lambda: with_signature(b"\1" * 32 + bytes(32)),
    "r and s past the order": lambda: with_signature(b"\xff" * 64),
    "one byte": lambda: with_signature(b"\0"),
    "cut": lambda: with_header({"alg": "ES256"}, lambda message: forge.signer()(message)[:-1]),
    "one byte more": lambda: with_header({"alg": "ES256"}, lambda message: forge.signer()(message) + b"\0"),
    "RSA's, one byte more": lambda: with_header({"alg": "RS256"}, lambda m: b"\0" + forge.signer("RS256")(m)),
    "Ed25519's, spelled differently": lambda: with_header({"alg": "EdDSA"}, longer_ed25519),
    "of another token": lambda: ".".join([HEADER, PAYLOAD, forge.token(forge.claims(NOW)).split(".")[2]]),
    "one bit flipped": lambda: ".".join([HEADER, PAYLOAD, flipped(SIGNATURE)]),
    "another payload": lambda: ".".join([HEADER, forge.token(forge.claims(NOW, sub="bob")).split(".")[1], SIGNATURE]),
    "another header": lambda: ".".join([with_header({"alg": "ES256"}).split(".")[0], PAYLOAD, SIGNATURE]),
}


@pytest.mark.parametrize("forged", SIGNATURES.values(), ids=SIGNATURES.keys())
def test_signatures(verify, forged):
    refuse(verify, forged(), f"its algorithm is not allowed|{STALE}")


def test_a_bit_that_is_flipped_anywhere_is_found(verify):
    for place in range(0, len(GOOD), 7):
        changed = chr(ord(GOOD[place]) ^ 1)
        refuse(verify, GOOD[:place] + changed + GOOD[place + 1 :])


SPELLINGS = {
    "nothing": "",
    "dots": "..",
    "one segment": HEADER,
    "two segments": f"{HEADER}.{PAYLOAD}",
    "four segments": f"{GOOD}.{SIGNATURE}",
    "five segments": f"{GOOD}..",
    "no signature": f"{HEADER}.{PAYLOAD}.",
    "alg none and no signature": with_header({"alg": "none"}, lambda _: b""),
    "no header": f".{PAYLOAD}.{SIGNATURE}",
    "no payload": f"{HEADER}..{SIGNATURE}",
    "a dot before": f".{GOOD}",
    "a line's end": f"{GOOD}\n",
    "CRLF": f"{GOOD}\r\n",
    "NUL": f"{GOOD}\0",
    "a space before": f" {GOOD}",
    "a space after": f"{GOOD} ",
    "a space in it": f"{HEADER}. {PAYLOAD}.{SIGNATURE}",
    "a line's end in it": f"{HEADER}.{PAYLOAD[:8]}\n{PAYLOAD[8:]}.{SIGNATURE}",
    "padding": f"{GOOD}==",
    "padding in it": f"{HEADER}=.{PAYLOAD}.{SIGNATURE}",
    "the other alphabet": f"{HEADER}.{PAYLOAD}.+/{SIGNATURE[2:]}",
    "quotes": f'"{GOOD}"',
    "Bearer": f"Bearer {GOOD}",
    "two": f"{GOOD},{GOOD}",
    "digits of another script": GOOD[:-1] + "\u0661",
    "letters of another script": "\u0435" + GOOD[1:],
    "a fullwidth dot": f"{HEADER}\uff0e{PAYLOAD}.{SIGNATURE}",
    "a surrogate": f"{GOOD}\ud800",
    "a BOM": f"\ufeff{GOOD}",
    "100 kB": f"{HEADER}.{'A' * 100_000}.{SIGNATURE}",
    "bytes": GOOD.encode(),
    "None": None,
    "a number": 1,
    "a list": [HEADER, PAYLOAD, SIGNATURE],
}


@pytest.mark.parametrize("token", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_spellings(verify, token):
    assert verify(GOOD).subject == "ada"
    assert refuse(verify, token, NO_JWT) == refuse(unverified, token, NO_JWT)


def test_a_segment_has_one_spelling(verify):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(GOOD[-1])
    assert last % 16 == 0  # 64 bytes leave four bits unused
    for other in alphabet[last + 1 : last + 16]:
        refuse(verify, GOOD[:-1] + other, "it is no canonical base64")


@pytest.mark.parametrize("parts", [("A", PAYLOAD), ("AAAAA", PAYLOAD), (HEADER, "A")])
def test_what_is_no_base64(verify, parts):
    refuse(verify, ".".join([*parts, SIGNATURE]), "it is no base64")


def test_a_token_has_8_kib_at_most(verify):
    room = SIZE_LIMIT - len(forge.token({**CLAIMS, "name": ""}))
    fits = forge.token({**CLAIMS, "name": "x" * (room * 3 // 4)})
    too_long = forge.token({**CLAIMS, "name": "x" * (room * 3 // 4 + 3)})
    assert SIZE_LIMIT - 4 < len(fits) <= SIZE_LIMIT == 8192 < len(too_long)
    assert verify(fits).subject == "ada"
    refuse(verify, too_long, NO_JWT)


def test_no_refusal_repeats_the_token(verify):
    for token in (f"{HEADER}.{PAYLOAD}.{flipped(SIGNATURE)}", f"{GOOD}\n", forge.token(CLAIMS, number=2)):
        assert PAYLOAD[:20] not in refuse(verify, token)
