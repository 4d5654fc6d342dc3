"""Create the table of repositories at a Git host."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "metastore_repository",
        sa.Column("dataset_id", sa.Text, primary_key=True),
        sa.Column("host", sa.Text),
        sa.Column("host_id", sa.BigInteger),
        sa.Column("owner", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("homepage", sa.Text),
        sa.Column("topics", sa.Text),
        sa.Column("private", sa.Boolean),
        sa.Column("error", sa.Text),
        sa.Column("failed_at", sa.BigInteger),
    )
    op.create_index("metastore_repository_host", "metastore_repository", ["host", "host_id"], unique=True)


def downgrade() -> None:
    op.drop_table("metastore_repository")
