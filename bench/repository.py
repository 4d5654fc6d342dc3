"""What the git program finds in a repository."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ckanext.metastore.testing.git import check_integrity, git


def history(repository: Path) -> Sequence[tuple[str, str]]:
    """Sha and first line of each revision, oldest first."""
    if not git("for-each-ref", "refs/heads/main", cwd=repository).strip():
        return []
    lines = git("log", "--reverse", "--topo-order", "--format=%H %s", "main", cwd=repository).splitlines()
    return [(sha, message) for sha, _, message in (line.partition(" ") for line in lines)]


def title(repository: Path) -> str:
    """The title of the newest revision's dataset."""
    return str(json.loads(git("show", "main:datapackage.json", cwd=repository))["title"])


def tags(repository: Path) -> dict[str, str]:
    """Each tag's name, and the commit that it names."""
    lines = git("for-each-ref", "refs/tags", "--format=%(refname:short) %(*objectname)", cwd=repository).splitlines()
    return dict(line.split(" ") for line in lines)


def damage(repository: Path) -> str:
    """What ``git fsck`` says; nothing where all is well."""
    try:
        check_integrity(repository)
    except AssertionError as error:
        return f"git fsck: {str(error)[:200]}"
    return ""
