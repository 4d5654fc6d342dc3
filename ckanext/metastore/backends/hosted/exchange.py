"""What others have done at the Git host, and what we say there of it."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote

from ckanext.metastore.backends.git.exchange import look
from ckanext.metastore.backends.git.repository import Repository
from ckanext.metastore.backends.hosted import staging
from ckanext.metastore.backends.hosted.copies import REFSPECS
from ckanext.metastore.backends.hosted.inspector import HostInspector
from ckanext.metastore.core.errors import Conflict, NotFound
from ckanext.metastore.core.types import Theirs


class HostExchange(HostInspector):
    """Histories that others may edit at the host."""

    def theirs(self, package_id: str, *, ours: str) -> Theirs | None:
        """Fetch, and look where the branch is now at the host."""
        with self._talking(), self._folder.lock(package_id):
            repository = self._looked(package_id, ours)
            tip = repository.ref(f"{staging.REMOTE}heads/{self._branch}")
            if tip is None:
                raise NotFound("branch", self._branch)
            found = look(repository, tip, ours)
            if found and found.lost and not self._places.is_ours(package_id):
                raise Conflict(f"another repository has the name of the package's at {self._host.name}")
            return found

    def report(self, package_id: str, *, sha: str, accepted: bool, reason: str) -> None:
        """Say it as a status of the commit, where the host has such."""
        place = self._places.find(package_id)
        if place is None:
            raise NotFound("repository", package_id)
        url = self._site.dataset_url.replace("{id}", quote(package_id, safe="")) if self._site else ""
        with self._talking():
            self._host.set_status(
                *place,
                self._places.number(package_id),
                sha,
                state="success" if accepted else "failure",
                description=reason,
                target_url=url,
            )

    def _looked(self, package_id: str, ours: str) -> Repository:
        """Fetch what the host has, whatever it has lost. The local branch moves forward, or not at all.

        :raises NotFound: the host has no such repository
        """
        remote = self._remote(package_id)
        repository = self._folder.open(package_id, public=True)
        if repository is None or ours not in repository:
            return self._fetched(package_id)
        remote.fetch(repository.path, REFSPECS)
        repository = Repository(repository.path)
        with suppress(Conflict):
            staging.take_over(repository, self._branch)
        return repository
