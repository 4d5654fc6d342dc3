"""The one policy: which scope each operation on a dataset needs. The CKAN actions ask it, and so does the REST service.

========  =========================================  ==============================================================
operation scope                                      what it is
========  =========================================  ==============================================================
show      ``ds:R:read``, ``ds:R:metadata:read``      the dataset, its revisions, its tags, what differs between two
create    ``ds:<organization>/:create``              a new dataset of that organization
update    ``ds:R:update``, ``ds:R:metadata:update``  changing it, publishing what waits
tag       ``ds:R:tag``                               naming a revision, renaming, taking a name away
revert    ``ds:R:revert``                            going back to a revision
delete    ``ds:R:delete``                            deleting it; its history stays
purge     ``ds:R:purge``                             destroying it and its history
========  =========================================  ==============================================================

``R`` is ``organization/dataset``, each by name or id, or ``organization/*``, or the dataset alone. The organization is
never ``*``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import floor

from ckanext.metastore.authz.scopes import Scope

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Need:
    """What a scope must have for an operation.

    :param action: this action
    :param subscopes: and no subscope, or one of these
    :param of_collection: whether it must be about an organization's collection, and not about a dataset
    """

    action: str
    subscopes: frozenset[str] = frozenset()
    of_collection: bool = False


_METADATA = frozenset({"metadata"})

POLICY = {
    "show": Need("read", _METADATA),
    "create": Need("create", of_collection=True),
    "update": Need("update", _METADATA),
    "tag": Need("tag"),
    "revert": Need("revert"),
    "delete": Need("delete"),
    "purge": Need("purge"),
}
"""Operation -> need."""


@dataclass(frozen=True)
class Named:
    """An organization or a dataset, as a scope may name it: by its id, or by the name that it has now.

    :param created: when it was made, in seconds since 1970-01-01 UTC
    """

    id: str
    name: str
    created: float = 0

    def was_meant(self, segment: str, issued_at: float) -> bool:
        """Whether a token of that time can have meant this one, and not one of the same name that is gone.

        A time without a fraction was cut to the second, so what was made within that second counts as older. What has
        an id's form is an id, as it is to CKAN: whoever is named like another's id is not meant by it.
        """
        created = floor(self.created) if issued_at == floor(issued_at) else self.created
        named = segment == self.name and not _ID.fullmatch(segment)
        return (named or segment == self.id) and created <= issued_at


@dataclass(frozen=True)
class Target:
    """What an operation is about.

    :param organization: the dataset's organization; None where it has none
    :param dataset: None where the operation is about the organization's collection
    """

    organization: Named | None
    dataset: Named | None = None


def permits(scopes: Iterable[Scope], operation: str, target: Target, *, issued_at: float) -> bool:
    """Whether one of a token's scopes allows an operation.

    :param operation: a key of :data:`POLICY`
    :param issued_at: when the token was made, in seconds since 1970-01-01 UTC
    """
    need = POLICY[operation]
    if need.of_collection != (target.dataset is None):
        return False
    return any(_satisfies(scope, need) and _means(scope.segments, target, issued_at) for scope in scopes)


def _satisfies(scope: Scope, need: Need) -> bool:
    wide_enough = scope.subscope is None or scope.subscope in need.subscopes
    return scope.type == "ds" and need.action in scope.actions and wide_enough


def _means(segments: tuple[str, ...], target: Target, issued_at: float) -> bool:
    *above, last = segments
    if len(above) > 1 or (above and not _is(target.organization, above[0], issued_at)):
        return False
    if target.dataset is None:
        return bool(above) and not last
    return _is(target.dataset, last, issued_at) or (bool(above) and last == "*")


def _is(entity: Named | None, segment: str, issued_at: float) -> bool:
    return entity is not None and entity.was_meant(segment, issued_at)
