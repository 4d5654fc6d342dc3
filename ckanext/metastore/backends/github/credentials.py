"""How we prove to GitHub who we are: by a token, or as a GitHub App. Neither shows what it holds."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from github import Auth, GithubIntegration

from ckanext.metastore.backends.github.answers import bounded
from ckanext.metastore.backends.hosted import deadline
from ckanext.metastore.backends.hosted.host import Credentials
from ckanext.metastore.core.errors import Invalid, NotFound, Unauthorized, Unavailable

_EARLY = 300.0
"""Seconds before its end at which an App's token is asked for anew: longer than any call may take."""

_renewing = threading.Lock()
_app_tokens: dict[tuple[str, str, str], tuple[str, float]] = {}
"""The Apps' tokens and when they end, by API, App and installation; one lock, as PyGithub has none."""


@dataclass(frozen=True)
class Token:
    """A personal access token, classic or fine-grained."""

    value: str = field(repr=False)

    def token(self, *owners: str) -> str:  # noqa: ARG002
        """Give it."""
        return self.value

    def refused(self) -> None:
        """Nothing: there is no other."""


@dataclass(frozen=True)
class App:
    """A GitHub App, installed for the account that owns the repositories. Its tokens live for an hour.

    :param private_key_file: the PEM file that GitHub gave
    """

    app_id: str
    private_key_file: str
    installation_id: str
    api_url: str
    timeout: float

    def token(self, *owners: str) -> str:  # noqa: ARG002
        """Give the token, renewed in time."""
        if not _renewing.acquire(timeout=deadline.remaining(self.timeout)):
            raise Unavailable("GitHub has not answered in time: another thread still waits for the App's token")
        try:
            value, end = _app_tokens.get(self._key, ("", 0.0))
            if end - _EARLY < time.time():
                value, end = self._asked()
                _app_tokens[self._key] = (value, end)
            return value
        finally:
            _renewing.release()

    def refused(self) -> None:
        """Ask for another the next time: somebody has revoked it, or the clocks differ."""
        _app_tokens.pop(self._key, None)

    @property
    def _key(self) -> tuple[str, str, str]:
        return self.api_url, self.app_id, self.installation_id

    def _asked(self) -> tuple[str, float]:
        try:
            return bounded(self._ask, self.timeout)
        except NotFound:
            raise Unauthorized(f"GitHub knows no installation {self.installation_id} of our App") from None

    def _ask(self) -> tuple[str, float]:
        auth = Auth.AppAuth(self.app_id, self.private_key())
        integration = GithubIntegration(auth=auth, base_url=self.api_url, timeout=int(self.timeout) or 1, retry=None)
        answer = integration.get_access_token(int(self.installation_id))
        return answer.token, answer.expires_at.timestamp()

    def check(self) -> None:
        """Sign something.

        :raises Invalid: the file cannot be read, or holds no RSA key
        """
        key = self.private_key()
        try:
            Auth.AppAuth(self.app_id, key).create_jwt()
        except Exception as error:
            why = f"holds no private RSA key in PEM form: {type(error).__name__}"
            raise Invalid("github.app_private_key_file", why) from None

    def private_key(self) -> str:
        """Read the key.

        :raises Invalid: the file cannot be read
        """
        try:
            return Path(self.private_key_file).read_text()
        except (OSError, ValueError) as error:
            raise Invalid("github.app_private_key_file", f"it cannot be read: {type(error).__name__}") from None


def credentials(
    token: str, app_id: str, private_key_file: str, installation_id: str, api_url: str, timeout: float
) -> Credentials:
    """Choose by what is given.

    :raises Invalid: neither a token nor a whole App is given, or both
    """
    app = {
        "github.app_id": app_id,
        "github.app_private_key_file": private_key_file,
        "github.app_installation_id": installation_id,
    }
    if token and any(app.values()):
        raise Invalid("github.token", "is given beside a GitHub App: leave one of the two out")
    if token:
        return Token(_checked(token))
    if missing := next((name for name, value in app.items() if not value), None):
        why = "is missing" if any(app.values()) else "is missing, and so is a GitHub App: give one of the two"
        raise Invalid(missing if any(app.values()) else "github.token", why)
    if not str(installation_id).isdecimal():
        raise Invalid("github.app_installation_id", "must be a number")
    found = App(str(app_id), private_key_file, str(installation_id), api_url, timeout)
    found.check()
    return found


def _checked(token: str) -> str:
    """Give a token without the end of its line. What is wrong with it is said without showing it."""
    token = token.strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Invalid("github.token", "holds characters that no token has")
    return token


class _NoTokens(logging.Filter):
    """PyGithub logs each answer, at the level DEBUG: not those that are a token."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record may be logged."""
        return "/access_tokens" not in record.getMessage()


logging.getLogger("github.Requester").addFilter(_NoTokens())
