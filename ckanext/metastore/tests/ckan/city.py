"""A city's portal for tests of tokens: who has which role where, which datasets there are, and tokens made by hand."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from ckan.tests import factories, helpers

SITE = "http://test.ckan.net"
Dataset = dict[str, Any]


class City:
    """Three organizations. ``edda`` edits the first two, ``ada`` administers the first, ``mona`` is a member of it."""

    def __init__(self) -> None:
        self.edda = factories.User(fullname="Edda Ito", email=factories.User.stub().email)
        self.ada, self.mona, self.rita = factories.User(), factories.User(), factories.User()
        self.boss = factories.Sysadmin()
        edda = {"name": self.edda["name"], "capacity": "editor"}
        ada = {"name": self.ada["name"], "capacity": "admin"}
        mona = {"name": self.mona["name"], "capacity": "member"}
        self.parks = factories.Organization(users=[edda, ada, mona])
        self.transport = factories.Organization(users=[edda])
        self.museum = factories.Organization()
        self.trees = self.dataset(self.parks, tags=[{"name": "trees"}])
        self.hidden = self.dataset(self.parks, private=True)
        self.gone = self.dataset(self.parks)
        self.stops = self.dataset(self.transport)
        self.vault = self.dataset(self.museum, private=True)
        self.call("package_delete", id=self.gone["id"])

    def dataset(self, organization: Dataset, **fields: Any) -> Dataset:
        """Make a dataset with one resource; its history has a tag ``v1``."""
        made = self.call(
            "package_create",
            name=factories.Dataset.stub().name,
            owner_org=organization["id"],
            resources=[{"name": "List", "url": "https://example.org/list.csv"}],
            **fields,
        )
        self.call("dataset_tag_create", id=made["id"], name="v1")
        return made

    def call(self, action: str, user: str | None = None, **params: Any) -> Any:
        """Call an action past the API, as the sysadmin or another user."""
        context = {"user": self.boss["name"] if user is None else user, "ignore_auth": False}
        return helpers.call_action(action, context, **params)


def ref(organization: Dataset, dataset: Dataset, by: str = "name") -> str:
    """A dataset as scopes name it."""
    return f"{organization[by]}/{dataset[by]}"


@dataclass(frozen=True)
class Mint:
    """Makes tokens by hand, good ones and others."""

    file: Path

    def __call__(self, user: Dataset | None, *scopes: str, **claims: Any) -> dict[str, str]:
        """The header of a request with a token: the user's, with these scopes. A claim that is None is left out."""
        return self.header(self.token(self.claims(user, *scopes, **claims)))

    def claims(self, user: Dataset | None, *scopes: str, **claims: Any) -> dict[str, Any]:
        now = time.time()
        usual = {"iss": SITE, "sub": user and user["name"], "iat": now, "nbf": int(now), "exp": int(now) + 600}
        said = {**usual, "scopes": " ".join(scopes), **claims}
        return {name: value for name, value in said.items() if value is not None}

    def token(self, claims: dict[str, Any], **options: Any) -> str:
        return jwt.encode(claims, self.file.read_bytes(), algorithm="ES256", **options)

    def header(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}


class Api:
    """The action API, as a program sees it."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, action: str, params: dict[str, Any], headers: Any = None, *, get: bool = False) -> Any:
        address = f"/api/3/action/{action}"
        if get:
            return self._app.get(address, query_string=params, headers=headers)
        return self._app.post(address, json=params, headers=headers)

    def get(self, address: str, headers: Any = None) -> Any:
        """A page, or where it leads to."""
        return self._app.get(address, headers=headers, follow_redirects=False)

    def log_in(self, user: Dataset) -> None:
        """From here on every request brings this user's session."""
        # CKAN's own way makes a cookie for localhost.
        with self._app.client.session_transaction(base_url=SITE) as session:
            session.update({"_user_id": user["id"], "_fresh": True})
