"""Documents as canonical JSON."""

from __future__ import annotations

import json
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.metastore.core import Author, Invalid, Site
from ckanext.metastore.core.document import DEPTH_LIMIT, canonical_json, files, parse_document

TEXTS = st.text(st.characters()).filter(lambda text: not _holds_a_pair(text))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda items: st.lists(items, max_size=4) | st.dictionaries(TEXTS, items, max_size=4),
    max_leaves=20,
)
DOCUMENTS = st.dictionaries(TEXTS | st.sampled_from(["name", "title", "resources", "ckan"]), JSON, max_size=6)


def _holds_a_pair(text: str) -> bool:
    """Tell whether two surrogates stand there as two characters: JSON can write that only as the one they make."""
    return text != text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def nested(depth: int) -> dict:
    document: dict = {}
    for _ in range(depth - 1):
        document = {"x": document}
    return document


@given(DOCUMENTS)
def test_a_document_comes_back_as_it_was(document):
    data = canonical_json(document)
    assert repr_of(parse_document(data)) == repr_of(document)
    assert data.endswith(b"}\n")
    data.decode()


def repr_of(value: Any) -> str:
    """Tell 1 from 1.0 and True, 0.0 from -0.0, and forget the order of keys."""
    return repr(sorted_keys(value))


def sorted_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    return [sorted_keys(item) for item in value] if isinstance(value, list) else value


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(document, random):
    assert canonical_json(shuffled(document, random)) == canonical_json(document)


def shuffled(value: Any, random: Random) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key], random) for key in random.sample(sorted(value), len(value))}
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


def test_people_find_what_they_look_for_first():
    document = {
        "ckan": {"b": 1, "a": 2},
        "zebra": 1,
        "resources": [{"zebra": 1, "ckan": {}, "schema": {}, "name": "r", "path": "p", "apple": 2}, "no resource"],
        "apple": {"title": 1, "name": 2, "b": 3},
        "title": "T",
        "name": "n",
        "$schema": "s",
    }
    written = json.loads(canonical_json(document))
    assert list(written) == ["$schema", "name", "title", "apple", "zebra", "resources", "ckan"]
    assert list(written["resources"][0]) == ["name", "path", "schema", "apple", "zebra", "ckan"]
    assert list(written["apple"]) == ["b", "name", "title"]


def test_text_is_written_as_text():
    assert canonical_json({"title": 'Bäume 🌳 "木"\n'}) == '{\n  "title": "Bäume 🌳 \\"木\\"\\n"\n}\n'.encode()


def test_a_lone_surrogate_is_escaped():
    assert canonical_json({"\udc00": "x\ud800"}) == b'{\n  "\\udc00": "x\\ud800"\n}\n'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ([float("-inf")], "-inf"),
        ({1: 2}, "key 1"),
        ({None: 2, "x": 3}, "key None"),
        (datetime(2026, 1, 1), "datetime"),
        (b"x", "bytes"),
        ({1, 2}, "set"),
        ([10**5000], "digits"),
        (nested(DEPTH_LIMIT), "levels"),
    ],
)
def test_what_is_no_json(value, reason):
    with pytest.raises(Invalid, match=reason) as error:
        canonical_json({"x": value})
    assert error.value.field == "document"


@pytest.mark.parametrize("document", [None, [], "x", 1])
def test_what_is_no_object(document):
    with pytest.raises(Invalid):
        canonical_json(document)


def test_the_deepest_document():
    assert parse_document(canonical_json(nested(DEPTH_LIMIT))) == nested(DEPTH_LIMIT)
    with pytest.raises(Invalid):
        canonical_json(nested(DEPTH_LIMIT + 1))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff{}",
        b'{"x": NaN}',
        b'{"x": -Infinity}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_cannot_be_read(data):
    with pytest.raises(Invalid) as error:
        parse_document(data)
    assert error.value.field == "document"


def test_files():
    site = Site(Author("CKAN", "ckan@example.org"), "https://ckan.example/dataset/{id}?x={y}")
    made = files({"title": "Trees"}, site, "a/b ä")
    assert set(made) == {"datapackage.json", "README.md"}
    assert made["datapackage.json"] == canonical_json({"title": "Trees"})
    assert b"(<https://ckan.example/dataset/a%2Fb%20%C3%A4?x=%7By%7D>)" in made["README.md"]


def test_files_without_a_site():
    assert b"Dataset page" not in files({"title": "Trees"}, None, "x")["README.md"]
