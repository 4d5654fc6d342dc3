"""The people of the portal under load, and its tables, by a CKAN in this process."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ckan import model
from ckan.cli import load_config
from ckan.config.middleware import make_app
from ckan.model import meta
from ckan.tests import factories
from load_verdict import Row
from sqlalchemy import select

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


def found(editors: int) -> People:
    """Make them, in a database that is empty."""
    make_app(load_config(os.environ["CKAN_INI"]))
    master = factories.SysadminWithToken()
    users = [factories.UserWithToken() for _ in range(editors)]
    members = [{"name": user["name"], "capacity": "editor"} for user in users]
    organization = factories.Organization(user=master, users=members)
    people = People(organization["id"], [user["token"] for user in users], master["token"])
    _leave()
    return people


def revisions() -> dict[str, list[Row]]:
    """The revisions of each dataset, oldest first."""
    table = revision_table.c
    query = select(table.dataset_id, table.sha, table.message, table.public).order_by(table.dataset_id, table.seq)
    rows: dict[str, list[Row]] = defaultdict(list)
    for dataset_id, *row in model.Session.execute(query):
        rows[dataset_id].append(Row(*row))
    _leave()
    return rows


def _leave() -> None:
    """Keep no connection open: they are counted."""
    model.Session.remove()
    assert meta.engine is not None
    meta.engine.dispose()
