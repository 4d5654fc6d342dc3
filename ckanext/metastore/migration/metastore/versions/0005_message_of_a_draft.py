"""What was said of a draft, for its first revision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("metastore_dataset", sa.Column("message", sa.Text))


def downgrade() -> None:
    op.drop_column("metastore_dataset", "message")
