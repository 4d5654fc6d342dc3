"""The client's methods for mirrors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ckanext.metastore.client import answers
from ckanext.metastore.client.connection import Connection
from ckanext.metastore.client.types import Mirror

MIRRORS = "mirrors"


class MirrorClient:
    """What a client does with mirrors: datasets whose histories are made elsewhere, and come by Git push.

    :param service: the way to the service
    """

    def __init__(self, service: Connection) -> None:
        self._service = service

    def mirror_create(
        self,
        owner: str,
        name: str,
        *,
        description: str = "",
        homepage: str = "",
        topics: Sequence[str] = (),
        private: bool = False,
    ) -> Mirror:
        """Make a mirror, with no revision in it yet.

        :param homepage: where its history is made
        :param private: only those with a token may see it, whatever is pushed
        :raises Conflict: there is a dataset of that name already
        """
        body = {
            "owner": owner,
            "name": name,
            "description": description,
            "homepage": homepage,
            "topics": list(topics),
            "private": private,
        }
        return answers.read(self._service.send("POST", MIRRORS, json=body), answers.mirror)

    def mirror_list(self, *, owner: str | None = None, name: str | None = None) -> Iterator[Mirror]:
        """List the mirrors that the token may read, by number."""
        return map(answers.mirror, self._service.pages(MIRRORS, query={"owner": owner, "name": name}))

    def mirror_fetch(self, number: int) -> Mirror:
        """Read what is known of a mirror beside its history."""
        return answers.read(self._service.send("GET", MIRRORS, str(number)), answers.mirror)

    def mirror_update(
        self,
        number: int,
        *,
        owner: str | None = None,
        name: str | None = None,
        description: str | None = None,
        homepage: str | None = None,
        topics: Sequence[str] | None = None,
        private: bool | None = None,
        archived: bool | None = None,
    ) -> Mirror:
        """Change a mirror, all that is given or nothing. What is left out stays as it was.

        :raises Conflict: the new name is taken
        """
        wanted = {
            "owner": owner,
            "name": name,
            "description": description,
            "homepage": homepage,
            "topics": None if topics is None else list(topics),
            "private": private,
            "archived": archived,
        }
        body = {key: value for key, value in wanted.items() if value is not None}
        return answers.read(self._service.send("PATCH", MIRRORS, str(number), json=body), answers.mirror)

    def mirror_delete(self, number: int) -> None:
        """Destroy a mirror and all its history."""
        self._service.send("DELETE", MIRRORS, str(number))
