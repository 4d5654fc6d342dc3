"""Every option, read in one place: the only module that asks ``toolkit.config``.

Options are declared in ``config_declaration.yaml``. Each can also come from an environment variable, which wins:
``CKANEXT__METASTORE__PATH`` for ``ckanext.metastore.path``.

:see: https://github.com/okfn/ckanext-envvars, whose names these are
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ckantoolkit as tk

from ckanext.metastore.core import Author, Invalid

PREFIX = "ckanext.metastore."
AUTHZ_PREFIX = "ckanext.authz_service."
"""Tokens are ckanext-authz-service's, and so are their options: they hold whichever of us issues the tokens."""

_HARVESTER = "ckanext.harvest.user_name"


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
    return urlsplit(site_url()).hostname or "localhost"


def secret() -> str:
    """The site's secret, which pseudonyms hang on."""
    return str(tk.config.get("SECRET_KEY") or "")


def site_id() -> str:
    """The name of the account that CKAN acts as on its own behalf."""
    return str(tk.config.get("ckan.site_id"))


def robots() -> frozenset[str]:
    """The accounts that nobody is behind: CKAN's own, ckanext-harvest's, and the one that pulls."""
    names = {site_id(), pull_user(), "harvest"}
    if _HARVESTER in tk.config:  # not all its versions declare it, and CKAN complains of get() then
        names.add(str(tk.config[_HARVESTER]))
    return frozenset(names - {""})


def feed_author() -> str:
    """Who stands in a feed as its author."""
    return str(tk.config.get("ckan.feeds.author_name") or site_id())


def feed_limit() -> int:
    """How many entries a feed has, from 1 to 100."""
    return min(max(tk.config.get("ckan.feeds.limit"), 1), 100)


def caches_pages() -> bool:
    """Whether caches may keep the pages that visitors see who are not logged in."""
    return bool(tk.config.get("ckan.cache_enabled"))


def site_url() -> str:
    """The site's address."""
    return str(tk.config.get("ckan.site_url") or "")


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
    return f"{site_url().rstrip('/')}{path}"


def site_title() -> str:
    """What the site calls itself."""
    return str(tk.config.get("ckan.site_title") or "CKAN")


def site_author() -> Author:
    """The site itself: the committer of every commit, and its author where nobody is logged in."""
    return Author(site_title(), f"noreply@{site_host()}")


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


def authz_option(name: str) -> Any:
    """The value of ``ckanext.authz_service.<name>``."""
    return tk.config.get(AUTHZ_PREFIX + name)
