"""A folder of the repositories that cannot be written to for some time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def outage(repositories: Path) -> Iterator[None]:
    """Have no folder for as long as the block lasts."""
    aside = repositories.rename(repositories.with_name("aside"))
    repositories.write_text("no folder")
    yield
    repositories.unlink()
    aside.rename(repositories)
