"""Several machines, each with a folder of its own, and strangers at GitHub. A folder may be gone at any time."""

from __future__ import annotations

import shutil

import pytest

from ckanext.metastore.core.errors import Conflict, MetastoreError, NotFound
from ckanext.metastore.core.record import record_tag
from ckanext.metastore.core.types import TagUpdate
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, GRACE, OTHER, PACKAGE, titled
from ckanext.metastore.testing.git import check_integrity, git
from ckanext.metastore.testing.github import Fault

from .conftest import NAME, history

# -- a node that is behind ------------------------------------------------------------------------------------------


def test_a_node_that_is_behind_saves(github, one, two, first):
    assert two.fetch(PACKAGE).revision.id == first.id
    second = one.update(PACKAGE, document=titled("Two"), author=ADA).revision
    third = two.update(PACKAGE, document=titled("Three"), author=GRACE).revision
    assert (third.parents, history(github, NAME)) == ((second.id,), [third.id, second.id, first.id])
    same = one.update(PACKAGE, document=titled("Two"), author=ADA).revision
    assert same.id in (second.id, history(github, NAME)[0])


def test_a_node_that_is_behind_finds_what_it_is_asked_for(one, two, first):
    assert two.fetch(PACKAGE).revision.id == first.id
    second = one.update(PACKAGE, document=titled("Two"), author=ADA).revision
    one.tag_create(PACKAGE, name="v2", author=ADA)
    assert two.fetch(PACKAGE, revision_ref=second.id).document == titled("Two")
    third = one.update(PACKAGE, document=titled("Three"), author=ADA).revision
    assert two.revision_fetch(PACKAGE, revision_ref=third.id[:10]).id == third.id
    one.tag_create(PACKAGE, name="v3", author=ADA)
    assert two.tag_fetch(PACKAGE, tag="v3").revision_id == third.id
    fourth = one.update(PACKAGE, document=titled("Four"), author=ADA).revision
    assert [change.new for change in two.diff(PACKAGE, revision_ref_a=first.id, revision_ref_b=fourth.id)] == ["Four"]
    fifth = one.update(PACKAGE, document=titled("Five"), author=ADA).revision
    assert two.load(PACKAGE, sha=fifth.id)


@pytest.mark.parametrize("verb", ["base_revision", "revert", "tag_create", "tag_update", "tag_delete", "delete"])
def test_a_node_that_is_behind_works_on_what_it_is_told_of(one, two, first, verb):
    two.fetch(PACKAGE)
    second = one.update(PACKAGE, document=titled("Two"), author=ADA).revision
    one.tag_create(PACKAGE, name="v2", author=ADA)
    one.update(PACKAGE, document=titled("Three"), author=ADA)
    head = one.fetch(PACKAGE).revision
    calls = {
        "base_revision": lambda: two.update(PACKAGE, document=DOCUMENT, author=ADA, base_revision=head.id),
        "revert": lambda: two.revert(PACKAGE, to_revision_ref=second.id, author=ADA),
        "tag_create": lambda: two.tag_create(PACKAGE, name="v3", author=ADA, revision_ref=second.id),
        "tag_update": lambda: two.tag_update(PACKAGE, tag="v2", author=ADA, name="v3"),
        "tag_delete": lambda: two.tag_delete(PACKAGE, tag="v2"),
        "delete": lambda: two.delete(PACKAGE, author=ADA, base_revision=head.id),
    }
    calls[verb]()


def test_a_node_that_is_behind_is_told_of_the_newer_revision(one, two, first):
    two.fetch(PACKAGE)
    second = one.update(PACKAGE, document=titled("Two"), author=ADA).revision
    with pytest.raises(Conflict) as conflict:
        two.update(PACKAGE, document=titled("Three"), author=GRACE, base_revision=first.id)
    assert conflict.value.current
    assert conflict.value.current.id == second.id


def test_what_is_not_there_is_looked_for_once(github, one, first):
    github.forget_requests()
    with pytest.raises(NotFound):
        one.fetch(PACKAGE, revision_ref="0" * 40)
    assert github.fetches == 1
    with pytest.raises(NotFound):
        one.fetch("nothing")
    assert github.fetches == 1


# -- tags -----------------------------------------------------------------------------------------------------------


def test_a_tag_of_another_node_is_not_overwritten(github, one, two, first):
    two.fetch(PACKAGE)
    one.tag_create(PACKAGE, name="v1", author=ADA, description="Ada's")
    with pytest.raises(Conflict, match="v1 exists already"):
        two.tag_create(PACKAGE, name="v1", author=GRACE, description="Grace's")
    assert one.tag_fetch(PACKAGE, tag="v1").description == "Ada's"
    assert "Ada's" in git("cat-file", "tag", "v1", cwd=github.repository(NAME).path)


def test_a_renamed_tag_does_not_overwrite_either(one, two, first):
    one.tag_create(PACKAGE, name="v1", author=ADA)
    two.tag_list(PACKAGE)
    one.tag_create(PACKAGE, name="v2", author=ADA, description="Ada's")
    with pytest.raises(Conflict, match="v2 exists already"):
        two.tag_update(PACKAGE, tag="v1", author=GRACE, name="v2")
    assert sorted(tag.name for tag in two.tag_list(PACKAGE)) == ["v1", "v2"]


def test_a_replayed_tag_is_set_whatever_it_was(github, one, two, first):
    """What a database has recorded is the truth; a stranger has set the tag meanwhile."""
    two.fetch(PACKAGE)
    one.tag_create(PACKAGE, name="v1", author=ADA, description="Another")
    ours = record_tag(name="v1", revision_id=first.id, author=GRACE, description="Ours")
    two.publish(PACKAGE, tags=[TagUpdate("v1", True, ours)])
    assert git("rev-parse", "refs/tags/v1", cwd=github.repository(NAME).path).strip() == ours.sha
    two.publish(PACKAGE, tags=[TagUpdate("v1", True, None)])
    assert git("tag", "--list", cwd=github.repository(NAME).path) == ""


# -- the folder is gone ---------------------------------------------------------------------------------------------


def test_the_folder_is_gone_between_any_two_calls(github, one, tmp_path):
    def gone():
        shutil.rmtree(tmp_path / "one", ignore_errors=True)
        return one

    first = gone().create(PACKAGE, document=DOCUMENT, author=ADA).revision
    assert gone().fetch(PACKAGE).document == DOCUMENT
    second = gone().update(PACKAGE, document=titled("Two"), author=ADA).revision
    assert gone().load(PACKAGE, sha=first.id)
    gone().tag_create(PACKAGE, name="v1", author=ADA, revision_ref=first.id)
    gone().tag_update(PACKAGE, tag="v1", author=ADA, name="v2", description="New")
    assert gone().tag_fetch(PACKAGE, tag="v2").revision_id == first.id
    assert [tag.name for tag in gone().tag_list(PACKAGE)] == ["v2"]
    assert [revision.id for revision in gone().revision_list(PACKAGE)] == [second.id, first.id]
    assert gone().diff(PACKAGE, revision_ref_a=first.id)
    third = gone().revert(PACKAGE, to_revision_ref="v2", author=ADA).revision
    gone().tag_delete(PACKAGE, tag="v2")
    fourth = gone().delete(PACKAGE, author=ADA)
    fifth = gone().create(PACKAGE, document=titled("Again"), author=ADA).revision
    assert history(github, NAME) == [fifth.id, fourth.id, third.id, second.id, first.id]
    sixth = gone().record(PACKAGE, document=DOCUMENT, author=ADA, head=gone()._history(PACKAGE).head)
    gone().publish(PACKAGE, revisions=[sixth], tags=[_tag("v6", sixth.sha)])
    gone().publish(PACKAGE, tags=[_tag("v7", first.id)])
    gone().publish(PACKAGE, tags=[TagUpdate("v6", True, None)])
    assert [tag.name for tag in gone().tag_list(PACKAGE)] == ["v7"]
    gone().rename(PACKAGE, new_id=OTHER)
    assert gone().fetch(OTHER).document == DOCUMENT
    gone().purge(OTHER)
    with pytest.raises(NotFound):
        gone().fetch(OTHER)


def test_the_folder_is_gone_and_github_hangs(github, one, node, first, tmp_path):
    shutil.rmtree(tmp_path / "one")
    github.fail(Fault(hang=True, times=None))
    for call in (
        lambda: node("one", timeout=0.5).fetch(PACKAGE),
        lambda: node("one", timeout=0.5).update(PACKAGE, document=titled("Two"), author=ADA),
    ):
        with pytest.raises(MetastoreError, match=r"in time|within"):
            call()
    github.clear_faults()
    assert one.fetch(PACKAGE).revision.id == first.id


@pytest.mark.parametrize("lost", ["HEAD", "objects", "refs"])
@pytest.mark.parametrize("verb", ["fetch", "update", "publish"])
def test_half_of_a_repository_is_gone(github, one, first, tmp_path, lost, verb):
    """As where somebody removes it while it is written: it is no repository then, and what is left is not deleted."""
    place = one._folder.path(PACKAGE, public=True)
    recorded = one.record(PACKAGE, document=titled("Two"), author=ADA, head=one._history(PACKAGE).head)
    (place / lost).rename(tmp_path / lost)
    calls = {
        "fetch": lambda: one.fetch(PACKAGE),
        "update": lambda: one.update(PACKAGE, document=titled("Two"), author=ADA),
        "publish": lambda: one.publish(PACKAGE, revisions=[recorded]),
    }
    calls[verb]()
    check_integrity(place)
    assert history(github, NAME)[-1] == first.id
    assert len(history(github, NAME)) == 1 + (verb != "fetch")
    assert len(list(place.parent.glob(".damaged-*"))) == 1
    one.purge(PACKAGE)
    assert list(place.parent.glob(".*-*.git")) == []


def _tag(name, sha):
    return TagUpdate(name, True, record_tag(name=name, revision_id=sha, author=ADA))
