"""Real documents and datasets, where the folder with them lies beside the checkout."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[5] / "shared" / "data"

needs_corpus = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no {FOLDER}")


def successive_versions() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of versions that followed each other in the history of a dataset or a Data Package."""
    return [
        pair
        for name, field in (("histories.jsonl", "package"), ("datapackage_histories.jsonl", "datapackage"))
        for line in (FOLDER / name).read_text().splitlines()
        for pair in pairwise(version[field] for version in json.loads(line)["versions"])
    ]
