"""What all parts of the contract stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ckanext.metastore.core import Author, Backend, NotFound
from ckanext.metastore.testing.git import check_integrity, git

ADA = Author("Ada Lovelace", "ada@example.org")
GRACE = Author("Grace Hopper", "grace@example.org")

PACKAGE = "6f1c2d3e-4a5b-4c6d-8e7f-901234567890"
OTHER = "0b9a8c7d-6e5f-4d3c-9b2a-109876543210"

DOCUMENT: dict[str, Any] = {
    "name": "street-trees",
    "title": "Street trees",
    "resources": [{"name": "trees", "path": "https://data.example/trees.csv", "format": "CSV"}],
}


def titled(title: str) -> dict[str, Any]:
    """Give the document with another title."""
    return {**DOCUMENT, "title": title}


class Contract:
    """One part of the contract. After each test, ``git`` itself looks whether the histories are whole."""

    @pytest.fixture
    def backend(self) -> Backend:
        raise NotImplementedError("give a fixture `backend`: an empty one")

    def clone_url(self, backend: Any, package_id: str) -> str:
        """Give what ``git clone`` takes to get a package's public repository."""
        raise NotImplementedError("give a method `clone_url`")

    @pytest.fixture
    def clone(self, backend: Backend, tmp_path: Path) -> Callable[[str], Path]:
        """A function that clones a package's public repository as any stranger would, and gives the place."""
        clones = 0

        def clone(package_id: str) -> Path:
            nonlocal clones
            clones += 1
            place = tmp_path / f"clone-{clones}"
            git("clone", "--quiet", "--mirror", self.clone_url(backend, package_id), str(place))
            return place

        return clone

    @pytest.fixture(autouse=True)
    def histories_are_whole(self, backend: Backend, clone: Callable[[str], Path]) -> Iterator[None]:
        yield
        for package_id in (PACKAGE, OTHER):
            try:
                backend.revision_list(package_id, limit=1)
            except NotFound:
                continue
            check_integrity(clone(package_id))
