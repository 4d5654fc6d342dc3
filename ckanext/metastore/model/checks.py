"""What ``ckan metastore check`` asks of the tables: for many datasets at once, each query answered from an index."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ckan import model
from ckan.model import meta
from sqlalchemy import select, union

from ckanext.metastore.core.findings import Expected
from ckanext.metastore.model.ledger import Session
from ckanext.metastore.model.tables import dataset_table, pull_table, repository_table, revision_table, tag_table

_EPOCH = datetime(1970, 1, 1)  # naive, as CKAN's times are: UTC, and nothing says so


@dataclass
class State:
    """What the tables and CKAN's row say of one dataset.

    :param package: CKAN's row, as long as the session lasts; None where there is none
    :param name: the dataset's name; the id where CKAN has no such dataset
    :param type: its type; None where CKAN has no such dataset
    :param active: whether it is neither a draft nor deleted
    :param modified: seconds since 1970-01-01 UTC, by CKAN's row
    :param waiting: the shas of the revisions that wait, oldest first
    :param waiting_tags: the names of the tags that do
    :param error: why the last publishing failed
    :param refused: why somebody's commit at the Git host is not in CKAN
    """

    dataset_id: str
    package: model.Package | None = None
    name: str = ""
    type: str | None = None
    active: bool = False
    modified: int = 0
    head: str | None = None
    head_time: int = 0
    public_head: str | None = None
    seq: int = 0
    public_seq: int = 0
    purging: bool = False
    waiting: list[str] = field(default_factory=list)
    waiting_tags: list[str] = field(default_factory=list)
    error: str | None = None
    refused: str | None = None
    published: str | None = None
    private: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    private_tags: dict[str, str] = field(default_factory=dict)

    @property
    def all_public(self) -> bool:
        """Whether there are no private revisions."""
        return self.seq == self.public_seq

    @property
    def head_is_public(self) -> bool:
        """Whether the newest revision is public."""
        return self.head is not None and self.head == self.public_head

    def expected(self, *, public: bool | None) -> Expected:
        """What the repositories are to hold."""
        return Expected(
            self.dataset_id,
            head=self.published,
            private=tuple(self.private),
            tags=self.tags,
            private_tags=self.private_tags,
            waiting=frozenset([*self.waiting, *self.waiting_tags]),
            public=public,
        )


def datasets(types: Collection[str]) -> list[str]:
    """The ids of all datasets of these types, and of all that have or had a history, in their order."""
    ours = select(model.package_table.c.id).where(model.package_table.c.type.in_(types))
    assert meta.engine is not None
    with meta.engine.connect() as connection:
        return sorted(connection.execute(union(ours, select(dataset_table.c.id))).scalars())


def states(dataset_ids: Sequence[str]) -> dict[str, State]:
    """The states of some datasets, by their ids. They are read anew, whatever the session remembers."""
    session = model.Session()
    found = {dataset_id: State(dataset_id) for dataset_id in dataset_ids}
    for read in (_packages, _datasets, _revisions, _tags, _errors, _refusals):
        read(session, found)
    return found


def _packages(session: Session, found: dict[str, State]) -> None:
    query = select(model.Package).where(model.Package.id.in_(found)).execution_options(populate_existing=True)
    for package in session.execute(query).scalars():
        state = found[package.id]
        state.package, state.name, state.type = package, package.name, package.type
        state.active = package.state == "active"
        state.modified = int((package.metadata_modified - _EPOCH).total_seconds()) if package.metadata_modified else 0


def _datasets(session: Session, found: dict[str, State]) -> None:
    table = dataset_table.c
    columns = (table.id, table.head, table.head_time, table.public_head, table.seq, table.public_seq, table.purging)
    for row in session.execute(select(*columns).where(table.id.in_(found))):
        state = found[row.id]
        state.head, state.head_time, state.public_head = row.head, row.head_time or 0, row.public_head
        state.seq, state.public_seq, state.purging = row.seq, row.public_seq, row.purging
        state.published = row.public_head


def _revisions(session: Session, found: dict[str, State]) -> None:
    """What waits; and private revisions that the repository alone has. Then the newest public one may be another."""
    table = revision_table.c
    columns = (table.dataset_id, table.sha, table.public, table.published)
    here = table.dataset_id.in_(found)
    only_there = ~table.public & table.published & table.objects.is_(None)
    query = select(*columns).where(here & (~table.published | only_there)).order_by(table.dataset_id, table.seq)
    behind = set()
    for row in session.execute(query):
        state = found[row.dataset_id]
        (state.private if row.published else state.waiting).append(row.sha)
        if row.public and not row.published:
            behind.add(row.dataset_id)
            state.published = None
    _published(session, found, behind)


def _published(session: Session, found: dict[str, State], behind: Collection[str]) -> None:
    table = revision_table.c
    newest = (
        select(table.dataset_id, table.sha)
        .distinct(table.dataset_id)
        .where(table.dataset_id.in_(behind) & table.public & table.published)
        .order_by(table.dataset_id, table.public_seq.desc())
    )
    for row in session.execute(newest) if behind else ():
        found[row.dataset_id].published = row.sha


def _tags(session: Session, found: dict[str, State]) -> None:
    """Tags that wait; and those that are published. A private one is in its row where it is in no repository."""
    table = tag_table.c
    there = table.object.is_(None).label("there")
    columns = (table.dataset_id, table.name, table.sha, table.public, table.pending, there)
    for row in session.execute(select(*columns).where(table.dataset_id.in_(found))):
        state = found[row.dataset_id]
        if row.pending:
            state.waiting_tags.append(row.name)
        elif row.public:
            state.tags[row.name] = row.sha
        elif row.there:
            state.private_tags[row.name] = row.sha


def _errors(session: Session, found: dict[str, State]) -> None:
    table = repository_table.c
    failed = table.dataset_id.in_(found) & table.error.is_not(None)
    for row in session.execute(select(table.dataset_id, table.error).where(failed)):
        found[row.dataset_id].error = row.error


def _refusals(session: Session, found: dict[str, State]) -> None:
    table = pull_table.c
    refused = table.dataset_id.in_(found) & table.reason.is_not(None)
    for row in session.execute(select(table.dataset_id, table.sha, table.reason).where(refused)):
        found[row.dataset_id].refused = f"commit {row.sha}: {row.reason}"


def names(dataset_ids: Collection[str]) -> dict[str, str]:
    """The names of datasets, by id; of those that CKAN has."""
    table = model.package_table.c
    assert meta.engine is not None
    with meta.engine.connect() as connection:
        rows = connection.execute(select(table.id, table.name).where(table.id.in_(dataset_ids))).all()
    return {row.id: row.name for row in rows}
