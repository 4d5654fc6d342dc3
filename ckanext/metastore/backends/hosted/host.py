"""What a Git host can do that Git cannot: the life of repositories. A new host is a class with these methods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from ckanext.metastore.core.types import Hosted, Profile


class Credentials(Protocol):
    """What gives a token that is good now."""

    def token(self, *owners: str) -> str:
        """Give the token, for the API and as Git's password.

        :param owners: whose repositories it is for
        :raises MetastoreError: there is none to be had
        """

    def refused(self) -> None:
        """The host has refused the token: keep it no longer, if there may be another."""


@dataclass(frozen=True)
class There:
    """A repository as the host says that it is.

    :param archived: whether it takes no changes
    """

    hosted: Hosted
    archived: bool


class Host(Protocol):
    """A host's API, as far as it is about repositories.

    A repository that we know is addressed by the host's number, ``Hosted.id``, so that nothing is done to another one
    that has taken the name.
    Each method raises, beside what it names, ``Unauthorized``, ``RateLimited`` and ``Unavailable``; a repository that
    is hidden from us is ``NotFound``.

    :param name: what people call the host
    :param options: the word in its options' names: ``ckanext.metastore.<options>.owner``
    :param restoring: what an operator can do about a repository that was deleted there
    :param git_url: what stands before ``/<owner>/<name>.git``; the password is sent to no other address
    """

    name: str
    options: str
    restoring: str
    git_url: str

    def create(self, profile: Profile, *, private: bool) -> Hosted:
        """Make an empty repository.

        :raises Conflict: the owner has one of that name
        :raises NotFound: there is no such owner
        """

    def is_empty(self, repository: Hosted) -> bool:
        """Tell whether nothing was ever pushed to a repository."""

    def find(self, owner: str, name: str, *, before: str = "") -> Hosted:
        """Look a repository up by its name.

        :param before: a name that it may have had before
        :raises NotFound: there is none
        """

    def look(self, repository: Hosted) -> Hosted:
        """Look at a repository again.

        :raises NotFound: there is none
        """

    def look_closely(self, repository: Hosted) -> There:
        """The same; and whether it is archived."""

    def list(self, owner: str) -> Iterator[There]:
        """List an owner's repositories, with few requests for many of them."""

    def change(self, repository: Hosted, **changes: Any) -> None:
        """Change a repository's ``name``, ``description``, ``homepage``, or whether it is ``private`` or ``archived``.

        :raises Conflict: the owner has another one of that name
        """

    def set_topics(self, repository: Hosted, topics: Iterable[str]) -> None:
        """Replace a repository's topics."""

    def transfer(self, repository: Hosted, owner: str, name: str) -> None:
        """Give a repository to another owner, under this name.

        :raises Conflict: that one has one of that name
        :raises Invalid: there is no such owner, or it has the repository already
        """

    def archive(self, repository: Hosted) -> None:
        """Make a repository read-only. That it is so already is no error."""

    def delete(self, repository: Hosted) -> None:
        """Destroy a repository. That there is none is no error."""

    def set_status(
        self, owner: str, name: str, number: int | None, sha: str, *, state: str, description: str, target_url: str
    ) -> None:
        """Say something of a commit; a host that has no such thing does nothing.

        :param number: the repository's, where it is known
        :param state: ``"success"`` or ``"failure"``
        :raises Invalid: there is no such commit
        """

    def as_taken(self, profile: Profile, default_owner: str) -> Profile:
        """Give a profile as the host takes it: its rules for names, its limits for texts."""

    def page_url(self, owner: str, name: str, sha: str) -> str:
        """Give the address at which a commit can be looked at."""
