"""Replaying recorded bytes into a repository. Each function is idempotent, and moves a ref forward or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from ckanext.metastore.backends.git.history import History
from ckanext.metastore.backends.git.repository import TAGS, Repository
from ckanext.metastore.core.errors import Conflict
from ckanext.metastore.core.names import check_tag_name
from ckanext.metastore.core.objects import parse_tag
from ckanext.metastore.core.types import GitObject, RecordedRevision

RUNS = "refs/heads/private/"


def units(revisions: Sequence[RecordedRevision]) -> list[Sequence[RecordedRevision]]:
    """Part revisions into what is published as one: each by itself, but all that a later one joins together with it."""
    joined = max(
        (number for number, item in enumerate(revisions, 1) if item.public and len(item.parents) > 1), default=0
    )
    return [revisions[:joined], *([revision] for revision in revisions[joined:])]


def publish_public(repository: Repository, branch: str, revisions: Sequence[RecordedRevision]) -> None:
    """Put public revisions at the head of the branch: all of them, or none.

    :param revisions: oldest first
    :raises Conflict: they do not follow the head
    """
    name = f"refs/heads/{branch}"
    tip = repository.ref(name)
    missing = following(repository, branch, revisions, tip=tip)
    for revision in missing:
        repository.write(revision.objects)
    if missing and not repository.swap(name, old=tip, new=missing[-1].sha):
        raise moved(repository, branch)


def following(
    repository: Repository, branch: str, revisions: Sequence[RecordedRevision], *, tip: str | None
) -> list[RecordedRevision]:
    """Give those of the revisions that are not there yet. The last of them can be what comes after ``tip``.

    It then holds ``tip`` and all the others: none is left behind. Where somebody else has moved the branch, a revision
    that joins theirs and ours makes it so.

    :param tip: where the branch is; ``None`` where it is to begin
    :raises Conflict: the last does not hold them, or a parent is not in the repository
    """
    missing = [item for item in revisions if tip is None or not repository.holds(tip, item.sha)]
    own = {item.sha for revision in missing for item in revision.objects if item.type == "commit"}
    reached = {missing[-1].sha} if missing else set()
    for revision in reversed(missing):
        if revision.sha not in reached:
            raise moved(repository, branch)
        reached |= {*revision.parents}
    if missing and tip is not None and tip not in reached:
        raise moved(repository, branch)
    if missing and tip is None and missing[0].parents:
        raise Conflict(f"the parent of revision {missing[0].sha} is not on the branch")
    for revision in missing:
        if not all(parent in own or parent in repository for parent in revision.parents):
            raise Conflict(f"the parent of revision {revision.sha} is not in the repository")
    return missing


def publish_private(repository: Repository, revision: RecordedRevision) -> None:
    """Put a private revision at the end of its run.

    A run is a branch of its own, named for its first revision: what follows a public revision cannot move forward any
    branch of the private repository. So everything stays reachable, and no branch is ever forced.

    :raises Conflict: its parent is in neither repository
    """
    runs = repository.refs(RUNS)
    if revision.sha in repository and any(repository.holds(tip, revision.sha) for tip in runs.values()):
        return
    if not all(parent in repository for parent in revision.parents):
        raise Conflict(f"the parent of revision {revision.sha} is not in the repository")
    repository.write(revision.objects)
    run = next((run for run, tip in runs.items() if tip in revision.parents), revision.sha[:12])
    # HEAD first: if this is cut off, the replay does not see the run yet, and does both again.
    repository.set_head(RUNS + run)
    if not repository.swap(RUNS + run, old=runs.get(run), new=revision.sha):
        raise Conflict(f"the private branch {run} has moved")


def publish_tag(repository: Repository, name: str, tag: GitObject) -> None:
    """Set a tag, whatever it was before.

    :raises Conflict: the revision that it names is not in the repository
    """
    ref = TAGS + check_tag_name(name)
    if parse_tag(tag.data).target not in repository:
        raise Conflict(f"the revision of tag {name} is not in the repository")
    repository.write([tag])
    while (old := repository.ref(ref)) != tag.sha:
        repository.swap(ref, old=old, new=tag.sha)


def remove_tag(repository: Repository, name: str) -> None:
    """Remove a tag. Removing what is not there is no error."""
    repository.remove(TAGS + name)


def moved(repository: Repository, branch: str) -> Conflict:
    """Say that the branch is not where the caller believed, and where it is."""
    if repository.ref(f"refs/heads/{branch}") is None:
        return Conflict("the revisions do not follow one another")
    history = History(repository, branch, str(repository.path))
    return Conflict("there is a newer revision", current=history.revision(history.tip))
