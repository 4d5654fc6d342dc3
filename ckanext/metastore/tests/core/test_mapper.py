"""The mapper's law, on oddities of our own, real datasets, and whatever Hypothesis thinks of.

The examples of what stands where are in ``test_mapper_document.py`` and ``test_mapper_dataset.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ckanext.metastore import core
from ckanext.metastore.core.document import canonical_json, parse_document
from ckanext.metastore.mapper import recorded, to_dataset, to_document
from ckanext.metastore.tests import corpus, strategies
from ckanext.metastore.tests.oddities import BEYOND_CKAN, DATASET, DERIVED, DERIVED_OF_RESOURCE, ODDITIES

SCHEMA = json.loads((Path(core.__file__).parent / "schema" / "datapackage-2.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)


def assert_lossless(dataset: dict[str, Any]) -> None:
    document = to_document(dataset)
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    names = [resource["name"] for resource in document["resources"]]
    assert len(set(names)) == len(names)
    again = to_dataset(parse_document(canonical_json(document)))
    assert canonical_json(again) == canonical_json(recorded(dataset))


@pytest.mark.parametrize("oddity", [*ODDITIES, *BEYOND_CKAN])
def test_oddities_survive(oddity):
    assert_lossless((ODDITIES | BEYOND_CKAN)[oddity])


@pytest.mark.parametrize("name", corpus.versions())
def test_real_datasets_survive(name):
    assert_lossless(corpus.versions()[name])


@pytest.mark.skipif(not corpus.FOLDER.exists(), reason="the corpus is not beside the checkout")
def test_the_corpus_is_all_there():
    assert len(corpus.datasets()) == 323
    assert len(corpus.histories()) == 42
    assert len(corpus.versions()) > 500


@pytest.mark.parametrize("name", corpus.data_packages())
def test_data_packages_from_elsewhere_make_datasets(name):
    package = corpus.data_packages()[name]
    dataset = to_dataset(package)
    assert {field: dataset.get(field) for field in ("name", "title", "notes")} == {
        field: package.get(name) for field, name in [("name", "name"), ("title", "title"), ("notes", "description")]
    }
    assert [resource["url"] for resource in dataset["resources"]] == [r["path"] for r in package.get("resources", [])]
    assert_lossless(dataset)


# -- whatever Hypothesis thinks of -------------------------------------------------------------------------------------

thorough = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@thorough
@given(strategies.datasets)
def test_any_dataset_survives(dataset):
    assert_lossless(dataset)


@thorough
@given(strategies.datasets)
def test_what_is_recorded_is_recorded_as_it_is(dataset):
    assert canonical_json(recorded(recorded(dataset))) == canonical_json(recorded(dataset))


@thorough
@given(strategies.datasets, st.randoms())
def test_order_without_meaning_does_not_matter(dataset, chance):
    shuffled = dict(chance.sample(list(dataset.items()), len(dataset)))
    for key in ("extras", "tags", "groups"):
        if isinstance(dataset.get(key), list):
            shuffled[key] = chance.sample(dataset[key], len(dataset[key]))
    assert canonical_json(to_document(shuffled)) == canonical_json(to_document(dataset))


@thorough
@given(strategies.datasets)
def test_the_given_dataset_stays_as_it_is(dataset):
    before = canonical_json({"": dataset})
    to_dataset(to_document(dataset))
    assert canonical_json({"": dataset}) == before


@thorough
@given(strategies.documents)
def test_any_document_makes_a_dataset(document):
    before = canonical_json({"": document})
    dataset = to_dataset(document)
    assert canonical_json({"": document}) == before
    assert canonical_json(recorded(dataset)) == canonical_json(dataset)
    assert_lossless(dataset)


# -- what the law does not say -----------------------------------------------------------------------------------------


def test_every_field_of_the_plain_dataset_is_recorded():
    assert canonical_json(recorded(DATASET)) == canonical_json(DATASET)


def test_derived_fields_are_not_recorded():
    dataset = DATASET | DERIVED | {"resources": [DATASET["resources"][0] | DERIVED_OF_RESOURCE]}
    assert recorded(dataset) == recorded(DATASET)


def test_nothing_else_is_left_out():
    ours: dict[str, Any] = {f"field_{number}": number for number in range(50)}
    ours |= dict.fromkeys(
        ["created", "last_modified", "cache_url", "cache_last_updated", "url_type", "mimetype_inner"], "x"
    )
    ours |= dict.fromkeys(["resource_type", "state", "id", "name", "url", "private", "owner_org", "type"], "x")
    dataset = recorded(ours | {"resources": [ours]})
    assert ours.items() <= dataset.items()
    assert dataset["resources"] == [ours]


def test_the_validator_refuses_what_is_invalid():
    broken = to_document(DATASET) | {"keywords": []}
    assert [list(error.path) for error in VALIDATOR.iter_errors(broken)] == [["keywords"]]
