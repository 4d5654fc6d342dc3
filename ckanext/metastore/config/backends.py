"""The configured backend, and the Git host behind it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import ckantoolkit as tk

from ckanext.metastore.config.options import (
    authz_option,
    dataset_url,
    lfs_url,
    option,
    path,
    publish_timeout,
    site_author,
)
from ckanext.metastore.config.tokens import issuer
from ckanext.metastore.core import Backend, Invalid, Site, create_backend
from ckanext.metastore.model.repositories import Repositories

GITHUB = "github"
SERVICE = "service"

_OPTIONS = {
    GITHUB: ("owner", "token", "app_id", "app_private_key_file", "app_installation_id", "api_url", "git_url"),
    SERVICE: ("owner", "url", "private_key_file", "issuer", "audience"),
}
"""The options that a backend for a Git host has of its own, by its name."""

_ADDRESSES = {GITHUB: "git_url", SERVICE: "url"}
_GITHUB_API = "https://api.github.com"


def backend() -> Backend:
    """The configured backend; one for each distinct configuration."""
    name = option("backend")
    site = Site(site_author(), dataset_url(), lfs_url())
    options = {"path": path(), "branch": option("branch"), "site": site}
    if name in _OPTIONS:
        options |= {key: option(f"{name}.{key}") or "" for key in _OPTIONS[name]}
        options |= {"purge": option("purge"), "timeout": publish_timeout(), "registry": Repositories(host() or "")}
    if name == SERVICE and not options["private_key_file"]:
        options |= _own_keys()
    return _backend(name, tuple(options.items()))


def _own_keys() -> dict[str, str]:
    """The keys that sign the site's tokens: a service can be told to accept them."""
    keys = {name: str(authz_option(f"jwt_{name}") or "") for name in ("private_key", "private_key_file")}
    return {**keys, "issuer": option("service.issuer") or issuer()}


@lru_cache(maxsize=8)
def _backend(name: str, options: tuple[tuple[str, Any], ...]) -> Backend:
    return create_backend(name, **dict(options))


def host() -> str | None:
    """What stands for the Git host, where one is asked; None where the histories are in a folder only."""
    name = str(option("backend"))
    if name in _ADDRESSES:
        return str(option(f"{name}.{_ADDRESSES[name]}") or "").rstrip("/")
    return None if name == "git" else name


def limiting_host() -> str:
    """The Git host's address, where it limits how many repositories are made; an Enterprise Server does not."""
    at_github = option("backend") == GITHUB and option("github.api_url").rstrip("/") == _GITHUB_API
    return str(option("github.git_url").rstrip("/")) if at_github else ""


def has_owners() -> bool:
    """Whether it hangs on a dataset's organization who owns its repository."""
    return bool(option("backend") == SERVICE or github_owners())


def host_owner(organization: str) -> str:
    """Who owns the repositories of an organization's datasets; empty for the backend's own owner.

    :param organization: its name
    :raises Invalid: an entry of ``github.owners`` is wrong
    """
    return organization if option("backend") == SERVICE else github_owners().get(organization, "")


def github_owners() -> dict[str, str]:
    """The accounts at GitHub that own the repositories of CKAN's organizations, by the organization's name.

    :raises Invalid: an entry is not of the form ``organization=owner``
    """
    pairs = [entry.partition("=") for entry in tk.aslist(option("github.owners"))]
    for organization, _, owner in pairs:
        if not organization or not owner:
            raise Invalid("github.owners", f"{organization or owner!r} is not of the form organization=owner")
    return {organization: owner for organization, _, owner in pairs}
