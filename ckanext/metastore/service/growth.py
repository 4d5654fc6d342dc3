"""How a branch grows by a push: which of the pushed commits are revisions, as the index records them.

Of a dataset that is made here, these are one line that leads from the newest revision to the new tip, a parent at each
step; what a merge brings along from the side is part of that merge's revision. A mirror's history was made elsewhere,
perhaps by many hands: there each commit is a revision that can be one, as far as they hang together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ckanext.metastore.core.types import GitObject, RecordedRevision
from ckanext.metastore.service.incoming import Moved, Objects, Refused
from ckanext.metastore.service.judging import Judge, Rules
from ckanext.metastore.service.pushes import NEWER

REVISION_LIMIT = 1000
"""How many commits one push may bring."""

UNPACKED_LIMIT = 64 * 1024 * 1024
"""Bytes of all objects that one push may bring: a small pack can hold much. The same holds for what the index keeps of
it: there each revision has its tree and its document with it, though they be the ones of the revision before."""

ONLY_GROWS = "history only grows: fetch what is new here, and build on it or merge it"
BY_HAND = "somebody has moved the branch in the repository here: merge what is there with what you have"

Parents = Mapping[str, Sequence[str]]
"""Commits, newest first, each with the shas of its parents."""


@dataclass(frozen=True)
class Step:
    """How the branch is to move.

    :param base: the newest public revision in the index; None where there is none yet
    :param old: where the branch is in the repository; None where it is not there. It is the base, unless somebody has
        moved it there by hand
    :param new: where it is to be
    :param not_before: the base's time, in seconds since 1970-01-01 UTC: the order is the history's
    """

    base: str | None
    old: str | None
    new: str
    not_before: int


def revisions(objects: Objects, step: Step, rules: Rules) -> list[RecordedRevision]:
    """Judge the new revisions, and give them, oldest first.

    :raises Refused: a rule is broken, or something that is there would be left behind
    """
    parents = _commits(objects, step)
    pushed = _pushed(objects, step)
    judge = Judge(objects, rules, dict(pushed))
    choose = _connected if rules.is_mirror else _line
    chosen = choose(parents, step, judge)
    _check_joined(parents, step, chosen)
    recorded = list(_recorded(chosen, _added(pushed, chosen), judge, step.not_before))
    _check_size(len(item.data) for revision in recorded for item in revision.objects)
    return recorded


# -- which commits --------------------------------------------------------------------------------------------------


def _commits(objects: Objects, step: Step) -> Parents:
    """Give all commits that are new to the index."""
    if step.base and not objects.has(step.base):
        raise _not_held(step)
    count = f"--max-count={REVISION_LIMIT + 1}"
    listed = objects.run("rev-list", "--topo-order", "--parents", count, step.new, *_without([step.base])).decode()
    parents = {sha: above for sha, *above in (line.split() for line in listed.splitlines())}
    if len(parents) > REVISION_LIMIT:
        raise Refused(f"one push may bring {REVISION_LIMIT:,} commits at most; push fewer at a time")
    if step.old and not objects.is_ancestor(step.old, step.new):
        raise Refused(ONLY_GROWS)
    return parents


def _pushed(objects: Objects, step: Step) -> list[tuple[str, GitObject]]:
    """Give all objects that are new to the repository by their shas, those of each commit after it."""
    there = Objects(objects.repository, {})
    kept = [sha for sha in (step.base, step.old) if sha and there.has(sha)]
    options = ["--objects", "--no-object-names", "--in-commit-order", "--topo-order", "--reverse"]
    shas = objects.run("rev-list", *options, step.new, *_without(kept)).decode().split()
    _check_size(objects.sizes(shas))
    return list(zip(shas, objects.read(shas), strict=True))


def _check_size(sizes: Iterable[int]) -> None:
    if sum(sizes) > UNPACKED_LIMIT:
        raise Refused(f"what is pushed has more than {UNPACKED_LIMIT:,} bytes when it is unpacked; push less at a time")


def _without(shas: Iterable[str | None]) -> list[str]:
    return [f"^{sha}" for sha in shas if sha]


def _above(parents: Parents, base: str | None, passes: Callable[[str], bool]) -> Collection[str]:
    """Give those commits to which a way leads up from the base, or from a root where there is no base."""
    return _leading(parents, {sha for sha, named in parents.items() if (base in named if base else not named)}, passes)


def _leading(parents: Parents, first: Collection[str], passes: Callable[[str], bool]) -> Collection[str]:
    """Give those commits to which a way leads up from the first ones, over commits that pass."""
    found: set[str] = set()
    for sha in reversed(list(parents)):
        if (sha in first or not found.isdisjoint(parents[sha])) and passes(sha):
            found.add(sha)
    return found


def _line(parents: Parents, step: Step, judge: Judge) -> list[str]:
    """Give one line of commits, oldest first, all of which must be fine."""
    leading = _above(parents, step.base, _any)
    line: list[str] = []
    sha = step.new
    while sha in leading:
        line.append(sha)
        sha = next((parent for parent in parents[sha] if parent == step.base or parent in leading), "")
    if not line:
        raise _not_held(step)
    judge.insist(reversed(line))
    return line[::-1]


def _connected(parents: Parents, step: Step, judge: Judge) -> list[str]:
    """Give all commits that are fine and hang together, oldest first.

    What was in the repository already, by somebody's hand, is taken as it is: it makes a revision, or it makes none.
    """

    def passes(sha: str) -> bool:
        return not judge.is_pushed(sha) or judge.is_fine(sha)

    if step.new not in _above(parents, step.base, passes):
        if step.new in _above(parents, step.base, _any):
            judge.insist(filter(judge.is_pushed, reversed(list(parents))))
        raise _not_held(step)
    # Others may begin at older revisions.
    first = {sha for sha, named in parents.items() if not (parents.keys() >= {*named} if step.base else named)}
    leading = _leading(parents, first, passes)
    reached, found = {step.new}, []
    for sha in parents:
        if sha in reached and sha in leading:
            reached.update(parents[sha])
            found += [sha] if judge.is_fine(sha) else []
    return found[::-1]


def _not_held(step: Step) -> Refused:
    """Say that the new tip does not hold the newest revision: it could not, or did not want to."""
    return Refused(ONLY_GROWS) if step.old == step.base else Moved("HEAD", NEWER)


def _any(sha: str) -> bool:  # noqa: ARG001
    return True


def _check_joined(parents: Parents, step: Step, chosen: Sequence[str]) -> None:
    """See that the branch can be moved on from where it is, and nothing that is there is left behind."""
    if step.old != step.base and not any(step.old in parents[sha] for sha in chosen):
        raise Moved("HEAD", BY_HAND)


# -- as they are recorded -------------------------------------------------------------------------------------------


def _added(pushed: Sequence[tuple[str, GitObject]], chosen: Collection[str]) -> dict[str, list[GitObject]]:
    """Give the objects that each revision adds, in an order in which each may be written after those that it names."""
    added: dict[str, list[GitObject]] = {}
    waiting: list[GitObject] = []
    for (sha, commit), *others in _groups(pushed):
        waiting += [item for _, item in reversed(others) if item.type == "blob"]
        waiting += [item for _, item in reversed(others) if item.type != "blob"]
        waiting.append(commit)
        if sha in chosen:
            added[sha], waiting = waiting, []
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


def _recorded(
    chosen: Iterable[str], added: Mapping[str, list[GitObject]], judge: Judge, not_before: int
) -> Iterator[RecordedRevision]:
    """Turn commits into revisions. Each one's time is what the commit says, but never in the future."""
    for sha in chosen:
        said = judge.of(sha)
        own = added.get(sha, [said.raw])
        # The document is always there: of a merge, it may be known from a commit that is no revision.
        kept = [item for item in (said.document, said.tree) if item is not None and item not in own]
        not_before = max(min(said.commit.timestamp, int(time.time())), not_before)
        yield RecordedRevision(
            sha=sha,
            parents=said.commit.parents,
            tree=said.tree.data,
            author=said.commit.author,
            message=said.message,
            timestamp=not_before,
            public=True,
            objects=(*kept, *own),
        )
