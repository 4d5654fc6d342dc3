"""All parts of the service, put together as the settings say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ckanext.metastore.core import Author, Backend, Unavailable, create_backend
from ckanext.metastore.core.types import Site
from ckanext.metastore.service.access import Access
from ckanext.metastore.service.database import Database
from ckanext.metastore.service.idempotency import Answers
from ckanext.metastore.service.keys import Keys, ensure_key
from ckanext.metastore.service.mirroring import Mirroring
from ckanext.metastore.service.publisher import Publisher
from ckanext.metastore.service.receiving import Receiving
from ckanext.metastore.service.registry import IndexRegistry
from ckanext.metastore.service.settings import Settings
from ckanext.metastore.service.store import Store
from ckanext.metastore.service.tagging import Tagging

GITHUB_OPTIONS = (
    "token",
    "app_id",
    "app_private_key_file",
    "app_installation_id",
    "api_url",
    "git_url",
    "timeout",
    "purge",
)


@dataclass(frozen=True)
class Service:
    """The parts that a request needs."""

    settings: Settings
    database: Database
    store: Store
    tags: Tagging
    mirrors: Mirroring
    receiving: Receiving
    keys: Keys
    access: Access
    publisher: Publisher
    answers: Answers


def create_service(settings: Settings) -> Service:
    """Open or make all that the service keeps.

    :raises Invalid: a setting is wrong, or missing
    :raises Unavailable: the folder cannot be used
    """
    try:
        # The index holds what is private.
        settings.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        ensure_key(settings)
    except OSError as error:
        raise Unavailable(f"path: {settings.path} cannot be used: {error.strerror}") from error
    keys = Keys(settings)
    keys.check()
    database = Database(settings.path / "index.sqlite")
    backend = _backend(settings, database)
    locks = settings.path / "locks"
    publisher = Publisher(database, backend, locks=locks, url=settings.url, owner=settings.github_owner)
    store = Store(database, backend, publisher)
    answers = Answers(database)
    return Service(
        settings,
        database,
        store,
        Tagging(store),
        Mirroring(database, publisher),
        Receiving(database, backend, publisher),
        keys,
        Access(settings, keys),
        publisher,
        answers,
    )


def _backend(settings: Settings, database: Database) -> Backend:
    site = Site(Author("Metastore", f"metastore@{settings.hostname}"))
    options: dict[str, Any] = {"path": settings.path / "repositories", "site": site, "branch": settings.branch}
    if settings.backend == "github":
        options |= {name: getattr(settings, f"github_{name}") for name in GITHUB_OPTIONS}
        # Each dataset's profile names its owner; the backend asks for one all the same.
        options |= {"owner": settings.github_owner or "-", "registry": IndexRegistry(database)}
    return create_backend(settings.backend, **options)
