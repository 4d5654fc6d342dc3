"""A portal's own schema in the smallest form: any field, with any JSON value, on datasets and resources.

It does what ckanext-scheming does: CKAN's own schema drops a dataset's unknown fields and refuses repeating subfields
of a resource, so they are kept as JSON, and given back as they were.
"""

from __future__ import annotations

import json
from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan.logic.schema import default_show_package_schema

PREFIX = "json:"

Fields = dict[str, Any]


class NestedSchemaPlugin(p.SingletonPlugin, tk.DefaultDatasetForm):
    """The form of every dataset type."""

    p.implements(p.IDatasetForm, inherit=True)
    p.implements(p.IPackageController, inherit=True)

    def is_fallback(self) -> bool:
        return True

    def package_types(self) -> list[str]:
        return []

    def validate(self, context: Any, data_dict: Fields, schema: Fields, action: str) -> Any:
        return tk.navl_validate(data_dict if action == "package_show" else pack(data_dict, schema), schema, context)

    def after_dataset_show(self, context: Any, pkg_dict: Fields) -> None:
        unpack(pkg_dict)

    def before_dataset_index(self, pkg_dict: Fields) -> Fields:
        """As ckanext-scheming's ``scheming_nerf_index`` does: Solr takes no parts of a field.

        CKAN 2.11 indexes a dataset as it is shown; CKAN 2.12 as its own schema has it, without the fields.
        """
        own = json.loads(pkg_dict["data_dict"]).keys() - default_show_package_schema()
        return pkg_dict | {key: json.dumps(pkg_dict[key]) for key in own if isinstance(pkg_dict.get(key), (dict, list))}


def pack(dataset: Fields, schema: Fields) -> Fields:
    own = {key: dataset[key] for key in dataset if key not in schema}
    extras = [{"key": PREFIX + key, "value": json.dumps(value)} for key, value in own.items()]
    packed = {key: value for key, value in dataset.items() if key not in own}
    packed["extras"] = [*dataset.get("extras", []), *extras]
    if "resources" in dataset:
        packed["resources"] = [pack_resource(resource) for resource in dataset["resources"]]
    return packed


def pack_resource(resource: Fields) -> Fields:
    repeating = {key for key, value in resource.items() if isinstance(value, list)}
    return {PREFIX + key if key in repeating else key: resource[key] for key in resource} | {
        PREFIX + key: json.dumps(resource[key]) for key in repeating
    }


def unpack(dataset: Fields) -> None:
    extras = dataset["extras"]
    dataset["extras"] = [extra for extra in extras if not extra["key"].startswith(PREFIX)]
    dataset.update({e["key"][len(PREFIX) :]: json.loads(e["value"]) for e in extras if e["key"].startswith(PREFIX)})
    for resource in dataset["resources"]:
        for key in [key for key in resource if key.startswith(PREFIX)]:
            resource[key[len(PREFIX) :]] = json.loads(resource.pop(key))
