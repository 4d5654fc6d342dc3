"""Note what others have committed at a Git host: that it is to be pulled, or why it could not be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("metastore_dataset", sa.Column("head_document", sa.Text))
    op.create_table(
        "metastore_pull",
        sa.Column("dataset_id", sa.Text, primary_key=True),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("sha", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("clashes", sa.Text),
        sa.Column("noted_at", sa.BigInteger),
    )
    op.create_index("metastore_pull_due", "metastore_pull", ["due_at"])


def downgrade() -> None:
    op.drop_table("metastore_pull")
    op.drop_column("metastore_dataset", "head_document")
