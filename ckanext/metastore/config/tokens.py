"""The options of tokens, which are ckanext-authz-service's, and what is made of them."""

from __future__ import annotations

from functools import lru_cache

import ckantoolkit as tk
from ckan.exceptions import CkanConfigurationException

from ckanext.metastore.authz import ALGORITHMS, Issuer, KeyRing, Verifier
from ckanext.metastore.config.options import AUTHZ_PREFIX, authz_option, site_url
from ckanext.metastore.core import Invalid

_KEY_FILES = ("private_key_file", "public_key_file")
_DAY = 86400


def key_ring() -> KeyRing:
    """The keys that sign and prove tokens."""
    return _key_ring(*(str(authz_option(f"jwt_{name}") or "") for name in ("private_key", *_KEY_FILES)))


@lru_cache(maxsize=8)
def _key_ring(private_key: str, private_key_file: str, public_key_file: str) -> KeyRing:
    return KeyRing(private_key=private_key, private_key_file=private_key_file, public_key_file=public_key_file)


def token_issuer() -> Issuer:
    """What makes tokens."""
    return Issuer(key_ring(), issuer=issuer(), audience=_audience())


def token_verifier() -> Verifier:
    """What verifies tokens."""
    return Verifier(key_ring(), issuer=issuer(), audience=_audience(), max_lifetime=max_lifetime())


def issuer() -> str:
    """Who makes the site's tokens."""
    return str(authz_option("jwt_issuer") or site_url())


def _audience() -> str:
    return str(authz_option("jwt_audience") or "")


def max_lifetime() -> int:
    """How many seconds a token may live."""
    seconds = authz_option("jwt_max_lifetime")
    return 900 if seconds in (None, "") else int(seconds)


def tokens_have_email() -> bool:
    """Whether a token tells its subject's e-mail address."""
    return bool(tk.asbool(authz_option("jwt_include_user_email") or False))


def check_tokens() -> None:
    """Refuse to start where no token could be issued.

    :raises CkanConfigurationException: an option is wrong
    """
    try:
        _check_lifetime()
        signing = key_ring().keys().signing
        if signing is None:
            raise Invalid("jwt_private_key_file", "is not set; make a key with: metastore keys generate FILE")
        algorithm = authz_option("jwt_algorithm") or signing.algorithm
        if algorithm not in ALGORITHMS:
            raise Invalid("jwt_algorithm", f"is {algorithm!r}; it must be one of {', '.join(ALGORITHMS)}")
        if algorithm != signing.algorithm:
            raise Invalid("jwt_algorithm", f"is {algorithm}, but the private key is one for {signing.algorithm}")
    except Invalid as error:
        raise CkanConfigurationException(f"{AUTHZ_PREFIX}{error.field}: {error.reason}") from error


def _check_lifetime() -> None:
    try:
        seconds = max_lifetime()
    except (TypeError, ValueError):
        seconds = 0
    if not 0 < seconds <= _DAY:
        value = authz_option("jwt_max_lifetime")
        raise Invalid("jwt_max_lifetime", f"is {value!r}; it must be a whole number of seconds from 1 to {_DAY:,}")
