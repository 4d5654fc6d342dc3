"""The bare repositories, by Git's plumbing commands."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_HERMETIC = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}

HIDDEN_REFS = "refs/pull"
"""What GitHub keeps to itself."""


class GitFailed(Exception):
    """Git says no; the text is its own."""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give an environment in which nobody's configuration plays a part."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**inherited, **_HERMETIC, **(more or {})}


def create_repository(path: Path) -> None:
    """Create an empty bare repository, without the sample hooks."""
    command = ["git", "init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(path)]
    subprocess.run(command, env=environment(), check=True, capture_output=True)


@dataclass(frozen=True)
class GitRepository:
    """One bare repository."""

    path: Path

    def run(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """Run ``git``; gives what it wrote.

        :raises GitFailed: it did not end well
        """
        command = ["git", "--git-dir", str(self.path), *arguments]
        result = subprocess.run(command, input=stdin, env=environment(env), capture_output=True, check=False)
        if result.returncode != 0:
            raise GitFailed(result.stderr.decode("utf-8", "replace").strip())
        return result.stdout

    def text(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Run ``git``; gives what it wrote as a text without the last line's end.

        :raises GitFailed: it did not end well
        """
        return self.run(*arguments, stdin=stdin, env=env).decode("utf-8", "replace").removesuffix("\n")

    def resolve(self, revision: str) -> str | None:
        """Give the id of what a revision names, or nothing."""
        try:
            return self.text("rev-parse", "--verify", "--quiet", "--end-of-options", revision)
        except GitFailed:
            return None

    def default_branch(self) -> str:
        """Give the branch that ``HEAD`` names, be it there or not."""
        head = (self.path / "HEAD").read_text("utf-8").strip()
        return head.removeprefix("ref: refs/heads/")

    def set_default_branch(self, branch: str) -> None:
        """Let ``HEAD`` name another branch."""
        self.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")

    def branches(self) -> list[str]:
        """List the branches' names."""
        return self.text("for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split()

    def adopt_default_branch(self) -> None:
        """Where ``HEAD`` names no branch, take one that is there."""
        if self.resolve("HEAD") is None and (branches := self.branches()):
            usual = [branch for branch in ("main", "master") if branch in branches]
            self.set_default_branch([*usual, *branches][0])
