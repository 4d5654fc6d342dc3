"""Create the tables of datasets, revisions and tags.

A migration says what it made at its time; it does not import today's tables.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "metastore_dataset",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("seq", sa.Integer, nullable=False, server_default="0"),
        sa.Column("head", sa.Text),
        sa.Column("head_tree", sa.LargeBinary),
        sa.Column("head_time", sa.BigInteger),
        sa.Column("public_seq", sa.Integer, nullable=False, server_default="0"),
        sa.Column("public_head", sa.Text),
        sa.Column("public_tree", sa.LargeBinary),
        sa.Column("public_time", sa.BigInteger),
        sa.Column("purging", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "metastore_revision",
        sa.Column("dataset_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha", sa.Text, nullable=False),
        sa.Column("parents", sa.Text, nullable=False),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("public_seq", sa.Integer),
        sa.Column("author_name", sa.Text, nullable=False),
        sa.Column("author_email", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("published", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("objects", sa.LargeBinary),
    )
    op.create_table(
        "metastore_tag",
        sa.Column("dataset_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sha", sa.Text, nullable=False),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("author_name", sa.Text, nullable=False),
        sa.Column("author_email", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("pending", sa.Text),
        sa.Column("object", sa.LargeBinary),
    )
    _create_indexes()


def _create_indexes() -> None:
    revision_table, tag_table = "metastore_revision", "metastore_tag"
    sha = sa.text("sha text_pattern_ops")
    op.create_index("metastore_revision_sha", revision_table, ["dataset_id", sha], unique=True)
    op.create_index("metastore_revision_time", revision_table, ["dataset_id", "timestamp", "seq"])
    public, waiting = sa.text("public"), sa.text("NOT published")
    op.create_index("metastore_revision_public", revision_table, ["dataset_id", "public_seq"], postgresql_where=public)
    op.create_index("metastore_revision_waiting", revision_table, ["dataset_id", "seq"], postgresql_where=waiting)
    op.create_index("metastore_tag_sha", tag_table, ["dataset_id", "sha"])
    pending = sa.text("pending IS NOT NULL")
    op.create_index("metastore_tag_pending", tag_table, ["dataset_id"], postgresql_where=pending)


def downgrade() -> None:
    op.drop_table("metastore_tag")
    op.drop_table("metastore_revision")
    op.drop_table("metastore_dataset")
