"""Datasets of our own writing, one for each way in which real ones are odd."""

from __future__ import annotations

from typing import Any

RESOURCE: dict[str, Any] = {
    "id": "2b6b3c6e-0c6b-4d0e-9a5c-0c1f6f2d8b11",
    "name": "Street trees",
    "url": "https://data.example/trees.csv",
}

DATASET: dict[str, Any] = {
    "id": "6f1f6a5c-3a0e-4f5e-8a57-2f4c1f6de0aa",
    "name": "street-trees",
    "title": "Street trees",
    "notes": "Every tree that the city waters.\r\n\r\n* planted\r\n* felled",
    "url": "https://data.example/trees?year=2024#map",
    "version": "2024.1",
    "author": "Parks Department",
    "author_email": "parks@city.example",
    "maintainer": "Edda Itō",
    "maintainer_email": "edda.ito@city.example",
    "license_id": "cc-by",
    "owner_org": None,
    "private": False,
    "state": "active",
    "type": "dataset",
    "extras": [{"key": "district", "value": "Old town"}],
    "tags": [{"name": "trees", "vocabulary_id": None}, {"name": "water", "vocabulary_id": None}],
    "groups": [],
    "resources": [
        RESOURCE
        | {
            "description": "One line a tree",
            "format": "CSV",
            "mimetype": "text/csv",
            "size": 48_211,
            "hash": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        }
    ],
}
"""A dataset without any oddity: every standard property says something."""


def odd(**fields: Any) -> dict[str, Any]:
    """Give the plain dataset with other fields."""
    return DATASET | fields


def odd_resource(**fields: Any) -> dict[str, Any]:
    """Give the plain dataset with one resource that has other fields."""
    return odd(resources=[RESOURCE | fields])


def _resource(number: int, name: Any, **fields: Any) -> dict[str, Any]:
    resource = {
        "id": f"{number:08d}-0c6b-4d0e-9a5c-0c1f6f2d8b11",
        "name": name,
        "url": f"https://data.example/{number}",
    }
    return resource | fields


TEXT_FIELDS = [
    "title",
    "notes",
    "url",
    "version",
    "author",
    "author_email",
    "maintainer",
    "maintainer_email",
    "license_id",
]
RESOURCE_FIELDS = ["name", "url", "description", "format", "mimetype", "size", "hash"]
DERIVED: dict[str, Any] = {
    "creator_user_id": "0d6f3bb4-8c8e-4a52-93c9-5a2c1e1a6a0f",
    "isopen": True,
    "license_title": "Creative Commons Attribution",
    "license_url": "https://creativecommons.org/licenses/by/4.0/",
    "metadata_created": "2024-02-29T10:11:12.131415",
    "metadata_modified": "2024-03-01T10:11:12.131415",
    "num_resources": 1,
    "num_tags": 2,
    "organization": {"id": "o", "name": "city", "title": "City"},
    "relationships_as_object": [],
    "relationships_as_subject": [],
    "revision_id": "8a4dd50a-6d0b-4ce2-94a0-2e5f3cbdd1c7",
    "tracking_summary": {"total": 7, "recent": 1},
}
DERIVED_OF_RESOURCE: dict[str, Any] = {
    "datastore_active": True,
    "metadata_modified": "2024-03-01T10:11:12.131415",
    "package_id": DATASET["id"],
    "position": 0,
    "revision_id": "8a4dd50a-6d0b-4ce2-94a0-2e5f3cbdd1c7",
    "tracking_summary": {"total": 3, "recent": 0},
}
NESTED: dict[str, Any] = {
    "title_translated": {"en": "Street trees", "ja": "街路樹", "ar": "أشجار الشوارع"},
    "contacts": [{"name": "Edda", "phones": ["1", "2"], "office": None}, {"name": "Šárka", "phones": []}],
    "bounds": {"west": 8.25, "levels": [[1, [2, [3, []]]], {}], "exact": True},
}
VALUES: list[Any] = [
    None,
    "",
    0,
    -1,
    1,
    1.0,
    1e300,
    "1",
    True,
    False,
    "true",
    [],
    {},
    [None],
    [[]],
    {"": ""},
    "\x7f\x01\t\r\n",
]

ODDITIES: dict[str, dict[str, Any]] = {
    "plain": DATASET,
    "empty": {},
    "name only": {"name": "street-trees"},
    "nulls": odd(**dict.fromkeys(TEXT_FIELDS), resources=[RESOURCE | dict.fromkeys(RESOURCE_FIELDS)]),
    "empty strings": odd(**dict.fromkeys(TEXT_FIELDS, ""), resources=[RESOURCE | dict.fromkeys(RESOURCE_FIELDS, "")]),
    "missing fields": {key: value for key, value in DATASET.items() if key not in TEXT_FIELDS},
    "missing resource fields": odd(resources=[{"id": RESOURCE["id"]}, {}]),
    "missing lists": {key: value for key, value in DATASET.items() if not isinstance(value, list)},
    "null lists": odd(resources=None, extras=None, tags=None, groups=None),
    "no resources": odd(resources=[]),
    "private and deleted": odd(private=True, state="deleted", owner_org="b3f7a1ce-7d7b-4f55-9a0e-6b0f6c0ddc11"),
    "other type": odd(type="showcase"),
    "invalid names": odd(name="Street Trees!", license_id="CC BY (4.0)"),
    "invalid e-mails": odd(author_email="parks at city", maintainer_email="a@b.example, c@d.example"),
    "e-mail without name": odd(author=None, maintainer=""),
    "url without scheme": odd(url="data.example/trees", resources=[RESOURCE | {"url": "data.example/trees.csv"}]),
    "url of another kind": odd(url="ftp://data.example", resources=[_resource(1, "a", url="ftp://data.example/a")]),
    "url with spaces": odd(
        url="https://data.example/a b", resources=[_resource(1, "a", url="https://data.example/a b")]
    ),
    "url with a line break": odd_resource(url="https://data.example/\nx", mimetype="text/csv\n"),
    "url with dots": odd_resource(url="https://data.example/../../etc/passwd"),
    "url beyond ASCII": odd(
        url="https://datén.example/街", resources=[_resource(1, "a", url="https://datén.example/街")]
    ),
    "url with userinfo": odd(url="https://me:secret@data.example/[x]#a#b"),
    "url in words": odd_resource(url="on request"),
    "url as a path": odd_resource(url="data/trees.csv"),
    "url out of the folder": odd_resource(url="../trees.csv"),
    "url from the root": odd_resource(url="/etc/passwd"),
    "url to home": odd_resource(url="~/trees.csv"),
    "url to Git": odd_resource(url=".git/config"),
    "url of a file": odd_resource(url="file:///etc/passwd"),
    "url with a back slash": odd_resource(url="data\\trees.csv"),
    "url that is data": odd_resource(url="data:text/csv,a"),
    "uploaded": odd_resource(url="https://ckan.example/dataset/x/download/trees.csv", url_type="upload"),
    "same resource names": odd(resources=[_resource(number, "CSV") for number in (1, 2, 3)]),
    "same names and ids": odd(resources=[{"name": "CSV", "id": "same"}] * 4),
    "names alike once short": odd(
        resources=[_resource(1, "a b"), _resource(2, "A  B"), _resource(3, "ä-b"), {"name": "a-b"}]
    ),
    "names like given names": odd(resources=[_resource(1, "a"), _resource(2, "a-00000003"), _resource(3, "a")]),
    "empty resource names": odd(resources=[_resource(1, ""), _resource(2, None), _resource(3, " "), {"url": "x"}]),
    "names in other scripts": odd(
        resources=[_resource(1, "街路樹"), _resource(2, "أشجار"), _resource(3, "樹"), {"name": "木"}]
    ),
    "long resource name": odd_resource(name="trees " * 500),
    "resource called readme": odd(resources=[_resource(1, "readme", url="README.md"), _resource(2, "README")]),
    "order of resources": odd(resources=[_resource(number, f"Table {number}") for number in (3, 1, 2)]),
    "sizes": odd(resources=[_resource(n, "a", size=size) for n, size in enumerate([0, -1, 2.0, "7", True, 2**62])]),
    "hashes": odd(
        resources=[_resource(n, "a", hash=hash_) for n, hash_ in enumerate(["d" * 32, "SHA1:ab", "zz", "md5:x"])]
    ),
    "media types": odd(
        resources=[
            _resource(n, "a", mimetype=t) for n, t in enumerate(["csv", "text/csv; charset=utf-8", "a/b/c", "/"])
        ]
    ),
    "fields called like properties": odd(
        description="d",
        homepage="h",
        created="c",
        keywords={"en": ["tree"]},
        licenses=[1],
        contributors=None,
        sources=[{"title": "field"}],
        ckan={"id": "x"},
        **{"$schema": "s", "image": "i"},
        resources=[
            RESOURCE
            | {
                "title": "t",
                "path": "p",
                "bytes": 1,
                "mediatype": "m",
                "data": [1],
                "schema": {"fields": []},
                "type": "x",
            }
            | {"ckan": None, "encoding": None, "dialect": "d", "licenses": {}, "sources": "s", "$schema": 1}
        ],
    ),
    "nested fields": odd(**NESTED, resources=[RESOURCE | NESTED]),
    "values of all types": odd(
        **{f"field{number}": value for number, value in enumerate(VALUES)},
        resources=[RESOURCE | {f"field{number}": value for number, value in enumerate(VALUES)}],
    ),
    "extras": odd(
        extras=[{"key": key, "value": value} for key, value in [("b", ""), ("a b", "2"), ("ß", None), ("A:/?", "x")]]
    ),
    "extras that hold JSON": odd(extras=[{"key": "spatial", "value": '{"type": "Point", "coordinates": [8.5, 47.4]}'}]),
    "sources": odd(extras=[{"key": "sources", "value": '[{"path": "https://x.example/a", "title": "Survey"}]'}]),
    "sources written otherwise": odd(extras=[{"key": "sources", "value": '[{"title":"Survey"}]'}]),
    "sources of no kind": odd(extras=[{"key": "sources", "value": '[{"path": "../a"}]'}]),
    "sources in words": odd(extras=[{"key": "sources", "value": "the survey"}]),
    "sources without a word": odd(extras=[{"key": "sources", "value": "[{}]"}]),
    "no sources": odd(extras=[{"key": "sources", "value": "[]"}]),
    "tags with vocabularies": odd(
        tags=[{"name": "water", "vocabulary_id": vocabulary} for vocabulary in ("v2", None, "v1")],
    ),
    "groups": odd(
        groups=[
            {"id": "g2", "name": "water", "title": "Water", "display_name": "Water", "image_display_url": ""},
            {"id": "g1", "name": "parks", "title": "Parks"},
            {"name": "no-id"},
        ]
    ),
    "derived fields": odd(**DERIVED, resources=[RESOURCE | DERIVED_OF_RESOURCE]),
    "time of another form": odd(metadata_created="2024-02-29 10:11", metadata_modified=None),
    "time that never was": odd(metadata_created="2023-02-29T10:11:12"),
    "extras of CKAN 1": odd(extras={"b": "2", "a": {"nested": True}}),
    "extras of CKAN 2.2": odd(
        extras=[
            {"id": "1", "key": "b", "value": "2", "state": "active", "package_id": "x", "revision_id": "y"},
            {"id": "2", "key": "a", "value": "1", "state": "deleted", "package_id": "x", "revision_id": "y"},
        ]
    ),
    "tags and groups of CKAN 1": odd(tags=["water", "trees"], groups=["parks"]),
    "lists of no kind": odd(resources="x", extras=5, tags={"name": "x"}, groups=[1, None, [], "parks"]),
    "every script": odd(
        title="Träd 街路樹 أشجار деревья שדרה ต้นไม้ 🌳🏳️‍🌈",
        notes="a\u0301 \u202eright to left\u202c \u200b \ufeff \u2028 \U0010ffff",
        author="İıſẞ",
        tags=[{"name": name, "vocabulary_id": None} for name in ("街路樹", "деревья", "sa\u0301l", "sál", "أشجار")],
    ),
    "control characters": odd(title="a\x01b", notes="\x1b[31m\x08\x0c\x85", version="\t", author=" "),
    "huge": odd(notes="Every tree. " * 50_000, resources=[_resource(n, f"Table {n}") for n in range(60)]),
}

BEYOND_CKAN: dict[str, dict[str, Any]] = {
    "sizes in parts": odd(resources=[_resource(n, "a", size=size) for n, size in enumerate([1.5, 2**70, 1e300])]),
    "extras twice": odd(extras=[{"key": key, "value": value} for key, value in [("b", "2"), ("a", "2"), ("a", "1")]]),
    "extras without key or value": odd(extras=[{"key": "", "value": "x"}, {"key": "a"}, {"value": "x"}, {}]),
    "sources twice": odd(extras=[{"key": "sources", "value": '[{"title": "A"}]'}] * 2),
    "extras like properties": odd(
        extras=[{"key": key, "value": "x"} for key in ("title", "resources", "ckan", "image")]
    ),
    "odd tags": odd(tags=[{"name": ""}, {"name": None}, {}, {"name": 5}, {"name": "a, b"}, {"name": "a, b"}]),
    "NUL": odd(title="a\x00b"),
}
"""What this version of CKAN refuses, but an older one, or a plugin, may show."""
