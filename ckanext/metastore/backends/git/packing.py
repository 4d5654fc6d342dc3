"""Packing a repository by the ``git`` program.

What nobody refers to stays for two weeks, as it may be on its way in: objects are written before the ref that needs
them. A private repository borrows from the public one what is reachable there for ever: packing takes nothing from it.
"""

from __future__ import annotations

from pathlib import Path

from ckanext.metastore.backends.git.transport import run_git
from ckanext.metastore.core.errors import Unavailable

_PATIENCE = 3600.0
"""Seconds. A history of 10,000 revisions takes some ten."""

CONFIG = {
    "safe.directory": "*",
    "gc.pruneExpire": "2.weeks.ago",
    "gc.auto": "0",
    "pack.threads": "1",
    "core.fsync": "all",
    "core.hooksPath": "/dev/null",
}


def pack(repository: Path) -> None:
    """Pack the objects and the refs.

    :raises Unavailable: the program fails, or does not end
    """
    result = run_git(repository, ["gc", "--quiet"], CONFIG, seconds=_PATIENCE)
    if result.returncode:
        raise Unavailable(f"cannot pack {repository}: {' '.join(result.stderr.split())[-300:]}")
