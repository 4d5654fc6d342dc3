"""Note how often publishing failed, and when it is to be tried again: for a dataset, and for a whole Git host."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("metastore_repository", sa.Column("attempts", sa.Integer, nullable=False, server_default="0"))
    op.add_column("metastore_repository", sa.Column("retry_at", sa.BigInteger))
    op.create_table(
        "metastore_host",
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("dataset_id", sa.Text, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("paused_until", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("metastore_host")
    op.drop_column("metastore_repository", "retry_at")
    op.drop_column("metastore_repository", "attempts")
