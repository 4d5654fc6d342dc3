"""How an account stands in a commit. Commit data is public and permanent, so an address is masked by default."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from typing import Any

import ckantoolkit as tk
from ckan import model

from ckanext.metastore import config
from ckanext.metastore.core import Author
from ckanext.metastore.model import queries
from ckanext.metastore.model.queries import Row

_PSEUDONYM = re.compile("editor-[0-9a-f]{12}")


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


def named(revisions: Iterable[Row]) -> dict[str, str | None]:
    """The names of the accounts that revisions were made with, by the revisions' shas; None for one that is gone.

    Left out are those that a commit does not tell of: its author is a pseudonym.
    """
    told = {row.sha: row.user_id for row in revisions if row.user_id and not _PSEUDONYM.fullmatch(row.author_name)}
    accounts = queries.accounts(set(told.values())) if told else {}
    return {sha: accounts.get(user_id) for sha, user_id in told.items()}


def _pseudonym(user_id: str) -> Author:
    digest = hmac.new(config.secret().encode(), user_id.encode(), "sha256").hexdigest()[:12]
    return Author(f"editor-{digest}", f"editor-{digest}@{_noreply()}")


def _noreply() -> str:
    return f"users.noreply.{config.site_host()}"
