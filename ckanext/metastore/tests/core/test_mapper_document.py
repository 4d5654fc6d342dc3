"""What stands where in a document."""

from __future__ import annotations

from typing import Any

import pytest

from ckanext.metastore.mapper import to_document
from ckanext.metastore.tests.oddities import (
    BEYOND_CKAN,
    DATASET,
    DERIVED,
    DERIVED_OF_RESOURCE,
    ODDITIES,
    RESOURCE,
    odd,
    odd_resource,
)


def resource_of(dataset: dict[str, Any]) -> dict[str, Any]:
    (resource,) = to_document(dataset)["resources"]
    return resource


def test_the_plain_dataset_needs_ckan_for_what_only_ckan_knows():
    assert to_document(DATASET | DERIVED) == {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "street-trees",
        "id": "6f1f6a5c-3a0e-4f5e-8a57-2f4c1f6de0aa",
        "title": "Street trees",
        "description": "Every tree that the city waters.\r\n\r\n* planted\r\n* felled",
        "version": "2024.1",
        "created": "2024-02-29T10:11:12.131415Z",
        "homepage": "https://data.example/trees?year=2024#map",
        "keywords": ["trees", "water"],
        "licenses": [{"name": "cc-by"}],
        "contributors": [
            {"title": "Parks Department", "email": "parks@city.example", "roles": ["author"]},
            {"title": "Edda Itō", "email": "edda.ito@city.example", "roles": ["maintainer"]},
        ],
        "resources": [
            {
                "name": "street-trees",
                "path": "https://data.example/trees.csv",
                "title": "Street trees",
                "description": "One line a tree",
                "format": "CSV",
                "mediatype": "text/csv",
                "bytes": 48211,
                "hash": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "ckan": {"id": "2b6b3c6e-0c6b-4d0e-9a5c-0c1f6f2d8b11"},
            }
        ],
        "ckan": {
            "owner_org": None,
            "private": False,
            "state": "active",
            "type": "dataset",
            "extras": [{"key": "district", "value": "Old town"}],
        },
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[(field, value) for field in ("title", "notes", "version", "author", "maintainer") for value in ("", None, 5)],
        ("name", "Street Trees"),
        ("url", "data.example/trees"),
        ("url", "https://datén.example"),
        ("license_id", "CC BY"),
        ("license_id", None),
        ("author_email", "parks at city"),
        ("maintainer_email", "a@b.example, c@d.example"),
    ],
)
def test_what_a_property_cannot_say_stands_in_ckan_only(field, value):
    document = to_document(odd(**{field: value}))
    assert document["ckan"][field] == value
    del document["ckan"]
    assert document == {**document_without(field)}


def document_without(field: str) -> dict[str, Any]:
    document = to_document({key: value for key, value in DATASET.items() if key != field})
    del document["ckan"]
    return document


@pytest.mark.parametrize(
    ("field", "value", "property_name"),
    [
        ("name", "", "title"),
        ("name", None, "title"),
        ("description", "", "description"),
        ("format", None, "format"),
        ("mimetype", "csv", "mediatype"),
        ("size", "48211", "bytes"),
        ("size", True, "bytes"),
        ("size", 1.0, "bytes"),
        ("size", -1, "bytes"),
        ("hash", "", "hash"),
        ("hash", "unknown", "hash"),
    ],
)
def test_what_a_property_of_a_resource_cannot_say_stands_in_ckan_only(field, value, property_name):
    resource = resource_of(odd_resource(**{field: value}))
    assert resource["ckan"][field] is value
    assert property_name not in resource


@pytest.mark.parametrize(
    "url",
    [
        "https://data.example/a b?c=ü#d",
        "http://localhost:8080/",
        "ftp://data.example/trees.csv",
        "data/trees.csv",
        "https://data.example/a..b/...",
    ],
)
def test_a_link_is_the_path(url):
    resource = resource_of(odd_resource(url=url))
    assert resource["path"] == url
    assert "url" not in resource["ckan"]
    assert "data" not in resource


@pytest.mark.parametrize(
    "url",
    [
        "",
        None,
        7,
        "on request",
        "/etc/passwd",
        "../a",
        "~/a",
        ".git/config",
        "file:///a",
        "data:text/csv,a",
        "javascript:a",
        "a\\b",
        "https://",
        "https://a\nb",
        "https://a\n",
        "mailto:a@b.example",
        "a//b",
        "a/../b",
        "https://data.example/../a",
        "https://data.example/a/..",
    ],
)
def test_no_link_is_no_data(url):
    resource = resource_of(odd_resource(url=url))
    assert resource["data"] == []
    assert resource["ckan"]["url"] == url
    assert "path" not in resource


def test_derived_fields_of_a_resource_are_left_out():
    assert resource_of(odd(resources=[RESOURCE | DERIVED_OF_RESOURCE]))["ckan"] == {"id": RESOURCE["id"]}


@pytest.mark.parametrize(
    ("oddity", "names"),
    [
        ("same resource names", ["csv", "csv-00000002", "csv-00000003"]),
        ("same names and ids", ["csv", "csv-same", "csv-2", "csv-3"]),
        ("names alike once short", ["a-b", "a-b-00000002", "a-b-00000003", "a-b-0"]),
        ("names like given names", ["a", "a-00000003", "a-2"]),
        ("empty resource names", ["resource-00000001", "resource-00000002", "resource-00000003", "resource-0"]),
        ("names in other scripts", ["resource-00000001", "resource-00000002", "resource-00000003", "resource-0"]),
        ("order of resources", ["table-3", "table-1", "table-2"]),
    ],
)
def test_each_resource_has_a_name_of_its_own(oddity, names):
    assert [resource["name"] for resource in to_document(ODDITIES[oddity])["resources"]] == names


def test_a_long_name_is_cut():
    assert len(resource_of(ODDITIES["long resource name"])["name"]) <= 100


def test_a_dataset_without_resources_lists_its_readme():
    resource = resource_of(odd(resources=[]))
    assert (resource["path"], resource["ckan"]) == ("README.md", None)


def test_only_free_tags_are_keywords():
    document = to_document(ODDITIES["tags with vocabularies"])
    assert document["keywords"] == ["water"]
    assert document["ckan"]["tags"] == [
        {"name": "water", "vocabulary_id": "v1"},
        {"name": "water", "vocabulary_id": "v2"},
    ]


def test_nobody_is_no_contributor():
    assert "contributors" not in to_document(ODDITIES["nulls"])


def test_extras_and_groups_are_sorted_and_reduced():
    ckan = to_document(ODDITIES["groups"] | {"extras": ODDITIES["extras of CKAN 1"]["extras"]})["ckan"]
    assert ckan["groups"] == [{"name": "no-id"}, {"id": "g1", "name": "parks"}, {"id": "g2", "name": "water"}]
    assert ckan["extras"] == [{"key": "a", "value": {"nested": True}}, {"key": "b", "value": "2"}]


def test_deleted_extras_of_old_versions_are_left_out():
    assert to_document(ODDITIES["extras of CKAN 2.2"])["ckan"]["extras"] == [{"key": "b", "value": "2"}]


def test_empty_lists_are_not_listed():
    document = to_document(odd(extras=[], tags=[], groups=[]))
    assert not {"keywords", "tags", "extras", "groups"} & (document.keys() | document["ckan"].keys())


def test_sources_are_an_extra_in_ckan():
    document = to_document(ODDITIES["sources"])
    assert document["sources"] == [{"path": "https://x.example/a", "title": "Survey"}]
    assert "extras" not in document["ckan"]


@pytest.mark.parametrize(
    "oddity",
    [
        "sources written otherwise",
        "sources of no kind",
        "sources in words",
        "sources without a word",
        "no sources",
        "sources twice",
    ],
)
def test_sources_that_would_not_come_back_stay_an_extra(oddity):
    dataset = (ODDITIES | BEYOND_CKAN)[oddity]
    document = to_document(dataset)
    assert "sources" not in document
    assert document["ckan"]["extras"] == dataset["extras"]


@pytest.mark.parametrize("time", ["2024-02-29 10:11", "2023-02-29T10:11:12", "yesterday", None, 5])
def test_a_time_that_is_none_is_left_out(time):
    assert "created" not in to_document(odd(metadata_created=time))


def test_fields_of_the_portal_stand_in_ckan_under_their_own_names():
    dataset = ODDITIES["fields called like properties"]
    document = to_document(dataset)
    assert document["ckan"]["sources"] == [{"title": "field"}]
    assert document["ckan"]["ckan"] == {"id": "x"}
    assert document["ckan"]["description"] == "d"
    assert document["description"] == dataset["notes"]
    assert document["resources"][0]["ckan"]["title"] == "t"
    assert document["resources"][0]["title"] == "Street trees"
