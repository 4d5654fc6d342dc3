"""What a dataset has to become to be as it was: all of it, or only some fields and resources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ckanext.metastore.core.errors import Invalid
from ckanext.metastore.core.order import interleave

Dataset = dict[str, Any]

NEVER_RESTORED = frozenset({"id", "name", "owner_org", "private", "state", "creator_user_id"})
"""What a dataset is, who has it and who may see it: not a matter of its metadata."""


def restore(
    current: Dataset, old: Dataset, *, fields: Sequence[str] | None = None, resources: Sequence[str] | None = None
) -> Dataset:
    """Work out the dataset that makes ``current`` be as ``old`` was.

    Not an overlay: what came later goes. Where ``fields`` or ``resources`` are given, only those are restored.

    :param current: the dataset as it is, reduced to what is recorded
    :param old: the dataset as it was, likewise
    :param fields: names of fields of the dataset
    :param resources: ids of resources; one that is gone comes back to its place among those around it
    :returns: a new dict, which shares nested values with both
    :raises Invalid: ``fields`` or ``resources`` name what neither has, or what is never restored
    """
    if fields is None and resources is None:
        kept = {key: value for key, value in current.items() if key in NEVER_RESTORED}
        return {key: value for key, value in old.items() if key not in NEVER_RESTORED} | kept
    restored = _with_fields(current, old, fields or ())
    if resources:
        restored["resources"] = _with_resources(restored["resources"], old["resources"], resources)
    return restored


def _with_fields(current: Dataset, old: Dataset, fields: Sequence[str]) -> Dataset:
    restored = dict(current)
    for field in fields:
        if field in NEVER_RESTORED:
            raise Invalid("fields", f"{field} is never restored")
        if field not in current and field not in old:
            raise Invalid("fields", f"the dataset has no field {field}, neither now nor then")
        restored.pop(field, None)
        if field in old:
            restored[field] = old[field]
    return restored


def _with_resources(current: list[Dataset], old: list[Dataset], wanted: Sequence[str]) -> list[Dataset]:
    now, then = _by_id(current), _by_id(old)
    for resource_id in wanted:
        if resource_id not in now and resource_id not in then:
            raise Invalid("resources", f"the dataset has no resource {resource_id}, neither now nor then")
    staying = [resource_id for resource_id in now if resource_id in then or resource_id not in wanted]
    order = interleave(staying, [resource_id for resource_id in then if resource_id in wanted or resource_id in now])
    return [then[resource_id] if resource_id in wanted else now[resource_id] for resource_id in order]


def _by_id(resources: list[Dataset]) -> dict[str, Dataset]:
    return {resource["id"]: resource for resource in resources}
