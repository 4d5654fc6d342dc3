"""All that the server holds, in one folder; and who may do what with it."""

from __future__ import annotations

import base64
import binascii
import threading
from pathlib import Path
from typing import Any

from ckanext.metastore.testing.github.accounts import Accounts, Token
from ckanext.metastore.testing.github.deliveries import Deliveries
from ckanext.metastore.testing.github.repositories import Repositories, Repository
from ckanext.metastore.testing.github.store import Store

HOUR = 3600.0


class World:
    """Accounts, tokens and repositories.

    :ivar installation_seconds: how long an App's tokens live from now on
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.store = Store(root / "state.sqlite")
        self.accounts = Accounts(self.store)
        self.repositories = Repositories(self.store, root / "repositories")
        self.installation_seconds = HOUR
        self.statuses_lock = threading.Lock()
        self.deliveries = Deliveries()

    def owns(self, token: Token | None, owner: str) -> bool:
        """Tell whether a token speaks for this owner."""
        return token is not None and self.accounts.may_act_for(token.owner, owner)

    def sees(self, token: Token | None, repository: Repository) -> bool:
        """Tell whether a token's bearer may know of a repository."""
        return not repository.private or self.owns(token, repository.owner)

    def custom_hook(self, repository: Repository) -> Path:
        """Give where a repository's own ``pre-receive`` script lies, if it has one."""
        return self.root / "hooks" / f"{repository.id}"

    def organization_hooks(self, login: str) -> dict[int, dict[str, Any]]:
        """Give an organization's webhooks, by number."""
        kept = self.store.all("organization-hook")
        return {int(number): hook for number, hook in kept.items() if hook["login"].lower() == login.lower()}

    def close(self) -> None:
        """Close the files."""
        self.store.close()


def secret_of(authorization: str) -> str | None:
    """Give the token in an ``Authorization`` header, however it is wrapped."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() in ("token", "bearer"):
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode("utf-8", "replace").partition(":")
    except (binascii.Error, ValueError):
        return ""
    # A token may also stand in the user's place, with nothing or this word after it.
    return user if password in ("", "x-oauth-basic") else password
