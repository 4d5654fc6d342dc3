"""The pure half of a save."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ckanext.metastore.core import Author, Invalid, InvalidName, Site, objects
from ckanext.metastore.core.document import canonical_json
from ckanext.metastore.core.objects import Commit, TreeEntry, parse_commit, parse_tree
from ckanext.metastore.core.record import document_sha, record, record_tag, without_trailers
from ckanext.metastore.core.types import Document, Head, RecordedRevision

ADA = Author("Ada Lovelace", "ada@example.org")
SITE = Site(Author("data.example", "noreply@data.example"), "https://data.example/dataset/{id}")
TIME = datetime(2026, 3, 1, tzinfo=timezone.utc)
DOCUMENT = {"name": "trees", "title": "Street trees"}


def recorded(document: Document | None = DOCUMENT, **options: Any) -> RecordedRevision:
    return record("trees-id", document=document, author=ADA, **{"timestamp": TIME, "site": SITE, **options})


def commit_of(revision: RecordedRevision) -> Commit:
    return parse_commit(revision.objects[-1].data)


def names_in(revision: RecordedRevision) -> list[str]:
    return [entry.name for entry in parse_tree(revision.tree)]


def test_a_root():
    revision = recorded(message="First")
    commit = commit_of(revision)
    assert revision.sha == revision.objects[-1].sha
    assert [item.type for item in revision.objects] == ["blob", "blob", "tree", "commit"]
    assert revision.objects[0].data == canonical_json(DOCUMENT)
    assert (commit.tree, commit.parents) == (revision.objects[2].sha, ())
    assert (commit.author, commit.committer) == (ADA, SITE.committer)
    assert commit.timestamp == revision.timestamp == int(TIME.timestamp())
    assert names_in(revision) == ["README.md", "datapackage.json"]


def test_objects_come_after_those_that_they_name():
    revision = recorded()
    seen: set[str] = set()
    for item in revision.objects:
        named = {entry.sha for entry in parse_tree(item.data)} if item.type == "tree" else set()
        assert named <= seen
        seen.add(item.sha)


def test_the_next_revision_leaves_out_what_is_there():
    first = recorded()
    second = recorded({**DOCUMENT, "version": "2"}, head=first.head)
    assert commit_of(second).parents == second.parents == (first.sha,)
    assert [item.type for item in second.objects] == ["blob", "tree", "commit"]
    assert [item.type for item in recorded(head=first.head).objects] == ["commit"]


def test_the_author_commits_where_there_is_no_site():
    assert commit_of(recorded(site=None)).committer == ADA


def test_files_of_others_are_kept():
    others = [
        TreeEntry("CITATION.cff", "1" * 40),
        TreeEntry("scripts", "2" * 40, "40000"),
        TreeEntry("run", "3" * 40, "100755"),
        TreeEntry("\udcff", "4" * 40),
    ]
    ours = [TreeEntry("README.md", "5" * 40, "40000"), TreeEntry("datapackage.json", "6" * 40)]
    head = Head("0" * 40, objects.tree([*others, *ours]).data, 0)
    entries = set(parse_tree(recorded(head=head).tree))
    assert set(others) <= entries
    assert not set(ours) & entries
    assert set(parse_tree(recorded(None, head=head).tree)) == set(others)


def test_a_deletion():
    first = recorded()
    deletion = recorded(None, head=first.head)
    assert deletion.tree == b""
    assert document_sha(deletion.tree) is None
    assert document_sha(first.tree) == first.objects[0].sha
    assert [item.type for item in deletion.objects] == ["tree", "commit"]


@pytest.mark.parametrize("message", ["", " \n", "\0"])
def test_messages_by_default(message):
    first = recorded(message=message)
    deletion = recorded(None, head=first.head, message=message)
    assert first.message == "Create dataset"
    assert recorded(head=first.head, message=message).message == "Update dataset"
    assert deletion.message == "Delete dataset"
    assert recorded(head=deletion.head, message=message).message == "Create dataset"


def test_trailers():
    revision = recorded(message="Title\n\nBody\n", user="ada")
    assert revision.message == "Title\n\nBody"
    assert commit_of(revision).message == "Title\n\nBody\n\nCKAN-Dataset: trees-id\nCKAN-User: ada"
    assert commit_of(recorded()).message == "Create dataset\n\nCKAN-Dataset: trees-id"


@pytest.mark.parametrize("user", ["ada\nCKAN-Dataset: other", "ada\r\n\r\nx", "\0ada\u2028b", " ", "\n"])
def test_a_user_is_one_line(user):
    message = commit_of(recorded(user=user)).message
    assert len(message.splitlines()) == (4 if user.strip() else 3)
    assert without_trailers(message) == "Create dataset"


@pytest.mark.parametrize("message", ["x\n\nCKAN-User: eve", "x\n\nCKAN-Dataset: a\nCKAN-User: eve", "CKAN-Dataset: a"])
def test_only_our_own_trailers_are_taken_off(message):
    assert without_trailers(commit_of(recorded(message=message, user="ada")).message) == message
    assert without_trailers(commit_of(recorded(message=message)).message) == message


def test_time_never_goes_back():
    late = recorded(timestamp=datetime(2030, 1, 1, tzinfo=timezone.utc))
    assert recorded(head=late.head).timestamp == late.timestamp


def test_the_author_is_as_git_shows_them():
    revision = record("x", document=DOCUMENT, author=Author("Ada <x>", ""), timestamp=TIME)
    assert revision.author == commit_of(revision).author == Author("Ada x", "unknown@unknown.invalid")


def test_what_cannot_be_recorded():
    with pytest.raises(Invalid, match="message"):
        recorded(message="x" * 10_001)
    with pytest.raises(Invalid, match="document"):
        recorded({"x": float("nan")})
    package_ids: list[Any] = ["", None, 7]
    for package_id in package_ids:
        with pytest.raises(InvalidName):
            record(package_id, document=DOCUMENT, author=ADA)


def test_a_tag_that_cannot_be_recorded():
    with pytest.raises(InvalidName):
        record_tag(name="a/b", revision_id="0" * 40, author=ADA)
    with pytest.raises(Invalid, match="description"):
        record_tag(name="v1", revision_id="0" * 40, author=ADA, description="x" * 10_001)


def test_shas_that_never_change():
    """Two machines, two Python versions, a retry after a crash: the same bytes."""
    document = {
        "title": "Bäume 🌳",
        "description": "Alle\n\n*Bäume*",
        "resources": [{"path": "https://x.example/ä|b.csv", "format": "CSV", "x": [1, 1.5, None]}],
        "ckan": {"extras": [{"key": "k", "value": "\ud800"}]},
    }
    first = record(
        "Ä/b",
        document=document,
        author=Author("Zoe\u0308", "zoe@example.org"),
        message="Erste\r\n",
        user="zoë",
        timestamp=TIME,
        site=SITE,
    )
    second = record("Ä/b", document=None, author=ADA, timestamp=TIME, head=first.head)
    assert first.sha == "32be5d91db332bdc9b7d5749900a2a71eb75dcb5"
    assert second.sha == "aaf6d5341c7dd327fe5eb0d4b834e4e3f0f60090"
