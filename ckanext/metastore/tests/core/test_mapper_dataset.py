"""What a document that somebody edited, or wrote elsewhere, makes of a dataset."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ckanext.metastore.mapper import recorded, to_dataset, to_document
from ckanext.metastore.tests.oddities import DATASET, ODDITIES, RESOURCE, odd


def edited(properties: dict[str, Any], dataset: dict[str, Any] = DATASET) -> dict[str, Any]:
    """Change top-level properties of a dataset's document, as somebody would on GitHub, and read it."""
    return to_dataset(to_document(dataset) | properties)


def edited_resource(**properties: Any) -> dict[str, Any]:
    document = copy.deepcopy(to_document(DATASET))
    document["resources"][0].update(properties)
    return to_dataset(document)["resources"][0]


@pytest.mark.parametrize(
    ("name", "field"),
    [("title", "title"), ("description", "notes"), ("homepage", "url"), ("version", "version"), ("name", "name")],
)
def test_editing_a_property_changes_the_field(name, field):
    assert edited({name: "changed"})[field] == "changed"
    assert edited({name: "added"}, odd(**{field: None}))[field] == "added"


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("title", "changed", "name"),
        ("path", "https://x.example/b.csv", "url"),
        ("description", "changed", "description"),
        ("format", "XLSX", "format"),
        ("mediatype", "text/plain", "mimetype"),
        ("bytes", 7, "size"),
        ("hash", "md5:0a", "hash"),
    ],
)
def test_editing_a_property_of_a_resource_changes_the_field(name, value, field):
    resource = edited_resource(**{name: value})
    assert resource[field] == value
    assert resource["id"] == RESOURCE["id"]


def test_removing_a_property_removes_the_field():
    document = to_document(DATASET)
    del document["description"]
    assert "notes" not in to_dataset(document)


def test_editing_the_lists():
    dataset = edited(
        {
            "keywords": ["oak", "ash"],
            "licenses": [{"name": "odc-by", "path": "https://x.example", "title": "ODC"}],
            "contributors": [{"title": "Kim", "email": "kim@x.example", "roles": ["maintainer", "author"]}],
        }
    )
    assert [tag["name"] for tag in dataset["tags"]] == ["ash", "oak"]
    assert dataset["license_id"] == "odc-by"
    assert (dataset["author"], dataset["maintainer_email"]) == ("Kim", "kim@x.example")
    assert dataset["extras"] == DATASET["extras"]


def test_tags_with_vocabularies_stay_when_keywords_are_edited():
    dataset = edited({"keywords": ["oak"]}, ODDITIES["tags with vocabularies"])
    assert [tag["vocabulary_id"] for tag in dataset["tags"]] == [None, "v1", "v2"]


def test_display_only_properties_are_not_read():
    assert edited({"created": "1999-01-01T00:00:00Z", "$schema": "https://x.example"}) == recorded(DATASET)
    assert edited_resource(name="changed") == recorded(DATASET)["resources"][0]


def test_derived_fields_written_into_ckan_are_not_read():
    document = to_document(DATASET)
    document["ckan"] |= {"organization": {"name": "x"}, "metadata_modified": "2024-01-01T00:00:00"}
    assert to_dataset(document) == recorded(DATASET)


def test_a_resource_added_by_hand():
    document = to_document(DATASET)
    document["resources"].append(
        {"name": "bushes", "path": "https://x.example/b.csv", "encoding": "utf-8", "note": None}
    )
    document["resources"].append({"name": "hedges", "title": "Hedges", "path": ["a.csv", "b.csv"]})
    _, bushes, hedges = to_dataset(document)["resources"]
    assert bushes == {"name": "bushes", "url": "https://x.example/b.csv", "encoding": "utf-8"}
    assert hedges == {"name": "Hedges", "url": "a.csv", "path": ["a.csv", "b.csv"]}


def test_a_resource_beside_or_instead_of_the_readme():
    document = to_document(odd(resources=[]))
    beside = document | {"resources": [*document["resources"], {"name": "a", "path": "a.csv"}]}
    instead = document | {"resources": [{**document["resources"][0], "path": "a.csv"}]}
    assert [resource["url"] for resource in to_dataset(beside)["resources"]] == ["a.csv"]
    assert [resource["url"] for resource in to_dataset(instead)["resources"]] == ["a.csv"]
    assert to_dataset(document)["resources"] == []


def test_data_put_in_by_hand_is_a_field():
    assert edited_resource(data=[{"tree": 1}])["data"] == [{"tree": 1}]


def test_a_property_without_a_field_becomes_an_extra():
    properties = {"image": "https://x.example/i.png", "temporal": {"start": "2024"}, "bytes": 7, "gone": None}
    dataset = edited(properties | {"district": "New town"})
    assert {extra["key"]: extra["value"] for extra in dataset["extras"]} == {
        "image": "https://x.example/i.png",
        "temporal": '{"start": "2024"}',
        "bytes": "7",
        "district": "New town",
    }


def test_sources_come_back():
    sources = [{"title": "Survey", "path": "https://x.example/s"}, {"title": "Satellite"}]
    assert to_document(edited({"sources": sources}))["sources"] == sources


def test_people_and_licences_without_a_field_are_not_lost():
    people = [
        {"title": "Kim"},
        {"title": "Lee", "roles": ["curator"]},
        {"title": "Ash", "role": "author", "path": "https://a"},
    ]
    licenses = [{"path": "https://x.example/licence"}, {"name": "odc-by"}]
    dataset = to_dataset({"contributors": people, "licenses": licenses})
    assert (dataset["author"], dataset["license_id"]) == ("Kim", "https://x.example/licence")
    extras = {extra["key"]: json.loads(extra["value"]) for extra in dataset["extras"]}
    assert extras == {"contributors": people[1:], "licenses": licenses}


def test_what_ckan_cannot_hold_of_an_author_is_not_lost():
    person = {"title": "Kim", "path": "https://kim.example", "roles": ["author"]}
    dataset = to_dataset({"contributors": [person]})
    assert dataset["author"] == "Kim"
    assert [json.loads(extra["value"]) for extra in dataset["extras"]] == [[person]]


def test_a_package_from_elsewhere():
    dataset = to_dataset(
        {
            "profile": "data-package",
            "name": "trees",
            "title": "Trees",
            "homepage": "https://x.example",
            "licenses": [{"name": "ODC-PDDL", "title": "PDDL", "path": "https://x.example/pddl"}],
            "contributors": [{"title": "Kim", "role": "author"}, {"title": "Lee", "role": "maintainer"}],
            "keywords": ["ash", 5],
            "resources": [{"name": "oaks", "path": "data/oaks.csv", "schema": {"fields": [{"name": "id"}]}}],
        }
    )
    assert dataset == {
        "name": "trees",
        "title": "Trees",
        "url": "https://x.example",
        "license_id": "ODC-PDDL",
        "author": "Kim",
        "maintainer": "Lee",
        "tags": [{"name": "ash", "vocabulary_id": None}],
        "groups": [],
        "extras": [{"key": "profile", "value": "data-package"}],
        "resources": [{"name": "oaks", "url": "data/oaks.csv", "schema": {"fields": [{"name": "id"}]}}],
    }


@pytest.mark.parametrize(
    "document",
    [
        {"resources": None, "keywords": "x", "contributors": {}, "licenses": "x", "ckan": None},
        {"resources": ["x", None], "keywords": [None], "contributors": [1], "licenses": [None], "ckan": {}},
        {"title": {"en": "x"}, "description": [], "homepage": None},
    ],
)
def test_what_makes_no_sense_is_passed_over(document):
    assert to_dataset(document) == {"resources": [], "extras": [], "tags": [], "groups": []}
