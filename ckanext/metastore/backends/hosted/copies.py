"""The local repositories as what they are beside a Git host: a cache.

What is missing is fetched; what is new is pushed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import quote

from ckanext.metastore.backends.git.backend import GitBackend
from ckanext.metastore.backends.git.folder import Folder, create_repository
from ckanext.metastore.backends.git.libgit2 import translated_errors
from ckanext.metastore.backends.git.repository import Repository
from ckanext.metastore.backends.git.transport import Moved, RefUpdate, Remote
from ckanext.metastore.backends.hosted import deadline, staging
from ckanext.metastore.backends.hosted.host import Credentials
from ckanext.metastore.backends.hosted.places import Places
from ckanext.metastore.core.errors import Conflict, NotFound, Unauthorized
from ckanext.metastore.core.types import RecordedRevision, Site, TagUpdate

ATTEMPTS = 3

STALECLONE_AGE = 60.0
"""Seconds beyond the time that a clone may take: what is older was left behind by a process that was killed."""

CLONE = ".clone-"
REFSPECS = [f"+refs/{kind}/*:{staging.REMOTE}{kind}/*" for kind in ("heads", "tags")]


class Copies(GitBackend):
    """The ``git`` backend whose public repositories are copies of those at a Git host.

    :param places: where those are
    :param timeout: seconds that one call may take for all that it asks of the host
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        places: Places,
        credentials: Credentials,
        timeout: float,
        site: Site | None,
        branch: str,
    ) -> None:
        super().__init__(path, site=site, branch=branch)
        self._folder = Folder(Path(path).absolute(), locks_each=True, patience=timeout + 1, is_cache=True)
        self._places = places
        self._credentials = credentials
        self._host = places.host
        self._timeout = timeout

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Let all that happens within end in time. Credentials that are refused are not used again."""
        try:
            with deadline.within(self._timeout):
                yield
        except Unauthorized:
            self._credentials.refused()
            raise

    # -- writing -----------------------------------------------------------------------------------------------

    def _write(
        self,
        package_id: str,
        *,
        revisions: Sequence[RecordedRevision] = (),
        tags: Sequence[TagUpdate] = (),
        replays: bool = False,
    ) -> None:
        """Push what is public, then write what is not into the local private repository: it may build on the rest.

        :param replays: the caller's database is the truth: a tag is moved whatever it was
        """
        public = [revision for revision in revisions if revision.public]
        seen = [tag for tag in tags if tag.public or self._is_seen(package_id, tag)]
        with self._talking():
            if public or seen:
                self._send(package_id, public, seen, replays=replays)
        private = [revision for revision in revisions if not revision.public]
        if any(revision.parents for revision in private):
            self._repository(package_id, public=True)  # they may build on what is public
        super()._write(package_id, revisions=private, tags=[tag for tag in tags if not tag.public])

    def _is_seen(self, package_id: str, tag: TagUpdate) -> bool:
        """Whether a tag that is private now is the name of a public revision too, from before."""
        repository = self._folder.open(package_id, public=True)
        return repository is not None and repository.ref(f"refs/tags/{tag.name}") is not None

    def _send(
        self, package_id: str, revisions: Sequence[RecordedRevision], tags: Sequence[TagUpdate], *, replays: bool
    ) -> None:
        """Write the objects, push, and move the local refs when the host has moved its own."""
        if not revisions and all(tag.object is None for tag in tags) and not self._repository(package_id, public=True):
            return
        repository = self._opened(package_id, begins=bool(revisions) and not revisions[0].parents)
        believed = staging.tag_refs(repository, tags)
        continues = any(parent in repository for revision in revisions for parent in revision.parents)
        joins = {parent for revision in revisions if len(revision.parents) > 1 for parent in revision.parents}
        tip = repository.ref(f"refs/heads/{self._branch}")
        for attempt in range(ATTEMPTS):
            try:
                updates = staging.stage(repository, self._branch, revisions, tags, tip=tip)
                self._push(package_id, repository, updates)
                return
            except Conflict:
                # Somebody else was first, or our own push arrived and its answer did not.
                repository, moved = self._renewed(package_id, continues=continues, joins=joins)
                tip, before = staging.found(repository, self._branch), tip
                if attempt + 1 == ATTEMPTS or not (moved or tip != before):
                    raise
            if not replays and (name := staging.moved_tag(repository, tags, believed)):
                raise Moved(f"the tag {name} has moved at the Git host")

    def _push(self, package_id: str, repository: Repository, updates: Sequence[RefUpdate]) -> None:
        """Push, in one piece where it is of a usual size: then all of it arrives, or nothing."""
        for batch in staging.pieces(repository, self._branch, updates):
            self._remote(package_id).push(repository.path, staging.guarded(repository, self._branch, batch))
            staging.settle(repository, batch)
            staging.stamp(repository, self._places.number(package_id))

    def _opened(self, package_id: str, *, begins: bool) -> Repository:
        """Open the public repository, fetched where it is missing here, made where it is missing there.

        :param begins: whether a history begins. Where there is one already, the push will tell
        """
        repository = self._folder.open(package_id, public=True)
        if repository is not None and refs(repository):
            return repository
        if not (begins and self._places.sure):
            try:
                repository = self._fetched(package_id)
                if refs(repository) or not begins:
                    return repository
            except NotFound:
                if not begins:
                    raise Conflict(f"the revision is not in the repository, and {self._host.name} has none") from None
        self._places.create(package_id)
        return self._folder.open_or_create(package_id, public=True, branch=self._branch)

    # -- reading -----------------------------------------------------------------------------------------------

    def _repository(self, package_id: str, *, public: bool) -> Repository | None:
        """Open a package's repository for reading; the public one is fetched where it is missing."""
        repository = self._folder.open(package_id, public=public)
        if repository is not None or not public:
            return repository
        try:
            with self._talking():
                return self._cloned(package_id, self._remote(package_id))
        except NotFound:
            return None

    def load(self, package_id: str, *, sha: str, public: bool = True, path: str = "datapackage.json") -> bytes:
        """Read one file of one revision by its full sha; fetches where this node does not have it yet."""
        try:
            return super().load(package_id, sha=sha, public=public, path=path)
        except NotFound as error:
            if not public or error.kind != "revision" or self._places.find(package_id) is None:
                raise
        with self._talking(), self._folder.lock(package_id):
            self._fetched(package_id)
        return super().load(package_id, sha=sha, public=public, path=path)

    def _fetched(self, package_id: str) -> Repository:
        """Bring the local public repository to what the host has, under the lock.

        :raises NotFound: the host has none
        :raises Conflict: the host has lost revisions, or holds another history
        """
        return self._renewed(package_id)[0]

    def _renewed(
        self, package_id: str, *, continues: bool = False, joins: Collection[str] = ()
    ) -> tuple[Repository, bool]:
        """The same; says too whether anything has moved, here or there.

        :param continues: whether what is to be published goes on from the local history. Then that is no other one's,
            and may be the only copy: the portal has moved to another host
        :param joins: commits that what is to be published joins with ours
        """
        remote = self._remote(package_id)
        repository = self._folder.open(package_id, public=True)
        if (
            repository is not None
            and not continues
            and staging.is_of_another(repository, self._places.number(package_id))
        ):
            self._folder.remove(package_id)  # the package was purged on another node, and begins anew
            repository = None
        if repository is None:
            return self._cloned(package_id, remote), True
        before = refs(repository)
        remote.fetch(repository.path, REFSPECS)
        repository = Repository(repository.path)
        if staging.is_moving(repository, self._branch) and self._places.is_ours(package_id):
            # The history began on another backend, and the host's repository is new.
            with staging.moving(repository, self._branch) as updates:
                self._push(package_id, repository, updates)
            return repository, True
        staging.take_over(repository, self._branch, joins=joins)
        return repository, refs(repository) != before

    def _cloned(self, package_id: str, remote: Remote) -> Repository:
        """The same into a repository under a name of its own, so that nobody sees half of it. Needs no lock."""
        with translated_errors("clone the repository"):
            self._folder.root.mkdir(parents=True, exist_ok=True)
            self._clear_stale_clones()
            place = Path(tempfile.mkdtemp(prefix=CLONE, dir=self._folder.root))
        try:
            path = place / "repository.git"
            with translated_errors("clone the repository"):
                create_repository(path, self._branch)
            remote.fetch(path, REFSPECS)
            repository = Repository(path)
            staging.take_over(repository, self._branch)
            staging.stamp(repository, self._places.number(package_id))
            return self._folder.adopt(package_id, path)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _clear_stale_clones(self) -> None:
        """Remove what processes have left behind that were killed while they cloned."""
        for place in self._folder.root.glob(f"{CLONE}*"):
            with suppress(FileNotFoundError):
                if time.time() - place.stat().st_mtime > self._timeout + STALECLONE_AGE:
                    shutil.rmtree(place, ignore_errors=True)

    def _remote(self, package_id: str) -> Remote:
        place = self._places.find(package_id)
        if place is None:
            raise NotFound("repository", package_id)
        owner, name = place
        url = f"{self._host.git_url}/{quote(owner)}/{quote(name)}.git"
        seconds = partial(deadline.remaining, self._timeout)
        return Remote(
            url, self._host.git_url, partial(self._credentials.token, owner), seconds, follows=self._places.follows
        )


def refs(repository: Repository) -> dict[str, str]:
    """All that the host has confirmed: the branch and the tags."""
    return {**repository.refs("refs/heads/"), **repository.refs("refs/tags/")}
