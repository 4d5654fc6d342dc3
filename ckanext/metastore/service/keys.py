"""Whose tokens are accepted: keys of our own, in a file, or fetched from who issues the tokens."""

from __future__ import annotations

import logging
import os
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from ckanext.metastore.authz import Claims, InvalidToken, Issuer, KeyRing, Verifier, generate_private_key
from ckanext.metastore.core import Invalid
from ckanext.metastore.service.settings import Settings

log = logging.getLogger(__name__)

REFRESH_PAUSE = 60.0
"""Seconds between two requests for the public key: a stream of bad tokens is no stream of requests."""

FETCH_TIMEOUT = 5.0
PEM_LIMIT = 65_536


class Keys:
    """Verifies tokens as the settings say.

    :raises Invalid: there is no usable key; names the setting
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = settings.tokens_public_key_url
        self._fetched = settings.path / "keys" / "issuer.pem"
        self._asked_at = float("-inf")
        self._lock = threading.Lock()
        if self._url:
            self._refresh()
        self._ring = _ring(settings, self._fetched)
        self._verifier = Verifier(
            self._ring,
            issuer=settings.issuer,
            audience=settings.tokens_audience,
            max_lifetime=settings.tokens_lifetime,
        )

    def verify(self, token: str) -> Claims:
        """What a token says. Where it is not good by the keys that are known, they are fetched again, if not too often.

        :raises InvalidToken: something about it is not right
        """
        try:
            return self._verifier.verify(token)
        except InvalidToken:
            if not self._url or not self._refresh():
                raise
            return self._verifier.verify(token)

    def check(self) -> None:
        """See whether any token could be verified.

        :raises Invalid: there is no usable key
        """
        self._ring.keys()

    def _refresh(self) -> bool:
        """Fetch the public key, unless that was just tried; whether it was fetched."""
        with self._lock:
            if time.monotonic() < self._asked_at + REFRESH_PAUSE:
                return False
            self._asked_at = time.monotonic()
        try:
            with urllib.request.urlopen(self._url, timeout=FETCH_TIMEOUT) as answer:
                pem = answer.read(PEM_LIMIT)
        except (OSError, ValueError) as error:
            log.warning("The public key cannot be fetched from %s: %s", self._url, error)
            return False
        if b"-----BEGIN PUBLIC KEY-----" not in pem:
            log.warning("%s gives no public key in PEM", self._url)
            return False
        _replace(self._fetched, pem)
        return True


def issuer(settings: Settings) -> Issuer:
    """Who makes tokens here.

    :raises Invalid: others make them
    """
    if settings.private_key_file is None:
        raise Invalid("tokens_private_key_file", "is not set: tokens are made where the public key comes from")
    return Issuer(_ring(settings, Path()), issuer=settings.issuer, audience=settings.tokens_audience)


def ensure_key(settings: Settings) -> None:
    """Make a key of our own, where none is named and there is none yet."""
    path = settings.private_key_file
    if path is None or settings.tokens_private_key_file or path.exists():
        return
    settings.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(generate_private_key())
    # Another process may be first: then its key stands.
    with suppress(FileExistsError):
        os.link(new, path)
    new.unlink()


def _ring(settings: Settings, fetched: Path) -> KeyRing:
    public = str(fetched) if settings.tokens_public_key_url else settings.tokens_public_key_file
    private = settings.private_key_file
    return KeyRing(private_key_file=str(private) if private else "", public_key_file=public if fetched.name else "")


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    new.write_bytes(content)
    new.replace(path)
