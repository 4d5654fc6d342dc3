"""A metastore service as a Git host: the life of its mirrors, by its own client."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote

from ckanext.metastore.backends.hosted import deadline
from ckanext.metastore.backends.hosted.host import Credentials, There
from ckanext.metastore.client import Client, Mirror
from ckanext.metastore.core.errors import MetastoreError, NotFound, Unavailable
from ckanext.metastore.core.text import one_line
from ckanext.metastore.core.types import Hosted, Profile

T = TypeVar("T")

_PLAIN = re.compile(r"(?!.*\.(?:git|lock)$)(?![0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$)[a-z0-9][a-z0-9._-]*")
_NAME_LIMIT = 100
_DESCRIPTION_LIMIT = 350
_TOPICS_LIMIT = 20
_TOPIC_LIMIT = 50


class ServiceHost:
    """One service. Who owns a repository there is a name, and no account.

    :param url: the service's address
    :param timeout: seconds for one request
    """

    name = "the service"
    options = "service"
    restoring = "see docs/operations.rst"

    def __init__(self, url: str, credentials: Credentials, timeout: float) -> None:
        self.git_url = url
        self._credentials = credentials
        self._timeout = timeout

    def create(self, profile: Profile, *, private: bool) -> Hosted:
        """Make an empty mirror."""

        def made(client: Client) -> Mirror:
            return client.mirror_create(
                profile.owner,
                profile.name,
                description=profile.description,
                homepage=profile.homepage,
                topics=profile.topics,
                private=private,
            )

        return _hosted(self._ask(made, profile.owner))

    def is_empty(self, repository: Hosted) -> bool:
        """Tell whether nothing was ever pushed to a mirror."""
        return self._fetch(repository).empty

    def find(self, owner: str, name: str, *, before: str = "") -> Hosted:
        """Look a mirror up by its name. What it was called before, the service does not know."""
        found = [] if before else self._ask(lambda client: list(client.mirror_list(owner=owner, name=name)), owner)
        if not found:
            raise NotFound("repository", f"{owner}/{name}")
        return _hosted(found[0])

    def look(self, repository: Hosted) -> Hosted:
        """Look at a mirror again."""
        return _hosted(self._fetch(repository))

    def look_closely(self, repository: Hosted) -> There:
        """The same; and whether it is archived."""
        return _there(self._fetch(repository))

    def list(self, owner: str) -> Iterator[There]:
        """List an owner's mirrors."""
        yield from map(_there, self._ask(lambda client: list(client.mirror_list(owner=owner)), owner))

    def change(self, repository: Hosted, **changes: Any) -> None:
        """Change what is said of a mirror; a request."""
        self._ask(lambda client: client.mirror_update(repository.id, **changes), repository.profile.owner)

    def set_topics(self, repository: Hosted, topics: Iterable[str]) -> None:
        """Replace a mirror's topics."""
        self.change(repository, topics=tuple(topics))

    def transfer(self, repository: Hosted, owner: str, name: str) -> None:
        """Give a mirror to another owner, under this name."""
        self._ask(
            lambda client: client.mirror_update(repository.id, owner=owner, name=name), repository.profile.owner, owner
        )

    def archive(self, repository: Hosted) -> None:
        """Let a mirror take no more pushes."""
        self.change(repository, archived=True)

    def delete(self, repository: Hosted) -> None:
        """Destroy a mirror. That there is none is no error."""
        try:
            self._ask(lambda client: client.mirror_delete(repository.id), repository.profile.owner)
        except NotFound:
            return

    def set_status(self, owner: str, name: str, number: int | None, sha: str, **said: str) -> None:
        """Nothing: a service has no word for it."""

    def as_taken(self, profile: Profile, default_owner: str) -> Profile:
        """A profile as a service takes it: plain names, one line of text."""
        return Profile(
            owner=_plain(profile.owner or default_owner),
            name=_plain(profile.name),
            description=one_line(profile.description)[:_DESCRIPTION_LIMIT].strip(),
            homepage=profile.homepage,
            topics=tuple(dict.fromkeys(one_line(topic)[:_TOPIC_LIMIT].strip() for topic in profile.topics))[
                :_TOPICS_LIMIT
            ],
        )

    def page_url(self, owner: str, name: str, sha: str) -> str:
        """The revision, as the service tells it."""
        return f"{self.git_url}/v1/datasets/{quote(owner)}/{quote(name)}/revisions/{sha}"

    def _fetch(self, repository: Hosted) -> Mirror:
        return self._ask(lambda client: client.mirror_fetch(repository.id), repository.profile.owner)

    def _ask(self, call: Callable[[Client], T], *owners: str) -> T:
        token = self._credentials.token(*owners)

        def asked() -> T:
            with Client(self.git_url, token=token, timeout=self._timeout) as client:
                return call(client)

        return deadline.bounded(asked, self._timeout, translated=_translated)


def _translated(error: BaseException) -> MetastoreError:
    if isinstance(error, MetastoreError):
        return error
    return Unavailable(f"the service cannot be reached, or is not understood: {type(error).__name__}")


def _plain(name: str) -> str:
    """A name as a service takes it. One that had to be changed is none of CKAN's: those have no dot."""
    plain = re.sub(r"[^a-z0-9._-]", "-", name.lower())
    return (plain if _PLAIN.fullmatch(plain) else f"dataset.{plain.replace('.', '-')}")[:_NAME_LIMIT]


def _there(mirror: Mirror) -> There:
    return There(_hosted(mirror), mirror.archived)


def _hosted(mirror: Mirror) -> Hosted:
    profile = Profile(mirror.owner, mirror.name, mirror.description, mirror.homepage, mirror.topics)
    return Hosted(mirror.number, profile, mirror.private)
