"""One dataset's history, as far as one reader may see it: every read goes through here.

The tables say what there is and in which order; the documents come from the repository or, until a revision is
published, from its row.
"""

from __future__ import annotations

from collections.abc import Sequence

from ckanext.metastore import config
from ckanext.metastore.core import Invalid, NotFound, Unavailable
from ckanext.metastore.core.document import parse_document
from ckanext.metastore.core.names import is_abbreviation
from ckanext.metastore.core.objects import unpack_objects
from ckanext.metastore.core.record import document_in
from ckanext.metastore.core.saying import N_
from ckanext.metastore.core.types import Document, utc
from ckanext.metastore.model import queries
from ckanext.metastore.model.queries import Row


class History:
    """The revisions and tags of one dataset.

    :param dataset_id: CKAN's id, never the name
    :param private: whether the reader may see what was recorded while the dataset was not public; if not, nothing
        here tells that there is any
    """

    def __init__(self, dataset_id: str, *, private: bool) -> None:
        self.dataset_id = dataset_id
        self.private = private

    def head(self) -> Row:
        """The newest revision.

        :raises NotFound: there is none
        """
        return self._found(queries.newest(self.dataset_id, private=self.private), "HEAD")

    def at(self, timestamp: int) -> Row:
        """The revision that was the newest at a time in seconds since 1970-01-01 UTC.

        :raises NotFound: the history begins later
        """
        revision = queries.newest(self.dataset_id, private=self.private, until=timestamp)
        return self._found(revision, f"as of {utc(timestamp).isoformat()}")

    def resolve(self, ref: str, *, field: str = "revision_ref") -> Row:
        """The revision that a ref names: ``HEAD``, a tag, or a sha of 7 digits or more, tried in this order.

        :param field: the parameter's name, for the error
        :raises NotFound: this dataset has no such revision
        :raises Invalid: the abbreviation fits more than one revision
        """
        if ref == "HEAD":
            return self.head()
        tag = queries.tag(self.dataset_id, ref, private=self.private)
        prefix = tag.sha if tag else ref.lower()
        rows = queries.by_prefix(self.dataset_id, prefix, private=self.private) if is_abbreviation(prefix) else []
        if len(rows) > 1:
            raise Invalid(field, N_("{ref} is short for more than one revision; give more digits", ref=ref))
        return self._found(rows[0] if rows else None, ref)

    def page(self, *, limit: int, offset: int, oldest_first: bool = False) -> Sequence[Row]:
        """A page of revisions."""
        return queries.page(
            self.dataset_id, private=self.private, limit=limit, offset=offset, oldest_first=oldest_first
        )

    def count(self) -> int:
        """How many revisions there are."""
        return queries.count(self.dataset_id, private=self.private)

    def tags(self, revisions: Sequence[Row] | None = None) -> Sequence[Row]:
        """The tags, newest first: all, or those at the given revisions."""
        shas = None if revisions is None else [revision.sha for revision in revisions]
        return queries.tags(self.dataset_id, private=self.private, shas=shas)

    def tag(self, name: str) -> Row:
        """The tag of that name.

        :raises NotFound: there is none
        """
        tag = queries.tag(self.dataset_id, name, private=self.private)
        if tag is None:
            raise NotFound("tag", name)
        return tag

    def text(self, revision: Row) -> bytes:
        """What ``datapackage.json`` held at a revision.

        :raises Unavailable: it cannot be read now, or the repository has lost it
        """
        # A Git host never gets what is private: its bytes stay in the row.
        in_repository = revision.published and revision.public
        packed = None if in_repository else queries.objects(self.dataset_id, revision.seq)
        if packed is None:
            return self._load(revision)
        found = document_in(unpack_objects(packed), revision.sha)
        return self.text(self.resolve(revision.parents.split()[0])) if found is None else found

    def _load(self, revision: Row) -> bytes:
        try:
            return config.backend().load(self.dataset_id, sha=revision.sha, public=revision.public)
        except NotFound as error:
            raise Unavailable(f"revision {revision.sha} was published, but its repository does not have it") from error

    def document(self, revision: Row) -> Document:
        """The Data Package as it was at a revision."""
        return parse_document(self.text(revision))

    def _found(self, row: Row | None, ref: str) -> Row:
        if row is None:
            raise NotFound("revision", ref)
        return row


def commit_urls(dataset_id: str, revisions: Sequence[Row]) -> dict[str, str]:
    """The addresses of the revisions' pages at the Git host, by sha; of those only that have one."""
    shas = [revision.sha for revision in revisions if revision.public and revision.published]
    url = config.backend().commit_url(dataset_id, sha=shas[0]) if shas else None
    return {sha: f"{url.removesuffix(shas[0])}{sha}" for sha in shas} if url else {}
