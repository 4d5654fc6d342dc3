"""How Alembic finds the tables: only those of this extension, with a version table of their own."""

from __future__ import annotations

from typing import Any

from alembic import context
from ckan.model.meta import metadata
from sqlalchemy import create_engine, pool

PLUGIN = "metastore"


def ours(_obj: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Whether autogenerate may look at this table."""
    return kind != "table" or str(name).startswith(PLUGIN)


def migrate() -> None:
    """Run the migrations over a connection of their own, in one transaction."""
    url = context.config.get_main_option("sqlalchemy.url")
    assert url
    with create_engine(url, poolclass=pool.NullPool).connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            version_table=f"{PLUGIN}_alembic_version",
            include_object=ours,
        )
        with context.begin_transaction():
            context.run_migrations()


migrate()
