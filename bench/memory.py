"""Whether memory stays flat over many saves: with the library in a process of its own, and in a whole CKAN."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Figure

from ckanext.metastore.core import Author, create_backend

if TYPE_CHECKING:  # the library's process has no CKAN
    from portal import Portal

TARGET = 1.05
"""Flat: what the process holds in the end, against what it held after a tenth of the saves."""


def figures(portal: Portal, saves: int) -> Iterator[Figure]:
    """The growth of the resident memory.

    :param saves: how many the library makes; CKAN makes a tenth of them
    """
    child = subprocess.run([sys.executable, __file__, str(saves)], check=True, capture_output=True, text=True)
    yield _figure(f"Memory, {saves} updates by the library", *map(int, child.stdout.split()))
    dataset_id = portal.dataset()["id"]
    grown = growth(lambda number: portal.act("package_patch", id=dataset_id, title=f"Trees {number}"), saves // 10)
    yield _figure(f"Memory, {saves // 10} package_patch", *grown)


def growth(save: Callable[[int], object], saves: int) -> tuple[int, int]:
    """The resident memory in bytes after a tenth of the saves and after all."""
    held = []
    for number in range(1, saves + 1):
        save(number)
        if number in (saves // 10, saves):
            gc.collect()
            held.append(_resident())
    return held[0], held[1]


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _figure(name: str, before: int, after: int) -> Figure:
    return Figure(name, f"{after / 1e6:.1f} MB", f"after a tenth: {before / 1e6:.1f} MB", after / before, "x", TARGET)


def _by_library(saves: int) -> tuple[int, int]:
    author = Author("Edda Ito", "edda@example.org")
    with tempfile.TemporaryDirectory() as folder:
        backend = create_backend("git", path=folder)
        backend.create("trees", document={"name": "trees"}, author=author)
        return growth(lambda number: backend.update("trees", document={"version": number}, author=author), saves)


if __name__ == "__main__":
    print(*_by_library(int(sys.argv[1])))
