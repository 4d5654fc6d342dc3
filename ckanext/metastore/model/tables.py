"""The six tables. They are the index of every history and, until a revision is published, its only copy.

No foreign key leads to CKAN's tables: it would deadlock with CKAN's own row locks, and a history outlives the row
of a purged dataset until its repositories are gone. Times are seconds since 1970-01-01 UTC, as Git counts them.
"""

from __future__ import annotations

from ckan.model.meta import metadata
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text, false, text

dataset_table = Table(
    "metastore_dataset",
    metadata,
    Column("id", Text, primary_key=True),
    # The newest revision of all, and the newest public one: what the next of each kind builds on.
    Column("seq", Integer, nullable=False, server_default="0"),
    Column("head", Text),
    Column("head_tree", LargeBinary),
    Column("head_time", BigInteger),
    # The sha of the head's document in our form, where somebody else wrote it in another.
    Column("head_document", Text),
    Column("public_seq", Integer, nullable=False, server_default="0"),
    Column("public_head", Text),
    Column("public_tree", LargeBinary),
    Column("public_time", BigInteger),
    # What was said of a draft, which has no revision: the first one's message.
    Column("message", Text),
    # The repositories are to be destroyed before anything else is published.
    Column("purging", Boolean, nullable=False, server_default=false()),
)

revision_table = Table(
    "metastore_revision",
    metadata,
    Column("dataset_id", Text, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("sha", Text, nullable=False),
    Column("parents", Text, nullable=False),  # separated by spaces
    Column("public", Boolean, nullable=False),
    Column("public_seq", Integer),  # its place among the public ones; None where it is none
    Column("author_name", Text, nullable=False),
    Column("author_email", Text, nullable=False),
    Column("user_id", Text),  # CKAN's user; None where nobody was logged in
    Column("message", Text, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("published", Boolean, nullable=False, server_default=false()),
    Column("objects", LargeBinary),  # every Git object it adds; None once another durable copy has them
    Index("metastore_revision_sha", "dataset_id", text("sha text_pattern_ops"), unique=True),
    Index("metastore_revision_time", "dataset_id", "timestamp", "seq"),
    Index("metastore_revision_public", "dataset_id", "public_seq", postgresql_where=text("public")),
    Index("metastore_revision_waiting", "dataset_id", "seq", postgresql_where=text("NOT published")),
)

tag_table = Table(
    "metastore_tag",
    metadata,
    Column("dataset_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sha", Text, nullable=False),  # of the revision
    Column("public", Boolean, nullable=False),  # as the revision is: a tag lives with it
    Column("author_name", Text, nullable=False),
    Column("author_email", Text, nullable=False),
    Column("user_id", Text),
    Column("description", Text, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("pending", Text),  # "set" or "delete": what the repository does not know yet
    Column("object", LargeBinary),  # the annotated tag, while it is to be set
    Index("metastore_tag_sha", "dataset_id", "sha"),
    Index("metastore_tag_pending", "dataset_id", postgresql_where=text("pending IS NOT NULL")),
)

repository_table = Table(
    "metastore_repository",
    metadata,
    Column("dataset_id", Text, primary_key=True),
    # The dataset's repository at the Git host, as we last left it; all None where there is none.
    Column("host", Text),  # its address: another host's numbers mean other repositories
    Column("host_id", BigInteger),
    Column("owner", Text),
    Column("name", Text),
    Column("description", Text),
    Column("homepage", Text),
    Column("topics", Text),  # separated by spaces
    Column("private", Boolean),
    # Why the last publishing failed, and when; None where it did not.
    Column("error", Text),
    Column("failed_at", BigInteger),
    # How often in a row; and from when on the job queue may try, which also keeps two of its turns apart.
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("retry_at", BigInteger),
    Index("metastore_repository_host", "host", "host_id", unique=True),
)

host_table = Table(
    "metastore_host",
    metadata,
    # A Git host that failed lately, and has not done anything for us since. Where there is no row, all is well.
    Column("host", Text, primary_key=True),  # its address
    Column("failures", Integer, nullable=False),  # how many datasets met it, one after the other
    Column("dataset_id", Text, nullable=False),  # the last of them
    Column("error", Text, nullable=False),
    Column("paused_until", BigInteger, nullable=False),  # nothing is sent before
)

pull_table = Table(
    "metastore_pull",
    metadata,
    # What others have committed at the Git host. Where there is no row, there is nothing that we know of.
    Column("dataset_id", Text, primary_key=True),
    Column("due_at", BigInteger),  # from when on the job queue is to pull; None where it is not
    Column("attempts", Integer, nullable=False, server_default="0"),  # that came to no end, in a row
    # The commit that could not be pulled, and why; None where nothing was refused.
    Column("sha", Text),
    Column("reason", Text),
    Column("clashes", Text),  # JSON: a list of objects with path, base, ours, theirs
    Column("noted_at", BigInteger),
    Index("metastore_pull_due", "due_at"),
)
