"""What is pushed, judged before it is taken, and turned into revisions as the index records them.

The branch's line of revisions leads from the old head to the new one, a parent at each step. What a merge brings along
from the side is part of that merge's revision.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from ckanext.metastore.core.document import DOCUMENT_PATH
from ckanext.metastore.core.errors import Invalid, MetastoreError
from ckanext.metastore.core.objects import parse_commit, parse_tree
from ckanext.metastore.core.record import without_trailers
from ckanext.metastore.core.text import normalise_message
from ckanext.metastore.core.types import GitObject, ObjectType, RecordedRevision
from ckanext.metastore.service.git_child import environment
from ckanext.metastore.service.packages import V2, InvalidPackage, Malformed, package, parse

REVISION_LIMIT = 1000
"""How many commits one push may bring."""

UNPACKED_LIMIT = 64 * 1024 * 1024
"""Bytes of all objects that one push may bring: a small pack can hold much."""

SECONDS = 30
"""For how long one look into the pushed objects may take."""

_NOTHING = "0" * 40
_UPDATE = re.compile(r"(?P<old>[0-9a-f]{40}) (?P<new>[0-9a-f]{40}) (?P<ref>.+)")
_REGULAR = ("100644", "100755")


class Refused(MetastoreError):
    """The push is not taken; the text says why to whoever pushes."""


class Update(NamedTuple):
    """A ref that is to change."""

    old: str
    new: str
    ref: str


@dataclass(frozen=True)
class Rules:
    """What may be pushed.

    :param branch: the only branch
    :param size: bytes that ``datapackage.json`` may have
    :param depth: levels that it may have
    """

    branch: str
    size: int
    depth: int


@dataclass(frozen=True)
class Objects:
    """The repository that is pushed to, with what is pushed.

    :param variables: by which Git finds the pushed objects
    """

    repository: Path
    variables: Mapping[str, str]

    def read(self, shas: Iterable[str]) -> list[GitObject]:
        """Read objects by their shas."""
        wanted = list(shas)
        out, start, found = self.run("cat-file", "--batch", stdin="\n".join(wanted)), 0, []
        for _ in wanted:
            end = out.index(b"\n", start)
            _, kind, size = out[start:end].decode().split()
            start = end + 1 + int(size) + 1
            found.append(GitObject(cast(ObjectType, kind), out[end + 1 : start - 1]))
        return found

    def sizes(self, shas: Iterable[str]) -> list[int]:
        """Tell the objects' sizes in bytes."""
        return list(map(int, self.run("cat-file", "--batch-check=%(objectsize)", stdin="\n".join(shas)).split()))

    def run(self, *arguments: str, stdin: str = "") -> bytes:
        """Run ``git``; gives what it wrote.

        :raises Refused: it failed, or took too long: something is wrong with what is pushed
        """
        command = ["git", "--git-dir", str(self.repository), *arguments]
        variables = environment(self.variables)
        try:
            done = subprocess.run(
                command, env=variables, input=stdin.encode(), capture_output=True, check=True, timeout=SECONDS
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise Refused("what is pushed cannot be read") from error
        return done.stdout


def update(lines: Sequence[str], rules: Rules) -> Update:
    """Read the one update that a push may hold: the branch moves.

    :raises Refused: it is something else
    """
    branch = rules.branch
    parsed = [match for match in map(_UPDATE.fullmatch, lines) if match]
    for match in parsed:
        if match["ref"].startswith("refs/tags/"):
            raise Refused("a tag cannot be pushed; make it by POST .../tags, or by: metastore tag")
        if match["ref"] != f"refs/heads/{branch}":
            raise Refused(f"only the branch {branch} can be pushed, not {match['ref']}")
    if len(parsed) != 1 or len(lines) != 1:
        raise Refused(f"push the branch {branch}, and nothing else")
    found = Update(*parsed[0].groups())
    if found.new == _NOTHING:
        raise Refused(f"the branch {branch} stays; to delete the dataset, send DELETE")
    return found


def revisions(objects: Objects, update: Update, rules: Rules, *, not_before: int) -> list[RecordedRevision]:
    """Judge the new revisions, and give them, oldest first.

    :param not_before: the old head's time, in seconds since 1970-01-01 UTC: the order is the history's
    :raises Refused: a rule is broken
    """
    line = _line(objects, update)
    added = _added(objects, update, line)
    found: list[RecordedRevision] = []
    checked: dict[str, GitObject] = {}
    for sha in line:
        try:
            tree = _tree(objects, added[sha])
            blob = _document_sha(tree.data)
            if blob not in checked:
                checked[blob] = _checked_document(objects, blob, rules)
            revision = _revision(sha, added[sha], tree, checked[blob], not_before=not_before)
        except Invalid as error:
            raise Refused(f"revision {sha[:12]}: {error}") from error
        not_before = revision.timestamp
        found.append(revision)
    return found


def _line(objects: Objects, update: Update) -> list[str]:
    """Give the commits that lead from the old head to the new one, oldest first."""
    count = f"--max-count={REVISION_LIMIT + 1}"
    listed = objects.run("rev-list", "--topo-order", "--parents", count, update.new, f"^{update.old}").decode()
    parents = {sha: above for sha, *above in (line.split() for line in listed.splitlines())}
    if len(parents) > REVISION_LIMIT:
        raise Refused(f"one push may bring {REVISION_LIMIT:,} commits at most; push fewer at a time")
    leading = {update.old}
    for sha in reversed(parents):
        if not leading.isdisjoint(parents[sha]):
            leading.add(sha)
    line: list[str] = []
    sha = update.new
    while sha != update.old:
        if sha not in leading:
            raise Refused("history only grows: fetch what is new here, and build on it or merge it")
        line.append(sha)
        sha = next(parent for parent in parents[sha] if parent in leading)
    return line[::-1]


def _added(objects: Objects, update: Update, line: Sequence[str]) -> dict[str, list[GitObject]]:
    """Give the objects that each revision adds, in an order in which each may be written after those that it names."""
    options = ["--objects", "--no-object-names", "--in-commit-order", "--topo-order", "--reverse"]
    shas = objects.run("rev-list", *options, update.new, f"^{update.old}").decode().split()
    if sum(objects.sizes(shas)) > UNPACKED_LIMIT:
        raise Refused(f"what is pushed has more than {UNPACKED_LIMIT:,} bytes when it is unpacked; push less at a time")
    added: dict[str, list[GitObject]] = {}
    waiting: list[GitObject] = []
    for sha, *others in _groups(zip(shas, objects.read(shas), strict=True)):
        waiting += [item for _, item in reversed(others) if item.type == "blob"]
        waiting += [item for _, item in reversed(others) if item.type != "blob"]
        waiting.append(sha[1])
        if sha[0] in line:
            added[sha[0]], waiting = waiting, []
    return added


def _groups(found: Iterable[tuple[str, GitObject]]) -> Iterator[list[tuple[str, GitObject]]]:
    """Part the objects before each commit."""
    group: list[tuple[str, GitObject]] = []
    for pair in found:
        if pair[1].type == "commit" and group:
            yield group
            group = []
        group.append(pair)
    if group:
        yield group


def _revision(
    sha: str, added: Sequence[GitObject], tree: GitObject, document: GitObject, *, not_before: int
) -> RecordedRevision:
    """Turn a commit into a revision. Its time is what the commit says, but never in the future."""
    commit = parse_commit(added[-1].data)
    # The document is always there: of a merge, it may be known from a commit that is no revision.
    kept = [item for item in (document, tree) if item not in added]
    return RecordedRevision(
        sha=sha,
        parents=commit.parents,
        tree=tree.data,
        author=commit.author,
        message=normalise_message(without_trailers(commit.message)),
        timestamp=max(min(commit.timestamp, int(time.time())), not_before),
        public=True,
        objects=(*kept, *added),
    )


def _tree(objects: Objects, added: Sequence[GitObject]) -> GitObject:
    """Give the root of the last of the objects, a commit."""
    wanted = parse_commit(added[-1].data).tree
    new = next((item for item in added if item.type == "tree" and item.sha == wanted), None)
    return new or objects.read([wanted])[0]


def _document_sha(tree: bytes) -> str:
    entry = next((entry for entry in parse_tree(tree) if entry.name == DOCUMENT_PATH), None)
    if entry is None:
        raise Invalid(DOCUMENT_PATH, "it is missing; to delete the dataset, send DELETE")
    if entry.mode not in _REGULAR:
        raise Invalid(DOCUMENT_PATH, "it must be a regular file")
    return entry.sha


def _checked_document(objects: Objects, blob: str, rules: Rules) -> GitObject:
    """Read the document. It must be one that could have come by PUT: what is pushed cannot be changed on the way."""
    (size,) = objects.sizes([blob])
    if size > rules.size:
        raise Invalid(DOCUMENT_PATH, f"it has {size:,} bytes; at most {rules.size:,} are allowed")
    (found,) = objects.read([blob])
    try:
        document = parse(found.data, depth=rules.depth)
        taken = package(document)
    except Malformed as error:
        raise Invalid(DOCUMENT_PATH, str(error)) from error
    except InvalidPackage as error:
        where, reason = error.errors[0]
        raise Invalid(DOCUMENT_PATH, f"{error}: {where or '/'}: {reason}") from error
    if taken != document:
        raise Invalid(
            DOCUMENT_PATH, f'it is of version 1 of the standard; write it as version 2, with "$schema": "{V2}"'
        )
    return found
