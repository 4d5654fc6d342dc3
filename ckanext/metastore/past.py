"""A dataset as it was, in the shape in which ``package_show`` gives one.

What was recorded comes from the document. The rest is worked out as CKAN works it out today, or left to what the
revision itself tells: an organization that is gone has no title any more.
"""

from __future__ import annotations

from typing import Any

from ckan import model
from ckan.lib.dictization import table_dictize

from ckanext.metastore import mapper
from ckanext.metastore.core.types import Document, utc
from ckanext.metastore.model.queries import Row, can_be

Dataset = dict[str, Any]


def dataset(document: Document, revision: Row) -> Dataset:
    """The dataset of a document, with all that ``package_show`` adds, and ``revision_id``."""
    recorded = mapper.to_dataset(document)
    modified = utc(revision.timestamp).replace(tzinfo=None).isoformat()
    resources = [
        {**resource, "package_id": revision.dataset_id, "position": place}
        for place, resource in enumerate(recorded["resources"])
    ]
    return {
        **recorded,
        **_license(recorded.get("license_id")),
        **_created(revision.dataset_id),
        "metadata_modified": modified,
        "organization": _organization(recorded.get("owner_org")),
        "resources": resources,
        "num_resources": len(resources),
        "tags": [_tag(tag) for tag in recorded["tags"]],
        "num_tags": len(recorded["tags"]),
        "groups": [_group(group) for group in recorded["groups"]],
        "relationships_as_subject": [],
        "relationships_as_object": [],
        "revision_id": revision.sha,
    }


def _group(group: Dataset) -> Dataset:
    name = group.get("name")
    return {"display_name": name, "title": name, **group}


def _license(license_id: Any) -> Dataset:
    found = model.Package.get_license_register().get(license_id) if isinstance(license_id, str) else None
    if found is None:
        return {"license_title": license_id, "isopen": False}
    url = {"license_url": found.url} if found.url else {}
    return {"license_title": found.title.split("::")[-1], "isopen": found.isopen(), **url}


def _created(dataset_id: str) -> Dataset:
    """What never changes in a dataset, so that it need not be recorded."""
    package = model.Session.get(model.Package, dataset_id)
    if package is None:
        return {"metadata_created": None, "creator_user_id": None}
    return {"metadata_created": package.metadata_created.isoformat(), "creator_user_id": package.creator_user_id}


def _organization(owner_org: Any) -> Dataset | None:
    group = model.Group.get(owner_org) if isinstance(owner_org, str) and can_be(owner_org) else None
    if group is None or group.state != "active":
        return None
    organization = table_dictize(group, {"session": model.Session})
    organization.pop("extras", None)
    return organization


def _tag(tag: Dataset) -> Dataset:
    return {"vocabulary_id": None, **tag, "display_name": tag.get("name"), "state": "active"}
