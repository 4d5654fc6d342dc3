"""How an account stands in a commit. Commit data is public and permanent, so an address is masked by default."""

from __future__ import annotations

import hmac
from typing import Any

import ckantoolkit as tk
from ckan import model

from ckanext.metastore import config
from ckanext.metastore.core import Author


def author(user: str) -> tuple[Author, str | None, str]:
    """The author of what this account does.

    :param user: the account's name or id; empty where nobody is logged in
    :returns: the author, the account's id (None for the site itself), and the name for the ``CKAN-User`` trailer,
        empty where it may not be told
    """
    account = _account(user)
    if account is None:
        return config.site_author(), None, ""
    mode = config.option("author")
    if mode == "pseudonym":
        return _pseudonym(account.id), account.id, ""
    address = account.email if mode == "real" and account.email else f"{account.name}@{_noreply()}"
    return Author(account.fullname or account.name, address), account.id, account.name


def _account(user: str) -> Any:
    """The account of that name or id, if there is one; who is logged in is known without a query."""
    if tk.request and tk.current_user.is_authenticated and tk.current_user.name == user:
        return tk.current_user
    return model.User.get(user) if user else None


def _pseudonym(user_id: str) -> Author:
    digest = hmac.new(config.secret().encode(), user_id.encode(), "sha256").hexdigest()[:12]
    return Author(f"editor-{digest}", f"editor-{digest}@{_noreply()}")


def _noreply() -> str:
    return f"users.noreply.{config.site_host()}"
