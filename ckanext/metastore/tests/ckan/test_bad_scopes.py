"""Tokens whose scopes are no scopes (401), or are some, and fit nothing here (403)."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    return tmp_path_factory.mktemp("repositories")


def _scopes(organization, dataset, other):
    good = f"ds:{organization}/{dataset}:read,tag"
    malformed = [
        "ds", "ds:", "ds::", "::", f"ds:{organization}/{dataset}", f"ds:{organization}/{dataset}:",
        f"ds:{organization}/{dataset}:*", f"ds:{organization}/{dataset}:*:read,tag", f"ds::{organization}:read,tag",
        f"ds:{organization}/{dataset}::read,tag", f"ds:{organization}/{dataset}:metadata:x:read,tag",
        f"ds:{organization}/{dataset}:metadata:read,tag:", f"ds:{organization}/{dataset}:read,,tag",
        f"ds:{organization}/{dataset}:read,tag,", f"ds:{organization}/{dataset}:,read,tag",
        f"ds:{organization}/{dataset[:-1]}*:read,tag", f"ds:{organization}/../{dataset}:read,tag",
        f"ds:./{dataset}:read,tag", f"ds:{organization}//{dataset}:read,tag", f"ds:/{dataset}:read,tag",
        f"ds:{organization}%2F{dataset}:read,tag", f"ds:{organization}/{dataset}/x/y:read,tag",
        f"DS:{organization}/{dataset}:read,tag", f"ds:{organization}/{dataset}:READ,TAG",
        f"dѕ:{organization}/{dataset}:read,tag", f"ds:{organization}/{dataset}:rеad,tаg",
        f"ds:{organization}∕{dataset}:read,tag", f"ds：{organization}/{dataset}：read,tag",
        f"{good}\ty:x:read", f"{good}\n", f" {good}", f"{good} ", f"{good}  ds:x:read", f"{good}\u00a0ds:x:read",
        f"{good} y:read", f"{good},y read", f"{good} ds", f"ds {good}", f"{good} {good}:", f'["{good}"]', f"{good};x",
        " ".join([good] * 65),
    ]  # fmt: skip
    elsewhere = [
        f"ds:{organization}/{other}:read,tag", f"ds:{other}:read,tag", f"ds:{other}/{dataset}:read,tag",
        f"ds:{organization}/{dataset}:update,delete", f"ds:{organization}/{dataset}:tagx,readx,tags",
        f"obj:{organization}/{dataset}/*:read,write", f"obj:{organization}/{dataset}:read,tag",
        f"ds:{organization}/{dataset}:data:read,tag", f"ds:{organization}/{dataset}:x:read,tag", "ds:*:read,tag",
        f"ds:*/{dataset}:read,tag", "ds:*/*:read,tag", f"ds:{organization}/:read,tag", f"ds:{organization}:read,tag",
        f"ds:{organization}/{dataset}/:read,tag", f"ds:{organization}/{dataset}/*:read,tag",
        f"ds:{organization.upper()}/{dataset}:read,tag", f"ds:{organization}/{dataset.upper()}:read,tag",
        f"dataset:{organization}/{dataset}:read,tag", f"org:{organization}:read,tag",
        f"ds:{organization}/{dataset}.:read,tag", f"obj:{organization}/{dataset}/*:read obj:x/y/*:read",
    ]  # fmt: skip
    return malformed, elsewhere


def test_scopes(city, claims, mint, tried):
    malformed, elsewhere = _scopes(city.parks["name"], city.hidden["name"], city.stops["name"])
    for status, scopes in ((401, malformed), (403, elsewhere)):
        for scope in scopes:
            assert tried(mint.token({**claims, "scopes": scope})) == status, scope
    assert tried(mint.token({**claims, "scopes": " ".join([*elsewhere, claims["scopes"]])})) == 200
