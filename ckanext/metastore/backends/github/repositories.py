"""The life of repositories at GitHub, by PyGithub: what Git cannot do. A method is one request, or says of how many.

Repositories are addressed by GitHub's number, so that nothing is done to another one that has taken the name.

:see: https://docs.github.com/en/rest/repos/repos
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

from github import Auth, Github
from github.Commit import Commit
from github.Repository import Repository

from ckanext.metastore.backends.github.answers import bounded
from ckanext.metastore.backends.hosted.host import Credentials, There
from ckanext.metastore.core.errors import NotFound, Unauthorized
from ckanext.metastore.core.text import one_line
from ckanext.metastore.core.types import Hosted, Profile

_DESCRIPTION_LIMIT = 350
_TOPIC_LIMIT = 50
_TOPICS_LIMIT = 20
_STATUS_LIMIT = 140

STATUS_CONTEXT = "ckan"
"""Whose word a commit's status is."""


PAGE = 100
"""Repositories that one request lists."""


class Repositories:
    """GitHub's API, as far as it is about repositories.

    :param api_url: where the API is
    :param git_url: what stands before ``/<owner>/<name>.git``
    :param timeout: seconds for one request
    """

    name = "GitHub"
    options = "github"
    restoring = "let GitHub restore it (the owner's Settings, Deleted repositories), or see docs/operations.rst"

    def __init__(self, api_url: str, git_url: str, credentials: Credentials, timeout: float) -> None:
        self._api_url = api_url
        self.git_url = git_url
        self._credentials = credentials
        self._timeout = timeout
        self._users: set[str] = set()

    def create(self, profile: Profile, *, private: bool) -> Hosted:
        """Make an empty repository. The first for a user account takes three requests.

        :raises Conflict: the owner has one of that name
        :raises NotFound: there is no such owner
        """
        wanted: dict[str, Any] = {"description": profile.description, "private": private}
        wanted |= {"homepage": profile.homepage} if profile.homepage else {}
        extras = {"has_wiki": False, "has_projects": False, "auto_init": False}
        made = self._create_for(profile.owner, {"name": profile.name, **wanted, **extras})
        return Hosted(made.id, made.profile, private)

    def _create_for(self, owner: str, wanted: dict[str, Any]) -> Hosted:
        """Make it for an organization, or, where the owner is none, for the user whose token it is."""
        if owner not in self._users:
            try:
                return bounded(
                    lambda: _hosted(self._client().get_organization(owner).create_repo(**wanted)), self._timeout
                )
            except NotFound:
                self._check_user(owner)
        return bounded(lambda: _hosted(self._client().get_user().create_repo(**wanted)), self._timeout)

    def _check_user(self, owner: str) -> None:
        """Make sure that the token is the owner's: GitHub would give the repository to whoever's it is."""
        user = bounded(lambda: self._client(lazy=False).get_user().login, self._timeout)
        if user.lower() != owner.lower():
            raise NotFound("repository", f"{owner} is no organization that we may write to, nor our own account")
        self._users.add(owner)

    def is_empty(self, repository: Hosted) -> bool:
        """Tell whether nothing was ever pushed to a repository."""
        branches = self._client().get_repo(repository.id).get_branches()
        first = bounded(lambda: next(iter(branches), None), self._timeout)
        return first is None

    def find(self, owner: str, name: str, *, before: str = "") -> Hosted:
        """Look a repository up by its name.

        :param before: a name that it may have had before
        :raises NotFound: there is none, or it is hidden from us
        """
        found = bounded(lambda: _hosted(self._client(lazy=False).get_repo(f"{owner}/{before or name}")), self._timeout)
        if (found.profile.owner.lower(), found.profile.name.lower()) != (owner.lower(), name.lower()):
            raise NotFound("repository", f"{owner}/{name}")  # a name from before, which leads to another
        return found

    def look(self, repository: Hosted) -> Hosted:
        """Look a repository up by GitHub's number.

        :raises NotFound: there is none, or it is hidden from us
        """
        return bounded(lambda: _hosted(self._client(lazy=False).get_repo(repository.id)), self._timeout)

    def look_closely(self, repository: Hosted) -> There:
        """The same; and whether it is archived."""
        return bounded(lambda: _there(self._client(lazy=False).get_repo(repository.id)), self._timeout)

    def list(self, owner: str) -> Iterator[There]:
        """List an owner's repositories; a request for each hundred."""
        try:
            pages = self._client().get_organization(owner).get_repos(type="all")
            first = bounded(lambda: _page(pages, 0), self._timeout)
        except NotFound:
            self._check_user(owner)
            pages = self._client().get_user().get_repos(affiliation="owner")
            first = bounded(lambda: _page(pages, 0), self._timeout)
        number = 0
        while first:
            yield from first
            number += 1
            first = bounded(partial(_page, pages, number), self._timeout) if len(first) == PAGE else []

    def change(self, repository: Hosted, **changes: Any) -> None:
        """Change a repository's name, description, homepage, or whether it is private or archived."""
        # PyGithub would ask for the name, if it were not told one.
        said = {"name": repository.profile.name, **changes}
        bounded(lambda: self._client().get_repo(repository.id).edit(**said), self._timeout)

    def set_status(
        self, owner: str, name: str, number: int | None, sha: str, *, state: str, description: str, target_url: str
    ) -> None:
        """Say something of a commit.

        :param state: ``"success"`` or ``"failure"``
        :raises Invalid: there is no such commit
        """
        said = {"state": state, "description": _cut(description), "context": STATUS_CONTEXT}
        said |= {"target_url": target_url} if target_url else {}
        where = f"repos/{owner}/{name}" if number is None else f"repositories/{number}"
        # PyGithub would ask for the commit first, if it did not know so much of it.
        known = {"sha": sha, "url": f"{self._api_url}/{where}/commits/{sha}"}
        bounded(lambda: self._client().create_from_raw_data(Commit, known).create_status(**said), self._timeout)

    def set_topics(self, repository: Hosted, topics: Iterable[str]) -> None:
        """Replace a repository's topics."""
        wanted = list(topics)
        bounded(lambda: self._client().get_repo(repository.id).replace_topics(wanted), self._timeout)

    def transfer(self, repository: Hosted, owner: str, name: str) -> None:
        """Give a repository to another owner, under this name."""
        bounded(lambda: self._client().get_repo(repository.id).transfer_ownership(owner, name), self._timeout)

    def archive(self, repository: Hosted) -> None:
        """Make a repository read-only. That it is so already is no error."""
        try:
            self.change(repository, archived=True)
        except Unauthorized:
            if not bounded(lambda: self._client(lazy=False).get_repo(repository.id).archived, self._timeout):
                raise

    def delete(self, repository: Hosted) -> None:
        """Destroy a repository. That there is none is no error."""
        try:
            bounded(lambda: self._client().get_repo(repository.id).delete(), self._timeout)
        except NotFound:
            return

    def as_taken(self, profile: Profile, default_owner: str) -> Profile:
        """A profile as GitHub takes it: one line of text, topics of its alphabet, a name without odd characters."""
        topics = dict.fromkeys(filter(None, map(_topic, profile.topics)))
        return Profile(
            owner=profile.owner or default_owner,
            name=re.sub(r"[^A-Za-z0-9._-]", "-", profile.name)[:100],
            description=one_line(profile.description)[:_DESCRIPTION_LIMIT].strip(),
            homepage=profile.homepage,
            topics=tuple(topics)[:_TOPICS_LIMIT],
        )

    def page_url(self, owner: str, name: str, sha: str) -> str:
        """The commit's page."""
        return f"{self.git_url}/{quote(owner)}/{quote(name)}/commit/{sha}"

    def _client(self, *, lazy: bool = True) -> Github:
        """A client of its own for each call: PyGithub's are not made for threads."""
        return Github(
            auth=Auth.Token(self._credentials.token()),
            base_url=self._api_url,
            timeout=max(int(self._timeout), 1),
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=lazy,
            per_page=PAGE,
        )


def _cut(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _STATUS_LIMIT else f"{line[: _STATUS_LIMIT - 1].rstrip()}…"


def _there(repository: Repository) -> There:
    return There(_hosted(repository), repository.archived)


def _page(pages: Any, number: int) -> list[There]:
    return [_there(repository) for repository in pages.get_page(number)]


def _hosted(repository: Repository) -> Hosted:
    profile = Profile(
        owner=repository.owner.login,
        name=repository.name,
        description=repository.description or "",
        homepage=repository.homepage or "",
        topics=tuple(repository.topics or ()),
    )
    return Hosted(repository.id, profile, repository.private)


def _topic(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower()
    if not plain.strip() or any(unicodedata.category(letter) == "Lo" for letter in word):
        return ""  # in another script, what is left says nothing
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_TOPIC_LIMIT].strip("-")
