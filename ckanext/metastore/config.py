"""Every option, read and checked in one place: the only module that asks ``toolkit.config``.

Options are declared in ``config_declaration.yaml``. Each can also come from an environment variable, which wins:
``CKANEXT__METASTORE__PATH`` for ``ckanext.metastore.path``.

:see: https://github.com/okfn/ckanext-envvars, whose names these are
"""

from __future__ import annotations

import os
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ckantoolkit as tk
from ckan.exceptions import CkanConfigurationException

from ckanext.metastore.authz import ALGORITHMS, Issuer, KeyRing, Verifier
from ckanext.metastore.core import Author, Backend, Invalid, InvalidName, MetastoreError, Site, create_backend
from ckanext.metastore.core.lfs import check_lfs_url
from ckanext.metastore.core.names import check_branch
from ckanext.metastore.model.repositories import Repositories

PREFIX = "ckanext.metastore."
AUTHZ_PREFIX = "ckanext.authz_service."
"""Tokens are ckanext-authz-service's, and so are their options: they hold whichever of us issues the tokens."""

_GITHUB_OPTIONS = (
    "owner",
    "token",
    "app_id",
    "app_private_key_file",
    "app_installation_id",
    "api_url",
    "git_url",
)
_GITHUB_API = "https://api.github.com"
AUTHOR_MODES = ("masked", "real", "pseudonym")
PURGES = ("delete", "archive")
PUBLISHES = ("inline", "background")
_KEY_FILES = ("private_key_file", "public_key_file")
_DAY = 86400


def read_environment(config: Any) -> None:
    """Let environment variables overrule the configuration file.

    :param config: CKAN's configuration, which is changed
    """
    for variable, value in os.environ.items():
        name = variable.lower().replace("__", ".")
        if variable.isupper() and name.startswith((PREFIX, AUTHZ_PREFIX)):
            config[name] = value


def option(name: str) -> Any:
    """The value of ``ckanext.metastore.<name>``, or its declared default."""
    return tk.config.get(PREFIX + name)


def path() -> str:
    """The folder of the repositories."""
    if option("path"):
        return str(option("path"))
    storage = tk.config.get("ckan.storage_path")
    if not storage:
        raise Invalid(
            f"{PREFIX}path", "is not set, and neither is ckan.storage_path: name a folder for the repositories"
        )
    return str(Path(storage, "metastore"))


def dataset_types() -> frozenset[str]:
    """The dataset types whose saves are recorded."""
    return frozenset(tk.aslist(option("dataset_types")))


def site_host() -> str:
    """The host name in the site's address."""
    return urlsplit(tk.config.get("ckan.site_url") or "").hostname or "localhost"


def secret() -> str:
    """The site's secret, which pseudonyms hang on."""
    return str(tk.config.get("SECRET_KEY") or "")


def site_id() -> str:
    """The name of the account that CKAN acts as on its own behalf."""
    return str(tk.config.get("ckan.site_id"))


def feed_author() -> str:
    """Who stands in a feed as its author."""
    return str(tk.config.get("ckan.feeds.author_name") or site_id())


def feed_limit() -> int:
    """How many entries a feed has, from 1 to 100."""
    return min(max(tk.config.get("ckan.feeds.limit"), 1), 100)


def caches_pages() -> bool:
    """Whether caches may keep the pages that visitors see who are not logged in."""
    return bool(tk.config.get("ckan.cache_enabled"))


def dataset_url() -> str:
    """The address of a dataset's page, with ``{id}`` in it."""
    return f"{_root()}/dataset/{{id}}"


def lfs_url() -> str:
    """The address of the Git LFS server; empty where there is none."""
    return str(option("lfs_url") or "")


def download_url(dataset: dict[str, Any], resource: dict[str, Any]) -> str:
    """The address of an uploaded file, in no particular language."""
    kind, file_name = dataset.get("type") or "dataset", resource["url"].rsplit("/")[-1]
    return f"{_root()}/{kind}/{dataset['id']}/resource/{resource['id']}/download/{file_name}"


def _root() -> str:
    path = (tk.config.get("ckan.root_path") or "").replace("/{{LANG}}", "").rstrip("/")
    return f"{(tk.config.get('ckan.site_url') or '').rstrip('/')}{path}"


def site_title() -> str:
    """What the site calls itself."""
    return str(tk.config.get("ckan.site_title") or "CKAN")


def site_author() -> Author:
    """The site itself: the committer of every commit, and its author where nobody is logged in."""
    return Author(site_title(), f"noreply@{site_host()}")


def backend() -> Backend:
    """The configured backend; one for each distinct configuration."""
    site = Site(site_author(), dataset_url(), lfs_url())
    options = {"path": path(), "branch": option("branch"), "site": site}
    if option("backend") == "github":
        options |= {name: option(f"github.{name}") or "" for name in _GITHUB_OPTIONS}
        options |= {
            "purge": option("purge"),
            "timeout": publish_timeout(),
            "registry": Repositories(host() or ""),
        }
    return _backend(option("backend"), tuple(options.items()))


def limiting_host() -> str:
    """The Git host's address, where it limits how many repositories are made; an Enterprise Server does not."""
    at_github = option("backend") == "github" and option("github.api_url").rstrip("/") == _GITHUB_API
    return str(option("github.git_url").rstrip("/")) if at_github else ""


@lru_cache(maxsize=8)
def _backend(name: str, options: tuple[tuple[str, Any], ...]) -> Backend:
    return create_backend(name, **dict(options))


def host() -> str | None:
    """What stands for the Git host, where one is asked; None where the histories are in a folder only."""
    name = str(option("backend"))
    return None if name == "git" else str(option("github.git_url")).rstrip("/") if name == "github" else name


def publishes_in_background() -> bool:
    """Whether publishing is left to CKAN's job queue."""
    return bool(option("publish") == "background")


def redis_url() -> str:
    """The address of CKAN's Redis."""
    return str(tk.config.get("ckan.redis.url"))


def pull_user() -> str:
    """The name of the account that brings in what others have committed; empty where nothing is pulled."""
    return str(option("pull_user") or "")


def webhook_secret() -> str:
    """What proves that a delivery is the Git host's; empty where none is taken."""
    return str(option("webhook_secret") or "")


def publish_timeout() -> float:
    """For how many seconds publishing may take."""
    return float(option("publish_timeout"))


def github_owners() -> dict[str, str]:
    """The accounts at GitHub that own the repositories of CKAN's organizations, by the organization's name.

    :raises Invalid: an entry is not of the form ``organization=owner``
    """
    pairs = [entry.partition("=") for entry in tk.aslist(option("github.owners"))]
    for organization, _, owner in pairs:
        if not organization or not owner:
            raise Invalid("github.owners", f"{organization or owner!r} is not of the form organization=owner")
    return {organization: owner for organization, _, owner in pairs}


def key_ring() -> KeyRing:
    """The keys that sign and prove tokens."""
    return _key_ring(*(str(authz_option(f"jwt_{name}") or "") for name in ("private_key", *_KEY_FILES)))


@lru_cache(maxsize=8)
def _key_ring(private_key: str, private_key_file: str, public_key_file: str) -> KeyRing:
    return KeyRing(private_key=private_key, private_key_file=private_key_file, public_key_file=public_key_file)


def authz_option(name: str) -> Any:
    """The value of ``ckanext.authz_service.<name>``."""
    return tk.config.get(AUTHZ_PREFIX + name)


def token_issuer() -> Issuer:
    """What makes tokens."""
    return Issuer(key_ring(), issuer=_issuer(), audience=_audience())


def token_verifier() -> Verifier:
    """What verifies tokens."""
    return Verifier(key_ring(), issuer=_issuer(), audience=_audience(), max_lifetime=max_lifetime())


def _issuer() -> str:
    return str(authz_option("jwt_issuer") or tk.config.get("ckan.site_url"))


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


def check() -> None:
    """Refuse to start on a wrong or missing option, with a sentence that says which and why.

    :raises CkanConfigurationException: an option is wrong
    """
    try:
        check_branch(option("branch"))
        if option("author") not in AUTHOR_MODES:
            raise Invalid(f"{PREFIX}author", f"is {option('author')!r}; it must be one of {', '.join(AUTHOR_MODES)}")
        if not dataset_types():
            raise Invalid(f"{PREFIX}dataset_types", "is empty; name at least one dataset type, such as dataset")
        if lfs_url():
            check_lfs_url(lfs_url())
        _check_folder(path())
        _check_publishing()
        github_owners()
        backend()
    except (Invalid, InvalidName) as error:
        raise CkanConfigurationException(f"{PREFIX}{error.field.removeprefix(PREFIX)}: {error.reason}") from error
    except MetastoreError as error:
        raise CkanConfigurationException(f"{PREFIX}backend: {error}") from error


def _check_publishing() -> None:
    try:
        seconds = publish_timeout()
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < inf:
        raise Invalid("publish_timeout", f"is {option('publish_timeout')!r}; it must be a number of seconds above 0")
    for name, values in (("publish", PUBLISHES), ("purge", PURGES)):
        if option(name) not in values:
            raise Invalid(name, f"is {option(name)!r}; it must be one of {', '.join(values)}")


def _check_folder(folder: str) -> None:
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"{PREFIX}path", f"the folder {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Invalid(f"{PREFIX}path", f"the folder {folder} cannot be written to by this user")
