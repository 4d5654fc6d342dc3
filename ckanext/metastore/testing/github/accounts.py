"""Who there is: people, organizations, Apps, and their tokens."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from hashlib import sha256

from ckanext.metastore.testing.github.problems import not_found
from ckanext.metastore.testing.github.store import Store

PERMISSIONS = frozenset({"administration", "contents", "metadata", "repository_hooks", "statuses"})
"""All that a token can be good for. ``metadata`` is reading, and every token has it."""


@dataclass(frozen=True)
class Account:
    """Somebody who can own repositories. The members of an organization can do everything in it."""

    id: int
    login: str
    kind: str
    members: tuple[str, ...]
    created_at: str

    @property
    def is_organization(self) -> bool:
        """Whether it is one, and no person."""
        return self.kind == "Organization"


@dataclass(frozen=True)
class App:
    """A GitHub App with one installation."""

    id: int
    slug: str
    public_key: str
    installation_id: int
    account: str
    created_at: str


@dataclass(frozen=True)
class Token:
    """What a token is good for; the token itself is known by its digest only.

    :ivar owner: a login: whose rights it has; an App's token has those of its installation's account
    """

    owner: str
    permissions: frozenset[str]
    app_id: int | None = None
    expires_at: str | None = None
    revoked: bool = False

    @property
    def name(self) -> str:
        """Who acts, as it stands in the log."""
        return self.owner if self.app_id is None else f"app/{self.app_id}"

    @property
    def is_valid(self) -> bool:
        """Whether it opens anything now."""
        return not self.revoked and (self.expires_at is None or now() < self.expires_at)


def now() -> str:
    """Give the time as GitHub writes it."""
    return stamp(datetime.now(timezone.utc))


def stamp(moment: datetime) -> str:
    """Give a time as GitHub writes it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(token: str) -> str:
    """Give what a token is known by."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


class Accounts:
    """Accounts, Apps and tokens, by login (in any case), number and digest."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._accounts = {k: Account(**{**v, "members": tuple(v["members"])}) for k, v in store.all("account").items()}
        self._apps = {int(k): App(**v) for k, v in store.all("app").items()}
        tokens = store.all("token").items()
        self._tokens = {k: Token(**{**v, "permissions": frozenset(v["permissions"])}) for k, v in tokens}

    def add(self, login: str, kind: str, members: Iterable[str] = ()) -> Account:
        """Add an account, or give the one that is there its members."""
        with self._lock:
            known = self._accounts.get(login.lower())
            number = known.id if known else self._store.next_number()
            created = known.created_at if known else now()
            account = Account(number, login, kind, tuple(members), created)
            self._accounts[login.lower()] = account
            self._store.put("account", login.lower(), asdict(account))
            return account

    def get(self, login: str) -> Account:
        """Give an account.

        :raises Problem: 404
        """
        with self._lock:
            if account := self._accounts.get(login.lower()):
                return account
        raise not_found()

    def may_act_for(self, login: str, owner: str) -> bool:
        """Tell whether somebody is the owner, or a member of the organization that is."""
        with self._lock:
            account = self._accounts.get(owner.lower())
        names = (account.login, *account.members) if account else ()
        return login.lower() in (name.lower() for name in names)

    def add_app(self, app: App) -> None:
        """Add an App, or change it."""
        with self._lock:
            self._apps[app.id] = app
            self._store.put("app", str(app.id), asdict(app))

    def app(self, app_id: int) -> App | None:
        """Give an App."""
        with self._lock:
            return self._apps.get(app_id)

    def add_token(self, secret: str, token: Token) -> None:
        """Make a token known."""
        with self._lock:
            self._tokens[digest(secret)] = token
            self._store.put("token", digest(secret), {**asdict(token), "permissions": sorted(token.permissions)})

    def issue(self, prefix: str, token: Token) -> str:
        """Make a new token; gives the secret."""
        secret = prefix + secrets.token_urlsafe(27).replace("-", "a").replace("_", "b")
        self.add_token(secret, token)
        return secret

    def revoke(self, secret: str) -> None:
        """Make a token worthless."""
        with self._lock:
            self.add_token(secret, replace(self._tokens[digest(secret)], revoked=True))

    def token(self, secret: str) -> Token | None:
        """Give what is known of a token, if it is still good."""
        with self._lock:
            token = self._tokens.get(digest(secret))
        return token if token and token.is_valid else None


def in_seconds(seconds: float) -> str:
    """Give the time some seconds from now, as GitHub writes it."""
    return stamp(datetime.now(timezone.utc) + timedelta(seconds=seconds))
