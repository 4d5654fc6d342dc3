"""``gc``: a packed history is the same history, in less room."""

from __future__ import annotations

import pytest

from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.core import NotFound
from ckanext.metastore.testing.contract.base import ADA, PACKAGE, titled
from ckanext.metastore.testing.contract.publishing import chain
from ckanext.metastore.testing.git import check_integrity


def loose(repository):
    return sum(path.is_file() for path in repository.glob("objects/??/*"))


def test_a_packed_history_goes_on(backend, public, private):
    seen = chain(backend, 3)
    hidden = chain(backend, 3, public=False, head=seen[-1].head)
    backend.publish(PACKAGE, revisions=[*seen, *hidden])
    backend.tag_create(PACKAGE, name="v1", author=ADA)
    before = backend.revision_list(PACKAGE), backend.tag_list(PACKAGE)
    assert loose(public)
    assert len(backend.repositories()) == 2
    for name in backend.repositories():
        backend.gc(name)
    assert loose(public) == loose(private) == 0
    assert (backend.revision_list(PACKAGE), backend.tag_list(PACKAGE)) == before
    assert backend.load(PACKAGE, sha=hidden[-1].sha, public=False)
    backend.update(PACKAGE, document=titled("After"), author=ADA)
    backend.publish(PACKAGE, revisions=chain(backend, 1, public=False, head=hidden[-1].head))
    backend.tag_update(PACKAGE, tag="v1", name="v2", author=ADA)
    assert [tag.name for tag in backend.tag_list(PACKAGE)] == ["v2"]
    for folder in (public, private):
        check_integrity(folder)


def test_a_handle_from_before_sees_the_pack(backend):
    backend.publish(PACKAGE, revisions=(revisions := chain(backend, 2)))
    history = backend._history(PACKAGE)
    backend.gc(backend.repositories()[0])
    assert history.document(revisions[0].sha) == titled("0")


@pytest.mark.parametrize("name", ["", ".", "..", "../x.git", "6f/nothing.git"])
def test_what_is_no_repository_is_not_packed(backend, name):
    with pytest.raises(NotFound):
        backend.gc(name)


def test_no_folder_is_no_error(tmp_path):
    assert GitBackend(tmp_path / "nothing").repositories() == []
