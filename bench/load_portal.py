"""The people of the portal under load, and its tables, by a CKAN in this process."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ckan import model
from ckan.cli import load_config
from ckan.cli.db import db
from ckan.config.middleware import make_app
from ckan.model import meta
from ckan.tests import factories
from click import Group
from click.testing import CliRunner
from load_verdict import Kept, Row
from sqlalchemy import select

from ckanext.metastore.cli import metastore
from ckanext.metastore.model.tables import revision_table


@dataclass(frozen=True)
class People:
    """Who may do what.

    :ivar organization: the datasets' one
    :ivar editors: the API token of each editor
    :ivar master: a sysadmin's
    """

    organization: str
    editors: Sequence[str]
    master: str


def begin() -> None:
    """Load CKAN into this process, and make its tables."""
    make_app(load_config(os.environ["CKAN_INI"]))
    _run(db, "init")
    _run(db, "pending-migrations", "--apply")


def found(editors: int) -> People:
    """Make the people, in a database that is empty."""
    master = factories.SysadminWithToken()
    users = [factories.UserWithToken() for _ in range(editors)]
    members = [{"name": user["name"], "capacity": "editor"} for user in users]
    organization = factories.Organization(user=master, users=members)
    _leave()
    return People(organization["id"], [user["token"] for user in users], master["token"])


def commands() -> Iterator[str]:
    """Be ``ckan metastore publish --all``, and then ``check``; gives what is said where one fails."""
    for words in (["publish", "--all"], ["check"]):
        done = CliRunner().invoke(metastore, words)
        print(f"ckan metastore {' '.join(words)}: exit status {done.exit_code}", flush=True)
        if done.exit_code:
            yield f"ckan metastore {words[0]}: {done.output[-2000:]} {done.exception or ''}"
    _leave()


def kept() -> dict[str, Kept]:
    """What there is of each dataset."""
    table = revision_table.c
    query = select(table.dataset_id, table.sha, table.message, table.public).order_by(table.dataset_id, table.seq)
    rows: dict[str, list[Row]] = defaultdict(list)
    for dataset_id, *row in model.Session.execute(query):
        rows[dataset_id].append(Row(*row))
    titles = dict(model.Session.query(model.Package.id, model.Package.title))
    _leave()
    return {dataset_id: Kept(titles.get(dataset_id), some) for dataset_id, some in rows.items()}


def _run(group: Group, *words: str) -> None:
    done = CliRunner().invoke(group, words)
    if done.exit_code:
        raise SystemExit(f"ckan {group.name} {' '.join(words)}: {done.output} {done.exception}")


def _leave() -> None:
    """Keep no connection open: they are counted."""
    model.Session.remove()
    assert meta.engine is not None
    meta.engine.dispose()
