"""Through CKAN and back: a dataset, its document, and what the document makes of another dataset.

Each dataset is saved once, so that CKAN refuses or normalises what it does not take; what ``package_show`` gives then
is mapped, written as JSON, read, and saved over a second dataset, which must end up equal in every recorded field. The
second dataset is the same all along: whatever an earlier one left there would show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid5

import ckan.plugins as p
import ckantoolkit as tk
import pytest
from ckan import model
from ckan.tests import factories, helpers

from ckanext.metastore.core.diff import diff
from ckanext.metastore.core.document import canonical_json, parse_document
from ckanext.metastore.core.types import Change
from ckanext.metastore.mapper import recorded, to_dataset, to_document
from ckanext.metastore.tests import corpus
from ckanext.metastore.tests.ckan.nested_schema import NestedSchemaPlugin
from ckanext.metastore.tests.oddities import ODDITIES

Fields = dict[str, Any]

NAMESPACE = UUID("0c0e2a55-6f0b-4cf0-9c54-3f0f5f3d7c11")
DATES = ("created", "last_modified", "cache_last_updated")


def new_id(*names: Any) -> str:
    return str(uuid5(NAMESPACE, json.dumps(names)))


class Portal:
    """Saves datasets from elsewhere, and makes what they need: organizations, groups, vocabularies."""

    def __init__(self) -> None:
        self.user = factories.Sysadmin()["name"]

    def act(self, action: str, **params: Any) -> Any:
        return helpers.call_action(action, {"user": self.user, "use_cache": False}, **params)

    def save(self, dataset: Fields) -> Fields:
        """Save a dataset over what is there under its id, and give what CKAN shows of it."""
        action = "package_update" if model.Package.get(dataset["id"]) else "package_create"
        fields = json.loads(json.dumps(dataset))
        fields["owner_org"] = fields.get("owner_org") or ""  # CKAN takes null for "as it was"
        helpers.call_action(action, {"user": self.user, "return_id_only": True}, **fields)
        return self.act("package_show", id=dataset["id"])

    def settle(self, dataset: Fields, name: str) -> Fields:
        """Give a foreign dataset a place here, under ids that are its own for every ``name``."""
        fields = acceptable(recorded(dataset)) | {"id": new_id(name), "name": f"source-{new_id(name)}"}
        if fields.get("owner_org"):
            fields["owner_org"] = self.make("organization", fields["owner_org"])
        for group in fields["groups"]:
            group["id"] = self.make("group", group.get("id") or group["name"])
            group["name"] = model.Group.get(group["id"]).name
        for tag in fields["tags"]:
            tag["vocabulary_id"] = tag["vocabulary_id"] and self.make("vocabulary", tag["vocabulary_id"])
        ids = [resource.get("id") for resource in fields["resources"]]
        for number, resource in enumerate(fields["resources"]):
            resource["id"] = new_id(name, ids[number], ids[:number].count(ids[number]))
        return fields

    def make(self, kind: str, name: str) -> str:
        model_class = model.Vocabulary if kind == "vocabulary" else model.Group
        made = f"{kind}-{new_id(name)}"
        found = model_class.get(made)
        return found.id if found else self.act(f"{kind}_create", name=made)["id"]


def acceptable(dataset: Fields) -> Fields:
    """Take out what this version of CKAN refuses, and older ones did not."""
    fields: Fields = json.loads(json.dumps(dataset))
    for field in ("author_email", "maintainer_email"):
        if not re.fullmatch(r"\S+@\S+", fields.get(field) or "a@b"):
            fields[field] = ""
    for tag in fields["tags"]:
        tag["name"] = re.sub(r"[^\w .-]", "-", tag["name"])
    fields["extras"] = [extra for extra in fields["extras"] if extra["key"]]
    if not tk.check_ckan_version(min_version="2.12.0a0"):  # it keeps an extra's value as text
        for extra in fields["extras"]:
            if isinstance(extra["value"], (dict, list)):
                extra["value"] = json.dumps(extra["value"])
    for resource in fields["resources"]:
        resource.update(acceptable_values(resource, fields.get("type")))
    return fields


def acceptable_values(resource: Fields, dataset_type: str | None) -> Fields:
    values: Fields = {field: None for field in DATES if resource.get(field) == "None"}
    if isinstance(resource.get("size"), str) and not resource["size"].isdecimal():
        values["size"] = None
    if dataset_type != "dataset" and resource.get("url_type") == "upload":
        values["url_type"] = "link"  # the test's application has no page to download such a one from
    return values


class Copy:
    """A second dataset. It keeps its id, whatever is saved over it."""

    def __init__(self, portal: Portal, name: str) -> None:
        self.portal = portal
        self.name = name

    def differs(self, shown: Fields) -> list[Change]:
        """Carry what CKAN shows of a dataset over to this one; list the recorded fields that differ then."""
        document = parse_document(canonical_json(to_document(shown)))
        copied = self.portal.save(self.moved(to_dataset(document)))
        return diff(self.moved(recorded(shown)), recorded(copied))

    def moved(self, dataset: Fields) -> Fields:
        """Give a dataset and its resources other ids; also where an id is part of an address."""
        text = json.dumps(dataset)
        own_id = new_id("copy", self.name, dataset["type"])  # CKAN never changes a dataset's type
        for resource in dataset["resources"]:
            text = text.replace(resource["id"], new_id(own_id, resource["id"]))
        fields: Fields = json.loads(text.replace(dataset["id"], own_id))
        return fields | {"name": f"copy-{own_id}"}


@pytest.fixture
def portal(
    tables: None, provide_plugin: Callable[[str, type], None], ckan_config: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Portal]:
    monkeypatch.setitem(ckan_config, "ckan.search.solr_commit", False)
    provide_plugin("nested_schema", NestedSchemaPlugin)
    p.load("nested_schema")
    yield Portal()
    p.unload("nested_schema")


def check(portal: Portal, label: str, datasets: dict[str, Fields]) -> None:
    """Carry each over to a copy that ten of them share: whatever one leaves behind would show in the next."""
    differing = {}
    for number, (name, dataset) in enumerate(datasets.items()):
        copy = Copy(portal, f"{label} {number // 10}")
        differing[name] = copy.differs(portal.save(portal.settle(dataset, name)))
    assert {name: changes for name, changes in differing.items() if changes} == {}


def test_oddities(portal):
    check(portal, "oddities", ODDITIES)


@pytest.mark.parametrize("name", corpus.portals())
def test_real_datasets(portal, name):
    check(portal, name, {dataset: corpus.datasets()[dataset] for dataset in corpus.portals()[name]})


@pytest.mark.parametrize("name", corpus.histories())
def test_real_histories(portal, name):
    copy = Copy(portal, name)
    differing = {}
    for number, version in enumerate(corpus.histories()[name]):
        differing[number] = copy.differs(portal.save(portal.settle(version, name)))
    assert {number: changes for number, changes in differing.items() if changes} == {}
