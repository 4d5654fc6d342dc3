"""What a backend tells of commits that others made, and tells them in return."""

from __future__ import annotations

from typing import Protocol

from ckanext.metastore.core.types import Theirs


class Exchange(Protocol):
    """A part of :class:`ckanext.metastore.core.Backend`, for packages whose branch is open to others, too."""

    def theirs(self, package_id: str, *, ours: str) -> Theirs | None:
        """Look where the branch is now; a Git host is asked, and what it has is fetched.

        What was found can be read with ``load``. Publishing a revision that has it among its parents joins the two.

        :param ours: the newest public revision that was published, by its full sha
        :returns: ``None`` where the branch is at ``ours``
        :raises NotFound: there is no such package, or no branch
        :raises Conflict: their history and ours have nothing in common, or the repository is another one by now
        :raises Invalid: their newest commit, or its list of files, is too large or too broken to be built upon
        :raises Unauthorized: a Git host refuses our credentials, or what they may do
        :raises RateLimited: a Git host asks us to wait
        :raises Unavailable: not now
        """

    def report(self, package_id: str, *, sha: str, accepted: bool, reason: str) -> None:
        """Say at a Git host what became of somebody's commit: as a status of the commit. Elsewhere nothing is done.

        :param reason: a sentence; what is too long for the host is cut
        :raises MetastoreError: it could not be said
        """
