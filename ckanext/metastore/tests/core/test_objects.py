"""Git objects as bytes. ``git`` is the judge: it makes the same objects of the same input, and finds no fault."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ckanext.metastore.core import Author, Invalid, objects
from ckanext.metastore.core.objects import TreeEntry
from ckanext.metastore.core.record import record_tag
from ckanext.metastore.core.text import (
    FALLBACK_EMAIL,
    FALLBACK_NAME,
    LATEST_TIMESTAMP,
    normalise_author,
    normalise_message,
)
from ckanext.metastore.core.types import GitObject, utc
from ckanext.metastore.testing.git import check_integrity, git

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
ADA = Author("Ada Lovelace", "ada@example.org")

AUTHORS = st.builds(Author, st.text(st.characters(), max_size=30), st.text(st.characters(), max_size=30))
MESSAGES = st.text(st.characters(), max_size=200)
TIMES = st.integers(0, LATEST_TIMESTAMP)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    repository = tmp_path_factory.mktemp("repository")
    git("init", "--quiet", "--bare", ".", cwd=repository)
    git("hash-object", "-t", "tree", "-w", "--stdin", cwd=repository)
    yield repository
    check_integrity(repository)


def identity(role: str, author: Author, timestamp: int) -> dict[str, str]:
    """Tell git who and when, by its environment variables."""
    author = normalise_author(author)
    return {
        f"GIT_{role}_NAME": author.name,
        f"GIT_{role}_EMAIL": author.email,
        f"GIT_{role}_DATE": f"@{timestamp} +0000",
    }


def built_commit(
    author: Author = ADA,
    committer: Author = ADA,
    timestamp: int = 0,
    message: str = "Message",
    parents: Sequence[str] = (),
) -> GitObject:
    return objects.commit(
        tree=EMPTY_TREE,
        parents=parents,
        author=author,
        committer=committer,
        timestamp=timestamp,
        message=normalise_message(message) or "-",
    )


# -- as git makes them -------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(AUTHORS, AUTHORS, TIMES, MESSAGES)
def test_a_commit_is_what_commit_tree_makes(repository, author, committer, timestamp, message):
    root = built_commit(author, committer, timestamp, message)
    child = built_commit(author, committer, timestamp, message, parents=[root.sha])
    environment = identity("AUTHOR", author, timestamp) | identity("COMMITTER", committer, timestamp)
    stdin = (normalise_message(message) or "-").encode() + b"\n"
    assert git("commit-tree", EMPTY_TREE, cwd=repository, stdin=stdin, env=environment).strip() == root.sha
    parent = ["-p", root.sha]
    assert git("commit-tree", EMPTY_TREE, *parent, cwd=repository, stdin=stdin, env=environment).strip() == child.sha


@settings(deadline=None)
@given(AUTHORS, TIMES, MESSAGES)
def test_a_tag_is_what_mktag_makes(repository, tagger, timestamp, description):
    target = git("commit-tree", EMPTY_TREE, cwd=repository, stdin=b"x\n", env=COMMITTED_BY_ADA).strip()
    tag = record_tag(name="v1", revision_id=target, author=tagger, description=description, timestamp=utc(timestamp))
    assert git("mktag", cwd=repository, stdin=tag.data).strip() == tag.sha
    environment = identity("COMMITTER", tagger, timestamp)
    stdin = normalise_message(description).encode()
    git("tag", "--force", "--annotate", "--cleanup=verbatim", "--file=-", "v1", target,
        cwd=repository, stdin=stdin + b"\n" if stdin else b"", env=environment)  # fmt: skip
    assert git("rev-parse", "refs/tags/v1", cwd=repository).strip() == tag.sha


COMMITTED_BY_ADA = identity("AUTHOR", ADA, 0) | identity("COMMITTER", ADA, 0)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=5), unique=True, max_size=8))
def test_a_tree_is_what_mktree_makes(repository, names):
    names = [name for name in names if name.isprintable() and name not in (".", "..", ".git")]
    git("hash-object", "-w", "--stdin", cwd=repository, stdin=b"x")
    directory = git("mktree", cwd=repository).strip()
    entries = [
        TreeEntry(name, directory, objects.DIRECTORY_MODE) if number % 2 else TreeEntry(name, objects.blob(b"x").sha)
        for number, name in enumerate(names)
    ]
    types = {objects.DIRECTORY_MODE: "tree", objects.FILE_MODE: "blob"}
    lines = [f"{entry.mode.zfill(6)} {types[entry.mode]} {entry.sha}\t{entry.name}\0" for entry in entries]
    tree = objects.tree(entries)
    assert git("mktree", "-z", cwd=repository, stdin="".join(lines).encode()).strip() == tree.sha
    assert set(objects.parse_tree(tree.data)) == set(entries)


def test_blobs(repository):
    for data in (b"", b"x", b"\0\r\n"):
        assert git("hash-object", "--stdin", cwd=repository, stdin=data).strip() == objects.blob(data).sha


def test_directories_sort_as_if_they_ended_in_a_slash():
    tree = objects.tree(
        [TreeEntry("a", EMPTY_TREE, "40000"), TreeEntry("a.b", EMPTY_TREE), TreeEntry("a0", EMPTY_TREE)]
    )
    assert [entry.name for entry in objects.parse_tree(tree.data)] == ["a.b", "a", "a0"]


# -- read again --------------------------------------------------------------------------------------------------------


@given(AUTHORS, AUTHORS, TIMES, MESSAGES)
def test_a_commit_reads_as_it_was_built(author, committer, timestamp, message):
    parents = ("0" * 40, "1" * 40)
    commit = objects.parse_commit(built_commit(author, committer, timestamp, message, parents).data)
    assert commit == objects.Commit(
        tree=EMPTY_TREE,
        parents=parents,
        author=normalise_author(author),
        committer=normalise_author(committer),
        timestamp=timestamp,
        message=normalise_message(message) or "-",
    )


@given(AUTHORS, TIMES, MESSAGES)
def test_a_tag_reads_as_it_was_built(author, timestamp, description):
    tag = record_tag(name="v1", revision_id="0" * 40, author=author, description=description, timestamp=utc(timestamp))
    assert objects.parse_tag(tag.data) == objects.TagObject(
        name="v1",
        target="0" * 40,
        target_type="commit",
        tagger=normalise_author(author),
        timestamp=timestamp,
        message=normalise_message(description),
    )


FOREIGN_COMMIT = (
    b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"
    b"author J\xf6rg <j@x> 1700000000 -0800\n"
    b"committer GitHub <noreply@github.com> 1700000001 +0200\n"
    b"encoding ISO-8859-1\n"
    b"gpgsig -----BEGIN PGP SIGNATURE-----\n"
    b" \n"
    b" author Eve <e@x> 1 +0000\n"
    b" -----END PGP SIGNATURE-----\n"
    b"\n"
    b"Gr\xfc\xdfe\n"
)


def test_a_commit_of_foreign_making():
    commit = objects.parse_commit(FOREIGN_COMMIT)
    assert commit.author == Author("Jörg", "j@x")
    assert commit.committer == Author("GitHub", "noreply@github.com")
    assert commit.timestamp == 1_700_000_001
    assert commit.message == "Grüße"
    assert commit.parents == ()


@pytest.mark.parametrize(
    ("line", "author", "timestamp"),
    [
        (b"committer A <a@x> 99999999999999999999999 +0000", Author("A", "a@x"), LATEST_TIMESTAMP),
        (b"committer A <a@x> -5 +0000", Author("A", "a@x"), 0),
        (b"committer A <a@x>", Author("A", "a@x"), 0),
        (b"committer <a@x> 7 +0000", Author(FALLBACK_NAME, "a@x"), 7),
        (b"committer A <> 7 +0000", Author("A", FALLBACK_EMAIL), 7),
        (b"committer A", Author("A", FALLBACK_EMAIL), 0),
        (b"committer \xff <a@x> 7 +0000", Author("\ufffd", "a@x"), 7),
        (b"committer", Author(FALLBACK_NAME, FALLBACK_EMAIL), 0),
        (b"encoding zlib", Author(FALLBACK_NAME, FALLBACK_EMAIL), 0),
        (b"encoding \xff\0", Author(FALLBACK_NAME, FALLBACK_EMAIL), 0),
    ],
)
def test_broken_headers_of_foreign_making(line, author, timestamp):
    commit = objects.parse_commit(b"tree " + EMPTY_TREE.encode() + b"\n" + line + b"\n\nx\n")
    assert (commit.committer, commit.timestamp, commit.message) == (author, timestamp, "x")


def test_a_tag_without_a_tagger():
    tag = objects.parse_tag(b"object " + b"0" * 40 + b"\ntype tree\ntag old\n\nSigned\n")
    assert (tag.name, tag.target_type, tag.timestamp, tag.message) == ("old", "tree", 0, "Signed")


@given(st.binary(max_size=100))
def test_noise_is_no_object(noise):
    for parse in (objects.parse_commit, objects.parse_tag, objects.parse_tree, objects.unpack_objects):
        try:
            parse(noise)
        except Invalid as error:
            assert error.reason  # noqa: PT017 (some noise is an object)


# -- many in one -------------------------------------------------------------------------------------------------------

OBJECTS = st.lists(st.builds(GitObject, st.sampled_from(["blob", "tree", "commit", "tag"]), st.binary()))


@given(OBJECTS)
def test_packed_objects_unpack(items):
    assert objects.unpack_objects(objects.pack_objects(items)) == tuple(items)


@pytest.mark.parametrize(
    "data", [b"x", b"blob 3\0ab", b"blob 1", b"blob -1\0", b"tree 0\0 ", b"blob 9999999999999999999\0"]
)
def test_broken_packs(data):
    with pytest.raises(Invalid):
        objects.unpack_objects(data)


# -- the same on every machine -----------------------------------------------------------------------------------------


def test_shas_that_never_change():
    """These stand in people's databases: if one changes, every history written so far would break."""
    commit = built_commit(Author("Zoe\u0308 <z@x>", " zoë@example.org "), ADA, 1_700_000_000, "Bäume\r\n\r\n🌳")
    assert commit.sha == "73dec20acc3cbc993a811f1a7872f944810bb891"
    tag = record_tag(name="v1", revision_id=commit.sha, author=ADA, description="Erste", timestamp=utc(1_700_000_000))
    assert tag.sha == "15850c7f32c84081930df48f406d8bebde777659"
