"""An old dataset made fit for CKAN's own templates, which expect what CKAN itself would give.

A history may have been edited elsewhere: whatever stands in it comes out as text, under the id, the name and the type
that the dataset has now, so that all links of the page lead somewhere.
"""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk
from ckan import model

from ckanext.metastore import config
from ckanext.metastore.core.lfs import content_of
from ckanext.metastore.labels import field_label, is_link, value_text
from ckanext.metastore.model.queries import can_be
from ckanext.metastore.translating import _

Dataset = dict[str, Any]

_TEXTS = (
    *("title", "notes", "url", "version", "author", "author_email", "maintainer", "maintainer_email"),
    *("license_id", "license_title", "state"),
)
_RESOURCE_TEXTS = ("id", "name", "description", "format", "url", "url_type", "resource_type", "mimetype")
_NOT_SHOWN = {"id", "name", "description", "package_id", "position", "revision_id", "has_views", "hash", "url", "state"}


def presentable(then: Dataset, now: Dataset) -> Dataset:
    """A dataset as it was, in the shape that CKAN's templates take.

    :param now: the same dataset as it is
    """
    return {
        **_texts(then, _TEXTS),
        **{name: now[name] for name in ("id", "name", "type")},
        "private": then.get("private") is True,
        "resources": [_texts(resource, _RESOURCE_TEXTS) for resource in then["resources"]],
        "extras": [
            {"key": str(extra.get("key")), "value": value_text("", extra.get("value"))} for extra in then["extras"]
        ],
        "tags": [{**tag, "name": str(tag.get("name")), "display_name": str(tag.get("name"))} for tag in then["tags"]],
    }


def _texts(fields: Dataset, names: tuple[str, ...]) -> Dataset:
    """The fields, those of these names as text; translations that are none are left out."""
    fit = {name: value for name, value in fields.items() if not name.endswith("_translated") or _translates(value)}
    return {**fit, **{name: value_text("", fields.get(name)) for name in names}}


def _translates(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def resource_fields(resource: Dataset, dataset_type: str) -> list[tuple[str, str]]:
    """What a resource says beside its name and description: names of fields as the form has them, and values."""
    said = {name: value for name, value in resource.items() if name not in _NOT_SHOWN}
    shown = {name: value_text(name, value, dataset_type, of_resource=True) for name, value in said.items()}
    return [(field_label(name, dataset_type, of_resource=True), text) for name, text in shown.items() if text]


def gone(then: Dataset, now: Dataset) -> dict[str, Any]:
    """What an old version speaks of and the portal no longer has.

    :param then: as ``presentable`` gives it
    :returns: ``organization``, whether that is gone; ``groups``, the names of those that are; ``resources``, the ids of
        those that are no longer in the dataset
    """
    here = {resource["id"] for resource in now["resources"]}
    return {
        "organization": bool(then.get("owner_org")) and not then.get("organization"),
        "groups": [_name(group) for group in then["groups"] if not _lives(group.get("id"))],
        "resources": {resource["id"] for resource in then["resources"]} - here,
    }


def _lives(group_id: Any) -> bool:
    group = model.Group.get(group_id) if isinstance(group_id, str) and can_be(group_id) else None
    return group is not None and group.state == "active"


def _name(group: Dataset) -> str:
    return value_text("", group.get("title") or group.get("name") or group.get("id"))


def files(then: Dataset, now: Dataset) -> dict[str, dict[str, Any]]:
    """Where the bytes of each resource are, by its id.

    :param then: as ``presentable`` gives it
    :returns: ``kind``: ``link``, an address elsewhere, where something else may be by now; ``kept``, the very file, at
        ``url``; ``replaced``, an upload that was not kept; ``none``, nothing that could be linked. Where the version
        tells them, ``sha256`` and ``size``, and in ``lfs``, whether Git LFS may have the file
    """
    current = {resource["id"]: resource for resource in now["resources"]}
    return {old["id"]: {**_file(old, current.get(old["id"])), **_content(old)} for old in then["resources"]}


def _content(old: Dataset) -> dict[str, Any]:
    sha256, size = content_of(old)
    return {"sha256": sha256, "size": size, "lfs": bool(config.lfs_url()) and None not in (sha256, size)}


def _file(old: Dataset, now: Dataset | None) -> dict[str, str]:
    url = old["url"]
    if old["url_type"] != "upload":
        return {"kind": "link", "url": url} if is_link(url) else {"kind": "none", "url": url}
    if now is not None and _same_file(old, now):
        return {"kind": "kept", "url": now["url"]}
    return {"kind": "replaced", "url": url}


def _same_file(old: Dataset, now: Dataset) -> bool:
    """Whether the upload is still the one that it was: by its checksums, or by when it was uploaded."""
    if now.get("url_type") != "upload":
        return False
    for name in ("sha256", "hash"):
        if old.get(name) and now.get(name):
            return bool(old[name] == now[name])
    dates = [resource.get("last_modified") or resource.get("created") for resource in (old, now)]
    return dates[0] == dates[1] and dates[0] is not None and old.get("size") == now.get("size")


def citation(dataset: Dataset, version: Dataset, ref: str) -> str:
    """How a version is cited: whose, when, what, which version, where, and its address, which does not change."""
    who = dataset.get("author") or (dataset.get("organization") or {}).get("title") or config.site_title()
    year = version["timestamp"][:4]
    address = tk.h.url_for("metastore.version", id=dataset["id"], ref=ref, qualified=True, locale="default")
    texts = {"who": who, "year": year, "title": dataset.get("title") or dataset["name"], "url": address}
    return _("{who} ({year}): {title}, version {version}. {site}. {url}").format(
        **texts, version=version["tags"][0] if version["tags"] else version["id"][:7], site=config.site_title()
    )
