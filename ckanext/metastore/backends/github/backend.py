"""The ``github`` backend: what :class:`ckanext.metastore.core.Backend` asks for, written through to GitHub.

The local repositories are a cache: a ref moves there when GitHub has confirmed that it moved. What is missing is
fetched. So a folder may be lost, and several nodes have one each.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from ckanext.metastore.backends.git.backend import GitBackend
from ckanext.metastore.backends.git.folder import Folder, create_repository
from ckanext.metastore.backends.git.repository import Repository
from ckanext.metastore.backends.git.transport import Moved, Remote
from ckanext.metastore.backends.github import deadline, staging
from ckanext.metastore.backends.github.credentials import credentials
from ckanext.metastore.backends.github.places import ByName, Places, Registered
from ckanext.metastore.backends.github.repositories import Repositories
from ckanext.metastore.core.backend import Registry
from ckanext.metastore.core.errors import Conflict, Invalid, NotFound
from ckanext.metastore.core.types import Head, Package, Profile, RecordedRevision, Revision, Site, Tag, TagUpdate

API_URL = "https://api.github.com"
GIT_URL = "https://github.com"
PURGES = ("delete", "archive")
ATTEMPTS = 3

_REFSPECS = [f"+refs/{kind}/*:{staging.REMOTE}{kind}/*" for kind in ("heads", "tags")]

T = TypeVar("T")


class GitHubBackend(GitBackend):
    """Histories at GitHub, and a folder of bare repositories that holds what was needed of them.

    :param path: the folder; all of it may be lost at any time
    :param owner: the user or organization that owns the repositories, where a profile names none
    :param token: a personal access token; or ``app_id``, ``app_private_key_file`` and ``app_installation_id``
    :param api_url: where GitHub's API is; an Enterprise Server has it at ``https://<host>/api/v3``
    :param git_url: what stands before ``/<owner>/<name>.git``
    :param timeout: seconds that one call may take for all that it asks of GitHub
    :param purge: ``"delete"`` or ``"archive"``: what becomes of the repository of a purged package
    :param registry: where is kept which repository is which package's. Without one, a package's repository is the one
        that has the package's id for its name
    :raises Invalid: an option is wrong, or missing
    """

    keeps_private = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        owner: str,
        token: str = "",
        app_id: str = "",
        app_private_key_file: str = "",
        app_installation_id: str = "",
        api_url: str = API_URL,
        git_url: str = GIT_URL,
        timeout: float = 10.0,
        purge: str = "delete",
        registry: Registry | None = None,
        site: Site | None = None,
        branch: str = "main",
    ) -> None:
        super().__init__(path, site=site, branch=branch)
        if not owner:
            raise Invalid("github.owner", "is missing: name the user or organization that owns the repositories")
        if purge not in PURGES:
            raise Invalid("purge", f"must be one of {', '.join(PURGES)}, not {purge!r}")
        if timeout <= 0:
            raise Invalid("publish_timeout", f"must be more than 0 seconds, not {timeout}")
        self._folder = Folder(Path(path).absolute(), locks_each=True, patience=timeout + 1)
        self._git_url = _checked_url("github.git_url", git_url)
        self._timeout = timeout
        api_url = _checked_url("github.api_url", api_url)
        self._credentials = credentials(token, app_id, app_private_key_file, app_installation_id, api_url, timeout)
        api = Repositories(api_url, self._credentials, timeout)
        self._places: Places = (
            Registered(api, owner, purge, registry) if registry is not None else ByName(api, owner, purge)
        )

    # -- what crosses the network ------------------------------------------------------------------------------

    def publish(
        self,
        package_id: str,
        *,
        revisions: Iterable[RecordedRevision] = (),
        tags: Iterable[TagUpdate] = (),
        public: bool | None = None,
        profile: Profile | None = None,
    ) -> None:
        """Replay recorded revisions and tag updates at GitHub: one push carries all of them."""
        revisions, tags = list(revisions), list(tags)
        pushes = any(revision.public for revision in revisions)
        with deadline.within(self._timeout), self._folder.lock(package_id):
            self._places.arrange(package_id, profile=profile, public=public, needed=pushes)
            self._write(package_id, revisions=revisions, tags=tags)

    def purge(self, package_id: str) -> None:
        """Delete or archive the package's repository at GitHub, and destroy the local ones."""
        with deadline.within(self._timeout):
            self._places.purge(package_id)
        super().purge(package_id)

    def commit_url(self, package_id: str, *, sha: str) -> str | None:
        """Give the address of a public revision's page at GitHub."""
        place = self._places.find(package_id)
        return f"{self._git_url}/{quote(place[0])}/{quote(place[1])}/commit/{sha}" if place else None

    def _write(
        self, package_id: str, *, revisions: Sequence[RecordedRevision] = (), tags: Sequence[TagUpdate] = ()
    ) -> None:
        """Push what is public, then write what is not into the local private repository: it may build on the rest."""
        public = [revision for revision in revisions if revision.public]
        seen = [tag for tag in tags if tag.public or self._is_seen(package_id, tag)]
        with deadline.within(self._timeout):
            if public or seen:
                self._send(package_id, public, seen)
        private = [revision for revision in revisions if not revision.public]
        if any(revision.parents for revision in private):
            self._repository(package_id, public=True)  # they may build on what is public
        super()._write(package_id, revisions=private, tags=[tag for tag in tags if not tag.public])

    def _is_seen(self, package_id: str, tag: TagUpdate) -> bool:
        """Whether a tag that is private now is the name of a public revision too, from before."""
        repository = self._folder.open(package_id, public=True)
        return repository is not None and repository.ref(f"refs/tags/{tag.name}") is not None

    def _send(self, package_id: str, revisions: Sequence[RecordedRevision], tags: Sequence[TagUpdate]) -> None:
        """Write the objects, push, and move the local refs when GitHub has moved its own."""
        if not revisions and all(tag.object is None for tag in tags) and not self._repository(package_id, public=True):
            return
        repository = self._opened(package_id, begins=bool(revisions) and not revisions[0].parents)
        for attempt in range(ATTEMPTS):
            try:
                updates = staging.stage(repository, self._branch, revisions, tags)
                if updates:
                    self._remote(package_id).push(repository.path, updates)
                    staging.settle(repository, updates)
                return
            except Conflict:
                # Somebody else was first, or our own push arrived and its answer did not.
                before = _refs(repository)
                if self._moved_in(package_id, repository):
                    continue
                repository = self._fetched(package_id)
                if attempt + 1 == ATTEMPTS or _refs(repository) == before:
                    raise

    def _moved_in(self, package_id: str, repository: Repository) -> bool:
        """Push the whole history, where it began on another backend and GitHub's repository is new."""
        remote = self._remote(package_id)
        remote.fetch(repository.path, _REFSPECS)
        if not staging.is_all_ours(repository) or not self._places.is_ours(package_id):
            return False
        remote.push(repository.path, staging.everything(repository, self._branch))
        return True

    def _opened(self, package_id: str, *, begins: bool) -> Repository:
        """Open the public repository, fetched where it is missing here, made where it is missing there.

        :param begins: whether a history begins. Where there is one already, the push will tell
        """
        repository = self._folder.open(package_id, public=True)
        if repository is not None and _refs(repository):
            return repository
        if not (begins and self._places.sure):
            try:
                return self._fetched(package_id)
            except NotFound:
                if not begins:
                    raise Conflict("the revision is not in the repository, and there is none at GitHub") from None
        self._places.create(package_id)
        return self._folder.open_or_create(package_id, public=True, branch=self._branch)

    def _repository(self, package_id: str, *, public: bool) -> Repository | None:
        """Open a package's repository for reading; the public one is fetched where it is missing."""
        repository = self._folder.open(package_id, public=public)
        if repository is not None or not public:
            return repository
        try:
            with deadline.within(self._timeout):
                return self._fetched(package_id)
        except NotFound:
            return None

    def load(self, package_id: str, *, sha: str, public: bool = True, path: str = "datapackage.json") -> bytes:
        """Read one file of one revision by its full sha; fetches where this node does not have it yet."""
        try:
            return super().load(package_id, sha=sha, public=public, path=path)
        except NotFound as error:
            if not public or error.kind != "revision" or self._places.find(package_id) is None:
                raise
        with deadline.within(self._timeout), self._folder.lock(package_id):
            self._fetched(package_id)
        return super().load(package_id, sha=sha, public=public, path=path)

    def _fetched(self, package_id: str) -> Repository:
        """Bring the local public repository to what GitHub has.

        :raises NotFound: GitHub has none
        :raises Conflict: GitHub has lost revisions
        """
        remote = self._remote(package_id)
        repository = self._folder.open(package_id, public=True)
        if repository is None:
            return self._cloned(package_id, remote)
        remote.fetch(repository.path, _REFSPECS)
        repository = Repository(repository.path)
        staging.take_over(repository, self._branch)
        return repository

    def _cloned(self, package_id: str, remote: Remote) -> Repository:
        """The same into a repository under a name of its own, so that nobody sees half of it."""
        self._folder.root.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=".clone-", dir=self._folder.root))
        try:
            path = place / "repository.git"
            create_repository(path, self._branch)
            remote.fetch(path, _REFSPECS)
            staging.take_over(Repository(path), self._branch)
            return self._folder.adopt(package_id, path)
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _remote(self, package_id: str) -> Remote:
        place = self._places.find(package_id)
        if place is None:
            raise NotFound("repository", package_id)
        owner, name = map(quote, place)
        url = f"{self._git_url}/{owner}/{name}.git"
        seconds = partial(deadline.remaining, self._timeout)
        return Remote(url, self._git_url, self._credentials.token, seconds, follows=self._places.follows)

    # -- the verbs: where another node was first, they look again ----------------------------------------------

    def create(self, package_id: str, **given: Any) -> Package:
        """Start a package's history, or take it up again after :meth:`delete`."""
        return self._again(package_id, lambda: super(GitHubBackend, self).create(package_id, **given))

    def update(self, package_id: str, **given: Any) -> Package:
        """Save a new state of the whole document. Saving what is there already makes no revision."""
        return self._again(package_id, lambda: super(GitHubBackend, self).update(package_id, **given))

    def revert(self, package_id: str, **given: Any) -> Package:
        """Save the document of an older revision again, as a new one. It brings a deleted package back."""
        return self._again(package_id, lambda: super(GitHubBackend, self).revert(package_id, **given))

    def delete(self, package_id: str, **given: Any) -> Revision:
        """Record that the package is gone. Its history stays."""
        return self._again(package_id, lambda: super(GitHubBackend, self).delete(package_id, **given))

    def tag_create(self, package_id: str, **given: Any) -> Tag:
        """Name a revision."""
        return self._again(package_id, lambda: super(GitHubBackend, self).tag_create(package_id, **given))

    def tag_update(self, package_id: str, **given: Any) -> Tag:
        """Rename or describe anew; the tag stays at its revision. A rename is one push."""
        return self._again(package_id, lambda: super(GitHubBackend, self).tag_update(package_id, **given))

    def rename(self, package_id: str, *, new_id: str) -> None:
        """Move a history to another id, and its repository to another name."""
        with deadline.within(self._timeout):
            if self._repository(package_id, public=True) is None:
                raise NotFound("dataset", package_id)
            if new_id != package_id:
                self._places.rename(package_id, new_id)
        super().rename(package_id, new_id=new_id)

    def _deleted_head(self, package_id: str) -> Head | None:
        """Where this node knows of none, nothing is asked: there is none, or the push fails, and we look again."""
        return super()._deleted_head(package_id) if self._known(package_id) else None

    def _again(self, package_id: str, call: Callable[[], T]) -> T:
        """Make a call once more where it met a conflict, and GitHub turns out to know more than this node."""
        with deadline.within(self._timeout):
            for _ in range(ATTEMPTS):
                before = self._known(package_id)
                try:
                    return call()
                except Moved:
                    continue
                except Conflict:
                    if self._known(package_id) == before and not self._learns(package_id, before):
                        raise
            return call()

    def _known(self, package_id: str) -> dict[str, str]:
        repository = self._folder.open(package_id, public=True)
        return _refs(repository) if repository else {}

    def _learns(self, package_id: str, before: dict[str, str]) -> bool:
        try:
            with self._folder.lock(package_id):
                return _refs(self._fetched(package_id)) != before
        except NotFound:
            return False


def _refs(repository: Repository) -> dict[str, str]:
    """All that GitHub has confirmed: the branch and the tags."""
    return {**repository.refs("refs/heads/"), **repository.refs("refs/tags/")}


def _checked_url(field: str, url: str) -> str:
    """Give an address without the slash at its end. What is wrong with one is told without it: it may hold a secret.

    :raises Invalid: it is none, or holds a credential
    """
    if "@" in url:
        raise Invalid(field, "must not hold a user or a password: there are options for these")
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise Invalid(field, "must be an http or https address, such as https://github.example.org")
    return url.rstrip("/")
