"""Replaying recorded bytes into a repository. Each function is idempotent, and moves a ref forward or not at all."""

from __future__ import annotations

from ckanext.metastore.backends.git.history import History
from ckanext.metastore.backends.git.repository import TAGS, Repository
from ckanext.metastore.core.errors import Conflict
from ckanext.metastore.core.names import check_tag_name
from ckanext.metastore.core.objects import parse_tag
from ckanext.metastore.core.types import GitObject, RecordedRevision

RUNS = "refs/heads/private/"


def publish_public(repository: Repository, branch: str, revision: RecordedRevision) -> None:
    """Put a public revision at the head of the branch.

    :raises Conflict: the head is not its parent, and the branch does not hold it yet
    """
    name = f"refs/heads/{branch}"
    tip = repository.ref(name)
    if tip is not None and repository.holds(tip, revision.sha):
        return
    if tip is None and revision.parents:
        raise Conflict(f"the parent of revision {revision.sha} is not in the repository")
    if tip is not None and tip not in revision.parents:
        raise moved(repository, branch)
    repository.write(revision.objects)
    if not repository.swap(name, old=tip, new=revision.sha):
        raise moved(repository, branch)


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
    history = History(repository, branch, str(repository.path))
    return Conflict("there is a newer revision", current=history.revision(history.tip))
