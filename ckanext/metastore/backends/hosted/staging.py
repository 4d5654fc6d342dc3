"""What is to be pushed: recorded bytes become objects in the local repository, and the moves of refs that follow."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice, pairwise

from ckanext.metastore.backends.git.libgit2 import translated_errors
from ckanext.metastore.backends.git.publishing import following
from ckanext.metastore.backends.git.repository import TAGS, Repository
from ckanext.metastore.backends.git.transport import RefUpdate
from ckanext.metastore.core.errors import Conflict
from ckanext.metastore.core.names import check_tag_name
from ckanext.metastore.core.objects import parse_tag, parse_tree
from ckanext.metastore.core.record import is_recorded
from ckanext.metastore.core.types import RecordedRevision, TagUpdate

REMOTE = "refs/metastore/remote/"
"""What a fetch found, until it is compared with what we have."""

LOST = "the branch at the Git host has lost revisions that it had"

BATCH = 500
"""Refs that one push moves: their names stand in the program's arguments, of which there may be 2 MB."""

STEP = 500
"""Revisions that one push brings: a metastore service takes a thousand."""

STEP_SIZE = 32 * 1024 * 1024
"""Bytes of these revisions' files: it takes 64 MiB."""

_MOVING = "refs/metastore/moving"
"""Is there while a history that began on another backend is brought to the host: some of it may be there already."""

_STAMP = "metastore-host-id"


def stage(
    repository: Repository,
    branch: str,
    revisions: Sequence[RecordedRevision],
    tags: Sequence[TagUpdate],
    *,
    tip: str | None,
) -> list[RefUpdate]:
    """Write the objects, and say how the refs are to move; none where everything is there.

    :param tip: where the branch is believed to be at the host
    :raises Conflict: the revisions do not follow the tip, or a tag's revision is not there
    """
    head = f"refs/heads/{branch}"
    missing = following(repository, branch, revisions, tip=tip)
    _check_kept(repository, repository.ref(head), tip, missing)
    for revision in missing:
        repository.write(revision.objects)
    updates = [RefUpdate(head, tip, missing[-1].sha)] if missing else []
    return updates + [update for tag in tags if (update := _stage_tag(repository, tag))]


def _check_kept(repository: Repository, ours: str | None, tip: str | None, missing: Sequence[RecordedRevision]) -> None:
    """Make sure that what we have is not left behind, where the host has left it.

    :raises Conflict: no revision joins it
    """
    kept = {parent for revision in missing for parent in revision.parents if parent in repository}
    if missing and ours not in (None, tip) and not any(repository.holds(parent, str(ours)) for parent in kept):
        raise Conflict(LOST)


def found(repository: Repository, branch: str) -> str | None:
    """Where the last fetch found the branch; ours, where it found none, and we have pushed it since."""
    return repository.ref(f"{REMOTE}heads/{branch}") or repository.ref(f"refs/heads/{branch}")


def _stage_tag(repository: Repository, tag: TagUpdate) -> RefUpdate | None:
    name = TAGS + check_tag_name(tag.name)
    old, new = repository.ref(name), None
    if tag.object is not None and tag.public:
        if parse_tag(tag.object.data).target not in repository:
            raise Conflict(f"the revision of tag {tag.name} is not in the repository")
        repository.write([tag.object])
        new = tag.object.sha
    return RefUpdate(name, old, new) if old != new else None


def pieces(repository: Repository, branch: str, updates: Sequence[RefUpdate]) -> Iterator[list[RefUpdate]]:
    """Part what is to be pushed: one push where it is of a usual size, else the branch in steps, then the tags."""
    head = next((update for update in updates if update.name == f"refs/heads/{branch}"), None)
    steps = _steps(repository, head) if head else []
    for step in steps[:-1]:
        yield [step]
    rest = iter([*steps[-1:], *(update for update in updates if update is not head)])
    while batch := list(islice(rest, BATCH)):
        yield batch


def _steps(repository: Repository, update: RefUpdate) -> list[RefUpdate]:
    """Part a long move of the branch, along first parents; what a merge brings from the side comes with it."""
    line = [str(update.new)]
    while (parents := repository.commit(line[-1]).parents) and update.old not in parents:
        line.append(parents[0])
    if update.old and not parents:
        return [update]
    line.reverse()
    stops = [*(_stops(repository, line) if len(line) > 1 else ()), line[-1]]
    return [RefUpdate(update.name, old, new) for old, new in zip([update.old, *stops], stops, strict=False)]


def _stops(repository: Repository, line: Sequence[str]) -> Iterator[str]:
    """Give the revisions at which a push ends, before the last one."""
    count = size = 0
    for sha, after in pairwise(line):
        count, size = count + 1, size + _size(repository, sha)
        if count == STEP or size + _size(repository, after) > STEP_SIZE:
            yield sha
            count = size = 0


def _size(repository: Repository, sha: str) -> int:
    """Give the bytes of a revision's files, at the top, and of their list."""
    tree = repository.tree(repository.commit(sha).tree)
    blobs = (repository.read(entry.sha) for entry in parse_tree(tree))
    return len(tree) + sum(len(item.data) for item in blobs if item is not None)


def settle(repository: Repository, updates: Sequence[RefUpdate]) -> None:
    """Move the local refs as the host has moved its own. A branch that is ahead of it stays: it was not made there."""
    for update in updates:
        ours = repository.ref(update.name)
        if update.name.startswith(TAGS) or not (ours and update.new and repository.holds(ours, update.new)):
            _move(repository, update.name, update.new)


def take_over(repository: Repository, branch: str, *, joins: Collection[str] = ()) -> None:
    """Bring the local refs to what a fetch has found. The branch moves forward, or not at all.

    :param joins: commits that a revision to come joins with ours: the host's branch may be at one of them, whatever
        it has lost
    :raises Conflict: the host's branch has left what we know of it: it was rewound, or replaced; or, where we know
        nothing, it is no package's
    """
    found = repository.refs(REMOTE)
    head = f"refs/heads/{branch}"
    theirs, ours = found.get(f"heads/{branch}"), repository.ref(head)
    if ours is None and theirs is not None and not _is_a_packages(repository, theirs):
        raise Conflict("the repository at the Git host holds something else than a package's history")
    if ours is None or (theirs is not None and repository.holds(theirs, ours)):
        _move(repository, head, theirs)
    elif theirs not in joins:
        raise Conflict(LOST)
    tags = {name.removeprefix("tags/"): sha for name, sha in found.items() if name.startswith("tags/")}
    _take_over_tags(repository, tags)


def _is_a_packages(repository: Repository, tip: str) -> bool:
    """Tell whether any revision was recorded by us: strangers may have added theirs since."""
    return any(is_recorded(repository.commit(sha).message) for sha in repository.walk(tip))


def tag_refs(repository: Repository, tags: Sequence[TagUpdate]) -> dict[str, str | None]:
    """What the tags' refs are now."""
    return {tag.name: repository.ref(TAGS + tag.name) for tag in tags}


def moved_tag(repository: Repository, tags: Sequence[TagUpdate], believed: Mapping[str, str | None]) -> str | None:
    """The name of a tag that is neither what it was believed to be nor what it is to become."""
    for tag in tags:
        wanted = tag.object.sha if tag.object and tag.public else None
        if repository.ref(TAGS + tag.name) not in (believed[tag.name], wanted):
            return tag.name
    return None


def guarded(repository: Repository, branch: str, updates: Sequence[RefUpdate]) -> list[RefUpdate]:
    """Let a push of tags alone be refused where the branch is not the one that we know: another took the name."""
    head = f"refs/heads/{branch}"
    tip = repository.ref(head)
    known = [] if tip is None or any(update.name == head for update in updates) else [RefUpdate(head, tip, tip)]
    return [*known, *updates]


def stamp(repository: Repository, number: int | None) -> None:
    """Note of which of the host's repositories this one is a copy."""
    file = repository.path / _STAMP
    if number is not None and (not file.exists() or is_of_another(repository, number)):
        with translated_errors("mark the repository"):
            file.write_text(f"{number}\n")


def is_of_another(repository: Repository, number: int | None) -> bool:
    """Tell whether this is a copy of another of the host's repositories. One that bears no stamp is of none."""
    file = repository.path / _STAMP
    return number is not None and file.exists() and file.read_text().strip() != str(number)


def is_moving(repository: Repository, branch: str) -> bool:
    """Whether our history began on another backend, and the fetch found nothing, or what we have brought so far."""
    found, ours = repository.refs(REMOTE), repository.ref(f"refs/heads/{branch}")
    if ours is None or not found:
        return ours is not None
    theirs = found.get(f"heads/{branch}")
    return repository.ref(_MOVING) is not None and (theirs is None or repository.holds(ours, theirs))


@contextmanager
def moving(repository: Repository, branch: str) -> Iterator[list[RefUpdate]]:
    """Give the moves that bring all that we have; note that they are under way until they are done."""
    head = f"refs/heads/{branch}"
    tip = repository.ref(head)
    _move(repository, _MOVING, tip)
    ours = {head: tip, **{TAGS + name: sha for name, sha in sorted(repository.refs(TAGS).items())}}
    found = {f"refs/{name}": sha for name, sha in repository.refs(REMOTE).items()}
    yield [RefUpdate(name, found.get(name), sha) for name, sha in ours.items() if found.get(name) != sha]
    _move(repository, f"{REMOTE}heads/{branch}", tip)
    _move(repository, _MOVING, None)


def _take_over_tags(repository: Repository, tags: Mapping[str, str]) -> None:
    for name in repository.refs(TAGS).keys() - tags.keys():
        repository.remove(TAGS + name)
    for name, sha in tags.items():
        _move(repository, TAGS + name, sha)


def _move(repository: Repository, name: str, new: str | None) -> None:
    if new is None:
        repository.remove(name)
        return
    while (old := repository.ref(name)) != new:
        repository.swap(name, old=old, new=new)
