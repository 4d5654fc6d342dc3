"""The service's settings: from a TOML file, from the environment, or as they are by default.

A table's keys have its name before them: ``[github] owner`` is ``github_owner`` here, and ``METASTORE_GITHUB_OWNER`` in
the environment, which wins over the file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ckanext.metastore.core import Invalid
from ckanext.metastore.core.document import DEPTH_LIMIT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PREFIX = "METASTORE_"
FILE_VARIABLE = "METASTORE_CONFIG"
"""The environment variable that names the file."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator can set. Sizes are in bytes, times in seconds.

    :param path: the folder of all that the service keeps: repositories, index, keys
    :param url: where clients find the service; it is the default issuer of tokens
    :param backend: ``git``, ``github``, or a name from the entry-point group ``ckanext.metastore.backends``
    :param branch: the branch that public histories have
    :param anonymous_read: whether what is public can be read without a token
    :param strict: whether whoever changes a dataset must say, by ``If-Match``, which revision they saw
    :param tokens_issuer: the claim ``iss``; the url where it is left out
    :param tokens_audience: the claim ``aud``
    :param tokens_lifetime: how long a token may live
    :param tokens_public_key_file: who signs tokens: public keys in PEM
    :param tokens_public_key_url: the same at an address, such as CKAN's ``/authz/public_key``
    :param tokens_private_key_file: the key that ``metastore token issue`` signs with; made on the first start, under
        ``path``, where no key is named
    :param limits_body: the largest request body
    :param limits_push: the largest push by Git
    :param limits_depth: the most levels of JSON in one
    :param limits_page: the most entries of one page
    :param serve_timeout: how long a client may take to send its request, and how long an answer may take
    :param github_owner: who owns all repositories at GitHub; each dataset's owner where it is left out
    """

    path: Path = Path("metastore")
    url: str = "http://127.0.0.1:5080"
    backend: str = "git"
    branch: str = "main"
    anonymous_read: bool = False
    strict: bool = False

    tokens_issuer: str = ""
    tokens_audience: str = "metastore"
    tokens_lifetime: int = 300
    tokens_public_key_file: str = ""
    tokens_public_key_url: str = ""
    tokens_private_key_file: str = ""

    limits_body: int = 2 * 1024 * 1024
    limits_push: int = 64 * 1024 * 1024
    limits_depth: int = 32
    limits_page: int = 100

    serve_host: str = "127.0.0.1"
    serve_port: int = 5080
    serve_workers: int = 2
    serve_threads: int = 8
    serve_timeout: int = 30

    github_owner: str = ""
    github_token: str = field(default="", repr=False)
    github_app_id: str = ""
    github_app_private_key_file: str = ""
    github_app_installation_id: str = ""
    github_api_url: str = "https://api.github.com"
    github_git_url: str = "https://github.com"
    github_timeout: int = 10
    github_purge: str = "delete"

    def __post_init__(self) -> None:
        for name in (
            "limits_body",
            "limits_push",
            "limits_depth",
            "limits_page",
            "tokens_lifetime",
            "serve_workers",
            "serve_threads",
        ):
            _check(name, getattr(self, name) >= 1, "must be 1 or more")
        _check("serve_timeout", self.serve_timeout >= 1, "must be 1 second or more")
        _check("serve_port", 0 <= self.serve_port < 2**16, "must be a port: 0 to 65535")
        _check("limits_depth", self.limits_depth <= DEPTH_LIMIT, f"must be at most {DEPTH_LIMIT}")
        parts = urlsplit(self.url)
        _check("url", parts.scheme in ("http", "https") and bool(parts.hostname), "must be an http or https address")
        named = bool(self.tokens_public_key_file), bool(self.tokens_public_key_url)
        _check("tokens_public_key_url", not all(named), "must not be set beside tokens_public_key_file")

    @property
    def issuer(self) -> str:
        """Who makes the tokens that are accepted here."""
        return self.tokens_issuer or self.url

    @property
    def hostname(self) -> str:
        """The host in the service's address."""
        return urlsplit(self.url).hostname or "localhost"

    @property
    def private_key_file(self) -> Path | None:
        """The key that signs tokens; ``None`` where others sign them."""
        if self.tokens_private_key_file:
            return Path(self.tokens_private_key_file)
        elsewhere = self.tokens_public_key_file or self.tokens_public_key_url
        return None if elsewhere else self.path / "keys" / "tokens.pem"

    @classmethod
    def load(cls, file: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the file, where one is named, and the environment.

        :param file: wins over :data:`FILE_VARIABLE`
        :raises Invalid: a setting is unknown, or cannot be what it says; names it
        """
        environ = os.environ if environ is None else environ
        file = file or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
        given = dict(_flat(_parsed(file))) if file else {}
        kinds = {item.name: type(item.default) for item in fields(cls)}
        for name in given:
            _check(name, name in kinds, f"is no setting; there are: {', '.join(kinds)}")
        said = {name: environ[PREFIX + name.upper()] for name in kinds if environ.get(PREFIX + name.upper())}
        read = {name: _from_file(name, value, kinds[name]) for name, value in given.items()}
        return cls(**read | {name: _from_text(name, text, kinds[name]) for name, text in said.items()})


def _parsed(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise Invalid("config", f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Invalid("config", f"{file} is no TOML: {error}") from error


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}_")
        else:
            yield prefix + key, value


def _from_file(name: str, value: Any, kind: type) -> Any:
    if isinstance(value, str) and not issubclass(kind, (bool, int)):
        return kind(value) if issubclass(kind, str) else Path(value)
    _check(name, type(value) is kind, f"must be {_called(kind)}, not {value!r}")
    return value


def _from_text(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        _check(name, text.lower() in ("true", "false"), f"must be true or false, not {text!r}")
        return text.lower() == "true"
    if kind is int:
        _check(name, text.isascii() and text.isdecimal(), f"must be a number, not {text!r}")
        return int(text)
    return Path(text) if issubclass(kind, Path) else text


def _called(kind: type) -> str:
    return {bool: "true or false", int: "a number"}.get(kind, "a text")


def _check(name: str, holds: bool, otherwise: str) -> None:
    if not holds:
        raise Invalid(name, otherwise)
