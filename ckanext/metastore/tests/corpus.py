"""Records of real portals, which lie beside the checkout and not in it. Where they do not, these lists are empty."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data"


@cache
def datasets() -> dict[str, dict[str, Any]]:
    """Give CKAN datasets, under a number and their name."""
    records = (record["package"] for record in _read("datasets.jsonl"))
    return {f"{number}-{dataset['name']}": dataset for number, dataset in enumerate(records)}


@cache
def portals() -> dict[str, list[str]]:
    """Give the names of the datasets of each portal."""
    names: dict[str, list[str]] = {}
    for name, record in zip(datasets(), _read("datasets.jsonl"), strict=True):
        names.setdefault(record["portal"], []).append(name)
    return names


@cache
def histories() -> dict[str, list[dict[str, Any]]]:
    """Give CKAN datasets as they were, from version to version, oldest first."""
    return {
        f"{number}-{record['versions'][-1]['package']['name']}": [version["package"] for version in record["versions"]]
        for number, record in enumerate(_read("histories.jsonl"))
    }


@cache
def versions() -> dict[str, dict[str, Any]]:
    """Give every dataset, and every version of every history."""
    every = {
        f"{name}@{number}": version for name, history in histories().items() for number, version in enumerate(history)
    }
    return {**datasets(), **every}


@cache
def data_packages() -> dict[str, dict[str, Any]]:
    """Give Data Packages that never saw a CKAN."""
    records = [record["datapackage"] for record in _read("datapackages.jsonl")]
    for history in _read("datapackage_histories.jsonl"):
        records += [version["datapackage"] for version in history["versions"]]
    return {f"{number}-{package.get('name')}": package for number, package in enumerate(records)}


def _read(name: str) -> Iterator[dict[str, Any]]:
    path = FOLDER / name
    if path.exists():
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)
