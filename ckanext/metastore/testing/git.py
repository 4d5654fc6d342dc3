"""The real ``git`` program, as the stranger who judges what we wrote."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENVIRONMENT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def git(*arguments: str, cwd: Path | None = None, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
    """Run ``git``, untouched by whoever's configuration.

    :param cwd: where to run it: a repository
    :param env: more variables, such as ``GIT_AUTHOR_NAME``
    :returns: what it wrote
    :raises AssertionError: it failed; says how
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    result = subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        check=False,
        env={**inherited, **_ENVIRONMENT, **(env or {})},
    )
    assert result.returncode == 0, f"git {' '.join(arguments)}: {result.stderr.decode(errors='replace')}"
    return result.stdout.decode("utf-8", "surrogateescape")


def check_integrity(repository: Path) -> None:
    """Let ``git fsck`` look for damage.

    :raises AssertionError: it finds some
    """
    result = git("fsck", "--strict", "--no-dangling", "--no-progress", cwd=repository)
    assert not result.strip(), result


def object_ids(repository: Path) -> set[str]:
    """List every object in a repository, reachable or not."""
    return set(git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)", cwd=repository).split())
