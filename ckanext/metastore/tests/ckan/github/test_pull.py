"""What others commit at GitHub comes into CKAN: what it says, as which revisions, and what both sides have changed."""

from __future__ import annotations

import json

import ckantoolkit as tk
import pytest
from ckan.tests import factories

from ckanext.metastore import pulling
from ckanext.metastore.core.document import canonical_json
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import Fault

from .conftest import head

pytestmark = pytest.mark.usefixtures("pulls")


def retitle(title):
    return lambda document: document.update(title=title)


def pull(act, dataset, **params):
    return act("dataset_pull", id=dataset["id"], **params)


def revisions(act, dataset):
    return act("dataset_revision_list", id=dataset["id"])


def refused(act, dataset, **params):
    """Pull what does not come in; gives the sentence, and the clashes."""
    with pytest.raises(tk.ValidationError) as caught:
        pull(act, dataset, **params)
    sentence, *clashes = caught.value.error_dict["strategy"]
    return sentence, clashes


def check_history(act, dataset, github):
    """CKAN's head is GitHub's, nothing waits, and no fault is to be found."""
    told = act("dataset_publish", id=dataset["id"])
    assert (told["waiting"], told["error"], told["diverged"]) == ([], None, None)
    now = act("package_show", id=dataset["id"])["revision_id"]
    assert head(github, f"city/{dataset['name']}") == now == told["published"]
    document = json.loads(git("show", f"{now}:datapackage.json", cwd=github.repository(f"city/{dataset['name']}").path))
    assert act("package_show", id=dataset["id"], revision_ref=now)["title"] == document["title"]


# -- their commit is the revision -----------------------------------------------------------------------------------


def test_a_commit_is_the_revision(act, dataset, stranger, github):
    first = act("package_show", id=dataset["id"])["revision_id"]
    sha = stranger.edit(retitle("Trees along the streets"), message="A better title\n\nAs they are called.")
    pushes = github.pushes
    assert pull(act, dataset) == {"commit": sha, "revision_id": sha}
    assert act("package_show", id=dataset["id"])["title"] == "Trees along the streets"
    newest, before = revisions(act, dataset)
    assert (newest["id"], newest["parents"], newest["published"]) == (sha, [first], True)
    assert (newest["author"], newest["message"]) == ("Mallory", "A better title\n\nAs they are called.")
    assert before["id"] == first
    assert github.pushes == pushes
    check_history(act, dataset, github)
    assert pull(act, dataset) == {"commit": None, "revision_id": sha}


def test_a_save_that_changes_nothing_then_makes_no_revision(act, dataset, stranger, github):
    """Whatever form the document has in their commit."""
    sha = stranger.edit(retitle("Trees along the streets"))
    pull(act, dataset)
    act("package_patch", id=dataset["id"], title="Trees along the streets")
    assert revisions(act, dataset)[0]["id"] == sha
    act("package_patch", id=dataset["id"], notes="More.")
    newest = revisions(act, dataset)[0]
    assert newest["parents"] == [sha]
    check_history(act, dataset, github)


def test_files_of_theirs_are_kept(act, dataset, stranger, github):
    sha = stranger.write("cff-version: 1.2.0\n", path="CITATION.cff")
    assert pull(act, dataset)["revision_id"] == sha
    act("package_patch", id=dataset["id"], notes="More.")
    repository = github.repository(f"city/{dataset['name']}").path
    assert git("show", "main:CITATION.cff", cwd=repository) == "cff-version: 1.2.0\n"
    check_history(act, dataset, github)


def test_many_commits_and_a_merged_pull_request(act, dataset, stranger, github):
    stranger.git("switch", "--quiet", "-c", "proposal")
    (stranger.folder / "datapackage.json").write_bytes(canonical_json({**stranger.document(), "title": "Proposed"}))
    stranger.git("commit", "--quiet", "-am", "Propose")
    stranger.git("switch", "--quiet", "main")
    stranger.write("First\n", path="NEWS")
    stranger.git("merge", "--quiet", "--no-ff", "-m", "Merge pull request #1", "proposal")
    stranger.push()
    tip = stranger.git("rev-parse", "HEAD")
    assert pull(act, dataset) == {"commit": tip, "revision_id": tip}
    assert act("package_show", id=dataset["id"])["title"] == "Proposed"
    assert len(revisions(act, dataset)[0]["parents"]) == 2
    check_history(act, dataset, github)


def test_what_validation_changes_is_a_second_revision(act, dataset, stranger, github):
    sha = stranger.edit(lambda document: document["resources"][0].update(path=" https://example.org/t.csv "))
    pulled = pull(act, dataset)
    newest, theirs, _first = revisions(act, dataset)
    assert (pulled["commit"], theirs["id"]) == (sha, sha)
    assert (newest["id"], newest["parents"], newest["author"]) == (pulled["revision_id"], [sha], "Edda Ito")
    assert act("package_show", id=dataset["id"])["resources"][0]["url"] == "https://example.org/t.csv"
    check_history(act, dataset, github)


def test_a_resource_of_theirs_gets_an_id(act, dataset, stranger, github):
    sha = stranger.edit(
        lambda document: document["resources"].append({"name": "shrubs", "path": "https://example.org/shrubs.csv"})
    )
    pull(act, dataset)
    newest, theirs, _first = revisions(act, dataset)
    assert (theirs["id"], newest["parents"]) == (sha, [sha])
    kept, added = act("package_show", id=dataset["id"])["resources"]
    assert kept["id"] == dataset["resources"][0]["id"]
    assert (added["name"], added["url"]) == ("shrubs", "https://example.org/shrubs.csv")
    check_history(act, dataset, github)


def test_what_they_take_away_is_gone(act, dataset, stranger, github):
    sha = stranger.edit(lambda document: [document.pop(name) for name in ("description", "keywords")])
    assert pull(act, dataset)["commit"] == sha
    shown = act("package_show", id=dataset["id"])
    assert (shown["notes"], shown["tags"]) == (None, [])
    check_history(act, dataset, github)


def test_that_a_resource_is_in_the_datastore_is_kept(act, dataset, stranger):
    (resource,) = dataset["resources"]
    act("resource_patch", id=resource["id"], datastore_active=True)
    stranger.edit(lambda document: document["resources"][0].update(title="Theirs"))
    pull(act, dataset)
    (now,) = act("package_show", id=dataset["id"])["resources"]
    assert (now["name"], now["datastore_active"]) == ("Theirs", True)


# -- CKAN has moved, too --------------------------------------------------------------------------------------------


def diverge(act, dataset, stranger, theirs, ours):
    """They commit; meanwhile CKAN saves, which cannot be pushed."""
    sha = stranger.edit(theirs)
    saved = act("package_patch", id=dataset["id"], **ours)
    assert saved["revision_published"] is False
    return sha, saved["revision_id"]


def test_changes_of_both_sides_are_joined(act, dataset, stranger, github):
    theirs, ours = diverge(act, dataset, stranger, retitle("Theirs"), {"notes": "Ours."})
    pulled = pull(act, dataset)
    newest = revisions(act, dataset)[0]
    assert (newest["id"], newest["parents"]) == (pulled["revision_id"], [theirs, ours])
    shown = act("package_show", id=dataset["id"])
    assert (shown["title"], shown["notes"]) == ("Theirs", "Ours.")
    assert [revision["id"] for revision in revisions(act, dataset)[1:3]] == [theirs, ours]
    check_history(act, dataset, github)
    act("package_patch", id=dataset["id"], version="2")
    check_history(act, dataset, github)


def test_publishing_pulls_by_itself(act, dataset, stranger, github):
    diverge(act, dataset, stranger, retitle("Theirs"), {"notes": "Ours."})
    check_history(act, dataset, github)
    assert act("package_show", id=dataset["id"])["title"] == "Theirs"


def test_two_saves_and_two_commits(act, dataset, stranger, github):
    diverge(act, dataset, stranger, retitle("One"), {"notes": "Ours."})
    act("package_patch", id=dataset["id"], version="2")
    stranger.edit(lambda document: document.update(homepage="https://example.org/theirs"))
    pull(act, dataset)
    shown = act("package_show", id=dataset["id"])
    assert (shown["title"], shown["notes"]) == ("One", "Ours.")
    assert (shown["version"], shown["url"]) == ("2", "https://example.org/theirs")
    check_history(act, dataset, github)


def test_a_save_while_it_is_pulled(act, dataset, stranger, github, monkeypatch):
    """The pull is worked out anew on it."""
    stranger.edit(retitle("Theirs"))
    merged = pulling._merged

    def slowly(*given):
        monkeypatch.setattr(pulling, "_merged", merged)
        found = merged(*given)
        act("package_patch", id=dataset["id"], notes="Meanwhile.")
        return found

    monkeypatch.setattr(pulling, "_merged", slowly)
    pull(act, dataset)
    shown = act("package_show", id=dataset["id"])
    assert (shown["title"], shown["notes"]) == ("Theirs", "Meanwhile.")
    check_history(act, dataset, github)


# -- a clash, and the ways out --------------------------------------------------------------------------------------


@pytest.fixture
def clash(act, dataset, stranger):
    """Both sides have changed the title; they have changed the homepage, too, and we the notes."""

    def theirs(document):
        document.update(title="Theirs", homepage="https://example.org/theirs")

    sha, _ours = diverge(act, dataset, stranger, theirs, {"title": "Ours", "notes": "Ours."})
    sentence, clashes = refused(act, dataset)
    assert sha in sentence
    assert "title" in sentence
    assert clashes == [{"path": ["title"], "base": "Street trees", "ours": "Ours", "theirs": "Theirs"}]
    shown = act("package_show", id=dataset["id"])
    assert (shown["title"], shown["notes"], shown["url"]) == ("Ours", "Ours.", None)
    diverged = act("dataset_publish", id=dataset["id"])["diverged"]
    assert (diverged["commit"], diverged["clashes"]) == (sha, clashes)
    return sha


def outcome(act, dataset):
    shown = act("package_show", id=dataset["id"])
    return shown["title"], shown["notes"], shown["url"]


def test_a_clash_is_decided_for_theirs(act, dataset, clash, github):
    assert pull(act, dataset, strategy="theirs")["commit"] == clash
    assert outcome(act, dataset) == ("Theirs", "Ours.", "https://example.org/theirs")
    check_history(act, dataset, github)


def test_a_clash_is_decided_for_ours(act, dataset, clash, github):
    assert pull(act, dataset, strategy="ours")["commit"] == clash
    assert outcome(act, dataset) == ("Ours", "Ours.", None)
    check_history(act, dataset, github)


def test_a_clash_is_mended_by_hand_in_ckan(act, dataset, clash, github):
    act("package_patch", id=dataset["id"], title="Theirs")
    assert pull(act, dataset)["commit"] == clash
    assert outcome(act, dataset) == ("Theirs", "Ours.", "https://example.org/theirs")
    check_history(act, dataset, github)


def test_a_clash_is_mended_by_hand_at_github(act, dataset, clash, stranger, github):
    sha = stranger.edit(retitle("Ours"))
    assert pull(act, dataset)["commit"] == sha
    assert outcome(act, dataset) == ("Ours", "Ours.", "https://example.org/theirs")
    check_history(act, dataset, github)


def test_saves_go_on_while_it_is_diverged(act, dataset, clash, github):
    act("package_patch", id=dataset["id"], version="2")
    pull(act, dataset, strategy="theirs")
    assert act("package_show", id=dataset["id"])["version"] == "2"
    assert outcome(act, dataset)[0] == "Theirs"
    check_history(act, dataset, github)


# -- the branch was moved back --------------------------------------------------------------------------------------


def test_a_branch_that_was_moved_back_is_not_followed(act, dataset, stranger, github):
    act("package_patch", id=dataset["id"], title="Second")
    published = act("package_show", id=dataset["id"])["revision_id"]
    (stranger.folder / "datapackage.json").write_bytes(canonical_json({**stranger.document(), "version": "9"}))
    sha = stranger.commit(force=True)
    sentence, clashes = refused(act, dataset)
    assert (sha in sentence, "lost revisions" in sentence, clashes) == (True, True, [])
    assert act("package_show", id=dataset["id"])["revision_id"] == published
    assert pull(act, dataset, strategy="ours")["commit"] == sha
    newest = revisions(act, dataset)[0]
    assert newest["parents"] == [sha, published]
    assert act("package_show", id=dataset["id"])["title"] == "Second"
    check_history(act, dataset, github)


def test_a_branch_that_lost_its_newest_revision_gets_it_back(act, dataset, stranger, github):
    first = act("package_show", id=dataset["id"])["revision_id"]
    act("package_patch", id=dataset["id"], title="Second")
    stranger.push(force=True)
    assert head(github, f"city/{dataset['name']}") == first
    assert "lost revisions" in refused(act, dataset)[0]
    pull(act, dataset, strategy="theirs")
    assert act("package_show", id=dataset["id"])["title"] == "Second"
    check_history(act, dataset, github)


# -- who may ask, and as whom ---------------------------------------------------------------------------------------


def test_only_who_may_update_the_dataset_may_pull(act, dataset, reader, stranger):
    stranger.edit(retitle("Theirs"))
    with pytest.raises(tk.NotAuthorized):
        act("dataset_pull", user=reader["name"], id=dataset["id"])
    with pytest.raises(tk.ObjectNotFound):
        act("dataset_pull", id="no-such-dataset")
    with pytest.raises(tk.ValidationError) as caught:
        pull(act, dataset, strategy="mine")
    assert "strategy" in caught.value.error_dict
    assert act("package_show", id=dataset["id"])["title"] == "Street trees"


@pytest.mark.parametrize("gone", [False, True])
def test_the_account_that_pulls_must_be_allowed_to(act, dataset, stranger, reader, ckan_config, monkeypatch, gone):
    name = "no-such-account" if gone else reader["name"]
    monkeypatch.setitem(ckan_config, "ckanext.metastore.pull_user", name)
    sha = stranger.edit(retitle("Theirs"))
    sentence, _ = refused(act, dataset)
    assert (sha in sentence, name in sentence) == (True, True)
    assert act("package_show", id=dataset["id"])["title"] == "Street trees"


def test_without_an_account_nothing_is_pulled(act, dataset, stranger, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.pull_user", "")
    sha = stranger.edit(retitle("Theirs"))
    with pytest.raises(tk.ValidationError) as caught:
        pull(act, dataset)
    assert "ckanext.metastore.pull_user" in caught.value.error_dict
    saved = act("package_patch", id=dataset["id"], notes="Ours.")
    assert saved["revision_published"] is False
    assert saved["revision_error"] == f"Mallory has committed {sha[:12]} at GitHub: pull it first"
    assert act("dataset_publish", id=dataset["id"])["error"]
    assert act("package_show", id=dataset["id"])["title"] == "Street trees"


def test_nothing_is_pulled_into_a_dataset_that_is_not_public(act, dataset, stranger, github):
    stranger.edit(retitle("Theirs"))
    act("package_patch", id=dataset["id"], private=True)
    assert "not public" in refused(act, dataset)[0]
    assert act("package_show", id=dataset["id"])["title"] == "Street trees"
    act("package_patch", id=dataset["id"], private=False)
    pull(act, dataset)
    assert act("package_show", id=dataset["id"])["title"] == "Theirs"
    check_history(act, dataset, github)


def test_a_dataset_without_a_repository_has_nothing_to_pull(act, organization):
    hidden = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"], private=True)
    assert pull(act, hidden) == {"commit": None, "revision_id": hidden["revision_id"]}


def test_two_that_pull_at_a_time(act, dataset, stranger, github, monkeypatch):
    """Whoever comes second finds it done."""
    sha = stranger.edit(lambda document: document["resources"][0].update(path=" https://example.org/t.csv "))
    merged = pulling._merged

    def slowly(*given):
        monkeypatch.setattr(pulling, "_merged", merged)
        found = merged(*given)
        assert pull(act, dataset)["commit"] == sha
        return found

    monkeypatch.setattr(pulling, "_merged", slowly)
    assert pull(act, dataset)["commit"] is None
    assert [revision["parents"][:1] for revision in revisions(act, dataset)][:1] == [[sha]]
    assert len(revisions(act, dataset)) == 3
    check_history(act, dataset, github)


@pytest.mark.parametrize("drop", ["before", "after"])
def test_the_push_of_what_joins_is_cut_off(act, dataset, stranger, github, drop):
    """Whoever publishes next finishes: the rows of both are there."""
    theirs, ours = diverge(act, dataset, stranger, retitle("Theirs"), {"notes": "Ours."})
    github.fail(Fault(path="git-receive-pack$", kind="git", method="POST", drop=drop, times=None))
    pull(act, dataset)
    newest = revisions(act, dataset)[0]
    assert (newest["parents"], newest["published"]) == ([theirs, ours], drop == "after")
    github.clear_faults()
    check_history(act, dataset, github)
    assert len(revisions(act, dataset)) == 4
