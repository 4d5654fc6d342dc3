"""Who may do what: a token's scopes, or what everybody may."""

from __future__ import annotations

import base64
import binascii

from ckanext.metastore.authz import Claims, InvalidToken, Named, Target, permits
from ckanext.metastore.core import Author
from ckanext.metastore.service.datasets import Dataset, Reach
from ckanext.metastore.service.keys import Keys
from ckanext.metastore.service.settings import Settings


class Access:
    """Decides by the policy of :mod:`ckanext.metastore.authz.policy`."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._settings = settings
        self._keys = keys

    def claims(self, authorization: str | None, *, basic: bool = False) -> Claims | None:
        """What the token in a header says; ``None`` where there is no header.

        :param authorization: the value of the header ``Authorization``
        :param basic: whether the token may also be the password of Basic, as Git sends it
        :raises InvalidToken: it is no token, or not a good one
        """
        if authorization is None:
            return None
        kind, _, said = authorization.partition(" ")
        if kind.lower() == "bearer":
            return self._keys.verify(said.strip())
        if basic and kind.lower() == "basic":
            return self._keys.verify(_password(said))
        raise InvalidToken("it is no Bearer")

    def permits(self, claims: Claims | None, operation: str, dataset: Dataset) -> bool:
        """Whether a token allows an operation on a dataset; where there is none, whether everybody may do it."""
        if claims is None:
            public = not (dataset.private or dataset.deleted)
            return operation == "show" and self._settings.anonymous_read and public
        if dataset.deleted and operation == "show" and not self.sees_private(claims, dataset):
            return False
        return permits(claims.scopes, operation, _target(dataset), issued_at=claims.issued_at)

    def permits_name(self, claims: Claims | None, operation: str, owner: str, name: str) -> bool:
        """The same for a dataset that is not there: whether the bearer may be told so."""
        if claims is None:
            return False
        target = Target(Named("", owner), Named("", name))
        return permits(claims.scopes, operation, target, issued_at=claims.issued_at)

    def may_create(self, claims: Claims | None, owner: str) -> bool:
        """Whether a token allows a new dataset of this owner."""
        target = Target(Named("", owner))
        return claims is not None and permits(claims.scopes, "create", target, issued_at=claims.issued_at)

    def reach(self, claims: Claims | None) -> Reach:
        """Tell which datasets a token can be about: those that it permits anything on are among them."""
        if claims is None:
            return None
        named = (scope.segments for scope in claims.scopes if scope.type == "ds")
        return [(above[0] if above else "*", last) for *above, last in named if len(above) < 2]

    def sees_private(self, claims: Claims | None, dataset: Dataset) -> bool:
        """Whether a token shows what was recorded while the dataset was private: if it may change the dataset."""
        target = _target(dataset)
        return claims is not None and permits(claims.scopes, "update", target, issued_at=claims.issued_at)

    def author(self, claims: Claims | None) -> Author:
        """How a token's subject stands in a commit: by name, and an address that is nobody's."""
        subject = (claims and claims.subject) or ""
        name = (claims and claims.name) or subject
        return Author(name, f"{subject or 'unknown'}@users.noreply.{self._settings.hostname}")


def _target(dataset: Dataset) -> Target:
    return Target(Named("", dataset.owner), Named(dataset.id, dataset.name, dataset.created))


def _password(said: str) -> str:
    try:
        _, _, password = base64.b64decode(said, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidToken("it is no Basic") from error
    return password
