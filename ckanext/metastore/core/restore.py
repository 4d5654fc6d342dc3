"""Making a dataset be as it was: whole, or only some of its fields and resources."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from ckanext.metastore.core.errors import Invalid
from ckanext.metastore.core.identity import by_identity
from ckanext.metastore.core.order import interleave, only

KEPT_FIELDS = ("id", "name", "owner_org", "private", "state", "creator_user_id")
"""What says whose a dataset is and who may see it: a restore leaves it as it is now."""


def restore(
    current: dict[str, Any], old: dict[str, Any], *, fields: Sequence[str] | None, resources: Sequence[str] | None
) -> dict[str, Any]:
    """Give the dataset dict that makes ``current`` be as ``old`` was.

    Both ``None`` restore the whole dataset; otherwise what is not named stays as it is. A field or a resource that
    ``old`` did not have goes; a resource that is gone comes back before the one that followed it.

    :param fields: top-level fields of the dict, such as ``"title"`` or ``"extras"``
    :param resources: the ids of single resources; one without an id goes by its name and URL
    :returns: a new dict, which shares nothing with those given
    :raises Invalid: neither ``current`` nor ``old`` has such a field or resource, or the field is one of those that no
        restore changes
    """
    if fields is None and resources is None:
        fields = [key for key in current | old if key not in KEPT_FIELDS]
    restored = _restore_fields(current, old, fields or ())
    if resources:
        restored["resources"] = _restore_resources(restored, old, resources)
    return deepcopy(restored)


def _restore_fields(current: dict[str, Any], old: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    for field in fields:
        if field in KEPT_FIELDS:
            raise Invalid("fields", f"{field} is never restored")
        if field not in current and field not in old:
            raise Invalid("fields", f"there is no field {field!r}, now or then")
    kept = {key: value for key, value in current.items() if key not in fields}
    return kept | {key: old[key] for key in fields if key in old}


def _restore_resources(current: dict[str, Any], old: dict[str, Any], ids: Sequence[str]) -> list[Any]:
    now, then = (by_identity(("resources",), dataset.get("resources")) or {} for dataset in (current, old))
    for id_ in ids:
        if id_ not in now and id_ not in then:
            raise Invalid("resources", f"there is no resource {id_!r}, now or then")
    named = set(ids)
    wanted = {id_: item for id_, item in now.items() if id_ not in named}
    wanted |= {id_: item for id_, item in then.items() if id_ in named}
    return [wanted[id_] for id_ in only(interleave(list(now), list(then)), wanted)]
