"""What can be wrong with a package's repositories in the folder: each function looks for one thing and changes nothing.

Without ``thorough`` a look costs some file reads and no child process: the refs, and the newest revision's objects.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from ckanext.metastore.backends.git.folder import Folder
from ckanext.metastore.backends.git.packing import CONFIG
from ckanext.metastore.backends.git.publishing import RUNS
from ckanext.metastore.backends.git.repository import STALE_LOCK_AGE, Repository
from ckanext.metastore.backends.git.transport import run_git
from ckanext.metastore.core.errors import MetastoreError
from ckanext.metastore.core.findings import Expected, Finding
from ckanext.metastore.core.objects import parse_tag
from ckanext.metastore.core.record import document_sha

_BACKUP = "bring the repository back from a backup that is as new as the database's, or newer"
_DECIDE = "decide whose it is: see docs/operations.rst"
PULL = "ckan metastore pull {}; where it clashes, with --strategy ours or theirs"
"""What brings in what others have pushed; takes the package's id."""

_TAG = "set it again: dataset_tag_update with the same description, or dataset_tag_delete"
_FSCK_PATIENCE = 3600.0
_KEPT = "refs/metastore/"
"""What is the backend's own, and served to nobody."""


def look_public(folder: Folder, branch: str, package: Expected, *, thorough: bool) -> Iterator[Finding]:
    """Find what is wrong with a package's public repository."""
    yield from _locks(package, folder.path(package.package_id, public=True))
    yield from _readable(folder, branch, package, True, thorough)


def look_private(folder: Folder, branch: str, package: Expected, *, thorough: bool) -> Iterator[Finding]:
    """Find what is wrong with its private one."""
    yield from _locks(package, folder.path(package.package_id, public=False))
    if folder.is_lent(package.package_id):
        yield from _readable(folder, branch, package, False, thorough)
    else:
        detail = "its alternates do not lead to the public repository"
        yield Finding("not-lent", package.package_id, detail, mends=True)


def _readable(folder: Folder, branch: str, package: Expected, public: bool, thorough: bool) -> Iterator[Finding]:
    """Find what is wrong in one repository. What cannot be read is damage."""
    try:
        repository = folder.open(package.package_id, public=public)
        if repository is None:
            yield from _missing(folder, package, public)
            return
        refs = repository.refs("refs/")
        yield from (_branch if public else _runs)(repository, branch, package, refs)
        yield from _tags(repository, package.tags if public else package.private_tags, package, refs)
        yield from _foreign(branch, package, public, refs)
    except MetastoreError as error:
        yield _corrupt(package, str(error))
        return
    if thorough:
        yield from _fsck(package, repository.path)


def _missing(folder: Folder, package: Expected, public: bool) -> Iterator[Finding]:
    if package.head if public else package.private:
        path = folder.path(package.package_id, public=public)
        yield Finding("missing", package.package_id, f"{path} is not there", _BACKUP)


def _corrupt(package: Expected, detail: str) -> Finding:
    return Finding("corrupt", package.package_id, detail, _BACKUP)


# -- refs -----------------------------------------------------------------------------------------------------------


def _branch(repository: Repository, branch: str, package: Expected, refs: Mapping[str, str]) -> Iterator[Finding]:
    """The branch is where the newest revision is; or further, where what waits was written and not marked yet."""
    tip, head = refs.get(f"heads/{branch}"), package.head
    if tip is not None and tip == head:
        yield from _newest(repository, package, tip)
    elif tip in package.waiting and (head is None or repository.holds(str(tip), head)):
        return
    elif tip is not None or head is not None:
        yield _elsewhere(repository, package, tip, head)


def _elsewhere(repository: Repository, package: Expected, tip: str | None, head: str | None) -> Finding:
    name = package.package_id
    detail = f"the branch is at {tip or 'nothing'}, and the newest revision that was published is {head or 'none'}"
    if head is None or (tip is not None and head in repository and repository.holds(tip, head)):
        return Finding("ahead", name, detail, PULL.format(name) if head else _DECIDE)
    if head not in repository:
        return Finding("behind", name, f"{detail}, which is not in the repository", _BACKUP)
    if tip is None or repository.holds(head, tip):
        return Finding("behind", name, detail, mends=True)
    return Finding("diverged", name, detail, PULL.format(name))


def _newest(repository: Repository, package: Expected, sha: str) -> Iterator[Finding]:
    """The newest revision can be read: its commit, its tree, its document."""
    document = document_sha(repository.tree(repository.commit(sha).tree))
    if document is not None and repository.read(document) is None:
        yield _corrupt(package, f"the document of revision {sha} is missing")


def _runs(repository: Repository, _branch: str, package: Expected, refs: Mapping[str, str]) -> Iterator[Finding]:
    """The private revisions are there, and a branch holds the newest."""
    lost = [sha for sha in package.private if sha not in repository]
    if lost:
        detail = f"{len(lost)} private revisions are not in the private repository; the newest is {lost[-1]}"
        yield Finding("behind", package.package_id, detail, _BACKUP)
    elif package.private:
        tips = [sha for name, sha in refs.items() if f"refs/{name}".startswith(RUNS)]
        if not any(repository.holds(tip, package.private[-1]) for tip in tips):
            detail = f"no branch of the private repository holds the private revision {package.private[-1]}"
            yield Finding("behind", package.package_id, detail, mends=True)


def _tags(
    repository: Repository, tags: Mapping[str, str], package: Expected, refs: Mapping[str, str]
) -> Iterator[Finding]:
    for name, sha in tags.items():
        there = refs.get(f"tags/{name}")
        if name not in package.waiting and (there is None or _target(repository, there) != sha):
            detail = f"the tag {name} is to be at revision {sha}, and " + ("is not" if there else "is not there")
            yield Finding("tag", package.package_id, detail, _TAG)


def _target(repository: Repository, sha: str) -> str | None:
    item = repository.read(sha)
    return None if item is None else parse_tag(item.data).target if item.type == "tag" else sha


def _foreign(branch: str, package: Expected, public: bool, refs: Mapping[str, str]) -> Iterator[Finding]:
    tags = package.tags if public else package.private_tags
    ours = {f"heads/{branch}"} if public else set()
    for name in refs:
        kind, _, rest = name.partition("/")
        known = kind == "tags" and (rest in tags or rest in package.waiting)
        run = not public and f"refs/{name}".startswith(RUNS)
        if not (name in ours or known or run or f"refs/{name}".startswith(_KEPT)):
            yield Finding("foreign-ref", package.package_id, f"refs/{name} is not ours", _DECIDE)


# -- files ----------------------------------------------------------------------------------------------------------


def stale_locks(path: Path) -> list[Path]:
    """The locks in a repository that are older than any that Git holds."""
    locks = [*path.glob("*.lock"), *path.glob("refs/**/*.lock")]
    return [lock for lock in locks if _age(lock) > STALE_LOCK_AGE]


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _locks(package: Expected, path: Path) -> Iterator[Finding]:
    for lock in stale_locks(path):
        yield Finding("lock", package.package_id, f"{lock} has been there for {_age(lock):.0f} s", mends=True)


def _fsck(package: Expected, path: Path) -> Iterator[Finding]:
    arguments = ["fsck", "--strict", "--full", "--no-dangling", "--no-progress"]
    try:
        result = run_git(path, arguments, CONFIG, seconds=_FSCK_PATIENCE)
    except MetastoreError as error:
        yield _corrupt(package, str(error))
        return
    if result.returncode:
        said = " ".join(f"{result.stdout} {result.stderr}".split())
        yield _corrupt(package, f"git fsck in {path}: {said[:500]}")


# -- mending --------------------------------------------------------------------------------------------------------


def move_forward(repository: Repository, branch: str, head: str) -> None:
    """Bring the branch to a revision that is in the repository and holds all that the branch has."""
    name = f"refs/heads/{branch}"
    tip = repository.ref(name)
    if tip is None or repository.holds(head, tip):
        repository.swap(name, old=tip, new=head)


def hold(repository: Repository, sha: str) -> None:
    """Let a branch hold a private revision."""
    repository.swap(RUNS + sha[:12], old=None, new=sha)
