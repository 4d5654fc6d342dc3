"""Datasets and documents as Hypothesis makes them: mostly of the right shape, always with something amiss."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from ckanext.metastore.tests.oddities import DERIVED_OF_RESOURCE

texts = st.text(max_size=8)


Strategy = st.SearchStrategy[Any]


def objects(values: Strategy) -> Strategy:
    return st.dictionaries(texts, values, max_size=3)


def fields(**known: Strategy) -> Strategy:
    """Objects in which any field may be missing or of the wrong type, and others may come along."""
    values = {key: st.one_of(value, json_values) for key, value in known.items()}
    return st.tuples(st.fixed_dictionaries({}, optional=values), objects(json_values)).map(
        lambda both: both[1] | both[0]
    )


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
json_values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | objects(inner), max_leaves=6)
urls = st.from_regex(r"(https?://|ftp://|file:|data:|)[a-z0-9./:?#\[\]%\\ é~-]{0,12}", fullmatch=True)
media_types = st.from_regex(r"[a-z/+.-]{0,6}(; .{0,4})?", fullmatch=True)
hashes = st.from_regex(r"(md5:|sha1:)?([a-fA-F0-9]{32}|[a-g0-9]{0,4})", fullmatch=True)


ids = st.uuids().map(str) | texts
times = st.datetimes().map(lambda time: time.isoformat())
resources = fields(
    id=ids,
    name=st.sampled_from(["CSV", "csv", "", "街"]) | texts,
    url=urls,
    description=texts,
    format=texts,
    mimetype=media_types,
    size=st.integers(),
    hash=hashes,
    title=texts,
    path=texts,
    data=json_values,
    ckan=json_values,
    **dict.fromkeys(DERIVED_OF_RESOURCE, json_values),
)
source = objects(texts) | st.fixed_dictionaries({"title": texts, "path": urls})
extras = fields(key=texts | st.just("sources"), value=texts | st.lists(source, max_size=2).map(json.dumps))
tags = fields(name=texts, vocabulary_id=st.none() | ids)
datasets = fields(
    id=ids,
    name=texts,
    title=texts,
    notes=texts,
    url=urls,
    version=texts,
    author=texts,
    author_email=texts | st.emails(),
    maintainer=texts,
    maintainer_email=texts | st.emails(),
    license_id=texts,
    metadata_created=times,
    private=st.booleans(),
    resources=st.lists(resources, max_size=4),
    extras=st.lists(extras, max_size=3),
    tags=st.lists(tags, max_size=3),
    groups=st.lists(fields(id=ids, name=texts), max_size=3),
)
documents = objects(json_values) | fields(
    **dict.fromkeys(("$schema", "title", "homepage", "created", "name", "id", "licenses", "keywords"), json_values),
    contributors=st.lists(
        fields(title=texts, roles=st.lists(st.sampled_from(["author", "maintainer", "x"])), role=texts)
    ),
    resources=st.lists(fields(name=texts, path=urls | st.lists(urls), data=json_values, ckan=resources), max_size=3),
    ckan=datasets,
)
