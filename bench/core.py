"""How fast the library's steps are, without CKAN; each against something that everybody knows the speed of."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import Figure, in_turn
from portal import Dataset

from ckanext.metastore import mapper
from ckanext.metastore.core import Author, Backend, Site, create_backend
from ckanext.metastore.core.document import canonical_json
from ckanext.metastore.core.types import RecordedRevision

EDITOR = Author("Edda Ito", "edda@example.org")
SITE = Site(Author("Trees of the city", "noreply@example.org"), "https://example.org/dataset/{id}")


def figures(dataset: Dataset, times: int) -> Iterator[Figure]:
    """Mapper, canonical JSON, record, publish.

    :param dataset: as ``package_show`` gives it
    """
    document = mapper.to_document(dataset)
    size = f"{len(dataset['resources'])} resources"
    with tempfile.TemporaryDirectory() as folder:
        backend = create_backend("git", path=folder, site=SITE)
        steps: dict[str, Callable[[], object]] = {
            "Dataset to document": lambda: mapper.to_document(dataset),
            "Document to dataset": lambda: mapper.to_dataset(document),
            "Canonical JSON": lambda: canonical_json(document),
            "Record": lambda: backend.record(dataset["id"], document=document, author=EDITOR),
        }
        for name, step in steps.items():
            yield _figure(f"{name}, {size}", step, "json.dumps", lambda: json.dumps(document, indent=2), times)
        recorded = _recorded(backend, dataset, times + 1)
        publish = lambda: backend.publish(dataset["id"], revisions=[next(recorded)])  # noqa: E731
        yield _figure(f"Publish, {size}", publish, "a file synced", _synced(Path(folder)), times)


def _figure(name: str, ours: Callable[[], object], what: str, theirs: Callable[[], object], times: int) -> Figure:
    here, there = in_turn(ours, theirs, times)
    return Figure(name, f"{1000 / here:,.0f} /s", f"{what}: {1000 / there:,.0f} /s", here / there, "x")


def _recorded(backend: Backend, dataset: Dataset, number: int) -> Iterator[RecordedRevision]:
    """Some revisions, one after the other, each with another title."""
    revisions: list[RecordedRevision] = []
    for title in map(str, range(number)):
        document = mapper.to_document({**dataset, "title": title})
        head = revisions[-1].head if revisions else None
        revisions.append(backend.record(dataset["id"], document=document, author=EDITOR, head=head))
    return iter(revisions)


def _synced(folder: Path) -> Callable[[], object]:
    """A small file, written so that it survives a power cut."""

    def write() -> None:
        with (folder / "file").open("wb") as file:
            file.write(b"0" * 1000)
            file.flush()
            os.fsync(file.fileno())

    return write
