"""Pushes to mirrors, with the real ``git``: their histories come by these and by nothing else."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from itertools import count

import pytest

from ckanext.metastore.core import Author, NotFound
from ckanext.metastore.core.document import canonical_json
from ckanext.metastore.core.record import record
from ckanext.metastore.core.types import Head
from ckanext.metastore.service import database
from ckanext.metastore.testing.stranger import Stranger
from ckanext.metastore.tests.service.running import DOCUMENT, Git, running

NUMBERS = count()
EDDA = Author("Edda Ito", "edda@example.org")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service") / "store", limits_body=100_000) as running_:
        yield running_


@pytest.fixture(scope="module")
def client(service):
    with service.client() as client:
        yield client


@pytest.fixture
def mirror(client):
    """An empty one."""
    return client.mirror_create("parks", f"mirror-{next(NUMBERS)}")


@pytest.fixture
def at(mirror):
    return "parks", mirror.name


@pytest.fixture
def clone(service, mirror, tmp_path):
    """Where its history is made, with one revision that is not pushed yet."""
    Git(tmp_path)("clone", "-q", service.repository(mirror.name, service.token()), "clone")
    clone = Git(tmp_path / "clone")
    # No other mirror has the same commits, made within the same second.
    commit(clone, {"name": "trees"}, f"First survey of {mirror.name}")
    return clone


@pytest.fixture
def pushed(clone):
    """The same, pushed."""
    clone("push", "-q", "origin", "main")
    return clone


@pytest.fixture
def folder(service):
    """A function that gives the path of the repository in the service's folder that holds a commit."""

    def found(sha):
        for path in (service.folder / "repositories").glob("*/*.git"):
            if Git(path).tried("cat-file", "-e", sha).returncode == 0:
                return path
        raise AssertionError(sha)

    return found


def commit(clone, document, message="A change"):
    """Commit a document: a value, or text."""
    text = document if isinstance(document, str) else json.dumps(document)
    (clone.folder / "datapackage.json").write_text(text)
    clone("add", "--all")
    clone("commit", "-q", "--allow-empty", "-m", message)
    return clone("rev-parse", "HEAD")


def revisions(client, at):
    return [each.id for each in client.revision_list(*at)]


def refusal(clone, *arguments):
    said = clone.refused("push", *(arguments or ("origin", "main")))
    lines = [line.removeprefix("remote: error: ").strip() for line in said.splitlines() if "remote: error:" in line]
    assert len(lines) == 1, said
    return lines[0]


# -- a history comes ------------------------------------------------------------------------------------------------


def test_an_empty_mirror_is_an_empty_repository(service, client, mirror, tmp_path):
    git = Git(tmp_path)
    assert git("ls-remote", service.repository(mirror.name, service.token("ds:parks/*:read"))) == ""
    said = git.refused("clone", service.repository(mirror.name, service.token("ds:parks/other:read")), "other")
    assert "this token does not allow that" in said
    git("clone", "-q", service.repository(mirror.name, service.token("ds:parks/*:read")), "clone")
    assert Git(tmp_path / "clone")("symbolic-ref", "HEAD") == "refs/heads/main"
    assert list((service.folder / "incoming").iterdir()) == []


def test_the_first_push_makes_the_root_and_others_follow(service, client, mirror, at, clone):
    second = commit(clone, {"name": "trees", "title": "Street trees"}, "Say what it is")
    clone("push", "-q", "origin", "main")
    assert revisions(client, at) == clone("rev-list", "main").split()
    found = client.fetch(*at)
    assert (found.document["title"], found.published, found.revision_id) == ("Street trees", True, second)
    assert [each.title for each in client.list(owner="parks") if each.name == mirror.name] == ["Street trees"]
    assert not client.mirror_fetch(mirror.number).empty
    third = commit(clone, {"name": "trees"})
    clone("push", "-q", "origin", "main")
    assert revisions(client, at) == clone("rev-list", "main").split()
    assert client.diff(*at, second, third)[0].path == ("title",)
    clone("fetch", "-q")
    clone("fsck", "--strict")


def test_what_the_core_records_is_taken_as_it_is(client, at, clone):
    """CKAN's own commits: their ids stay."""
    head: Head | None = None
    shas: list[str] = []
    for document in ({"name": "trees", "x": "\ud800"}, {"name": "trees", "title": "Trees"}, None, {"name": "again"}):
        made = record("x", document=document, author=EDDA, message="By CKAN", user="edda", head=head)
        for item in made.objects:
            command = ["git", "hash-object", "-t", item.type, "-w", "--stdin"]
            subprocess.run(command, cwd=clone.folder, input=item.data, check=True, capture_output=True)
        head, shas = made.head, [made.sha, *shas]
    clone("push", "-q", "origin", f"{shas[0]}:refs/heads/main")
    assert revisions(client, at) == shas
    assert {each.message for each in client.revision_list(*at)} == {"By CKAN"}
    assert client.fetch(*at).document == {"name": "again"}
    assert client.fetch(*at, revision=shas[3]).document == {"name": "trees", "x": "\ud800"}


@pytest.mark.parametrize("document", ["{}", '{"resources": 1}', '{"name": "No Name", "profile": "data-package"}'])
def test_a_document_is_any_object(client, at, pushed, document):
    sha = commit(pushed, document)
    pushed("push", "-q", "origin", "main")
    assert (client.fetch(*at).revision_id, client.fetch(*at).document) == (sha, json.loads(document))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("[]", "it must be a JSON object"),
        ("no JSON", "the body is no JSON"),
        ('{"x": ' * 40 + "1" + "}" * 40, "more than 32 levels"),
        (json.dumps({"x": "." * 100_000}), "at most 100,000 are allowed"),
    ],
    ids=["array", "no-json", "deep", "large"],
)
def test_and_nothing_else(client, at, pushed, document, reason):
    first = revisions(client, at)
    bad = commit(pushed, document)
    commit(pushed, {"name": "good"})
    said = refusal(pushed)
    assert said.startswith(f"revision {bad[:12]}: datapackage.json: ")
    assert reason in said
    assert revisions(client, at) == first


def test_a_deletion_and_a_return(service, client, mirror, at, pushed):
    pushed("rm", "-q", "datapackage.json")
    pushed("commit", "-q", "--allow-empty", "-m", "Gone")
    gone = pushed("rev-parse", "HEAD")
    pushed("push", "-q", "origin", "main")
    with pytest.raises(NotFound):
        client.fetch(*at)
    assert revisions(client, at)[0] == gone
    assert mirror.name not in [each.name for each in client.list(owner="parks")]
    with service.client("ds:parks/*:read") as reader, pytest.raises(NotFound):
        reader.revision_fetch(*at)
    back = commit(pushed, {"name": "trees", "title": "Back"}, "Back")
    pushed("push", "-q", "origin", "main")
    assert (client.fetch(*at).revision_id, client.fetch(*at).document["title"]) == (back, "Back")


def test_all_of_a_merge_are_revisions(client, at, pushed):
    first = pushed("rev-parse", "HEAD")
    pushed("checkout", "-qb", "side")
    side = commit(pushed, {"name": "side"})
    pushed("checkout", "-q", "main")
    own = commit(pushed, {"name": "own"})
    pushed("merge", "-q", "-s", "ours", "--no-edit", "side")
    pushed("push", "-q", "origin", "main")
    found = revisions(client, at)
    assert (found[0], found[-1], {*found}) == (
        pushed("rev-parse", "HEAD"),
        first,
        {*pushed("rev-list", "main").split()},
    )
    pushed("tag", "-a", "side", "-m", "x", side)
    pushed("push", "-q", "origin", "refs/tags/side")
    assert client.fetch(*at, revision="side").document == {"name": "side"}
    assert client.fetch(*at, revision=own).document == {"name": "own"}


def test_what_a_merge_brings_that_is_no_revision_belongs_to_it(client, at, pushed):
    first = pushed("rev-parse", "HEAD")
    pushed("checkout", "-qb", "side")
    bad, good = commit(pushed, "no JSON"), commit(pushed, {"name": "mended"})
    pushed("checkout", "-q", "main")
    own = commit(pushed, {"name": "own"})
    pushed("merge", "-q", "-s", "ours", "--no-edit", "side")
    pushed("push", "-q", "origin", "main")
    assert revisions(client, at) == [pushed("rev-parse", "HEAD"), own, first]
    assert client.fetch(*at).published
    assert {bad, good} < {*pushed("rev-list", "origin/main").split()}


def test_history_only_grows(client, at, pushed):
    first = revisions(client, at)
    pushed("commit", "-q", "--amend", "-m", "Rewritten")
    assert refusal(pushed, "--force", "origin", "main").startswith("history only grows")
    pushed("checkout", "-q", "--orphan", "other")
    pushed("commit", "-qm", "From nothing")
    assert refusal(pushed, "--force", "origin", "other:main").startswith("history only grows")
    assert "the branch main stays" in refusal(pushed, "origin", ":main")
    assert revisions(client, at) == first


def test_two_first_pushes(service, client, at, clone, tmp_path):
    git = Git(tmp_path)
    git("clone", "-q", clone("remote", "get-url", "origin"), "other")
    other = Git(tmp_path / "other")
    commit(other, {"name": "other"})
    clone("push", "-q", "origin", "main")
    assert "fetch first" in other.refused("push", "origin", "main")
    assert refusal(other, "--force", "origin", "main").startswith("history only grows")
    assert revisions(client, at) == clone("rev-list", "main").split()


def test_tags_with_the_first_push(client, at, clone):
    clone("tag", "-a", "v1", "-m", "The first")
    clone("push", "-q", "--atomic", "origin", "main", "v1")
    (tag,) = client.tag_list(*at)
    assert (tag.name, tag.revision_id) == ("v1", clone("rev-parse", "HEAD"))
    assert clone("rev-parse", "v1") in clone("ls-remote", "origin")


def test_a_tag_before_there_is_a_revision(client, at, clone):
    clone("tag", "-a", "v1", "-m", "The first")
    assert refusal(clone, "origin", "v1").endswith("is no revision of this dataset")


# -- what REST says of it -------------------------------------------------------------------------------------------


def test_a_private_mirror_stays_private_and_takes_pushes(service, client, mirror, at, clone):
    client.mirror_update(mirror.number, private=True)
    clone("push", "-q", "origin", "main")
    commit(clone, {"name": "trees", "title": "Hidden"})
    clone("push", "-q", "origin", "main")
    assert client.mirror_fetch(mirror.number).private
    found = client.fetch(*at)
    assert (found.private, found.document["title"]) == (True, "Hidden")
    with service.client("ds:parks/*:read") as reader:
        assert revisions(reader, at) == clone("rev-list", "main").split()
    assert not client.mirror_update(mirror.number, private=False).private
    commit(clone, {"name": "trees", "title": "Shown"})
    clone("push", "-q", "origin", "main")
    assert not client.fetch(*at).private


def test_nobody_without_a_token_sees_a_private_one(tmp_path):
    with running(tmp_path / "store", anonymous_read=True) as service, service.client() as client:
        git, mirror = Git(tmp_path), client.mirror_create("parks", "trees", private=True)
        address = service.repository("trees", service.token())
        git("clone", "-q", address, "clone")
        clone = Git(tmp_path / "clone")
        commit(clone, {"name": "trees"})
        clone("push", "-q", "origin", "main")
        assert "could not read Username" in git.refused("clone", service.repository("trees"), "other")
        client.mirror_update(mirror.number, private=False)
        git("clone", "-q", service.repository("trees"), "other")
        client.mirror_update(mirror.number, private=True)
        assert "could not read Username" in Git(tmp_path / "other").refused("fetch")


def test_an_archived_mirror_takes_nothing(client, mirror, at, pushed):
    client.mirror_update(mirror.number, archived=True)
    commit(pushed, {"name": "trees", "title": "Late"})
    pushed("tag", "-a", "v1", "-m", "x")
    for ref in ("main", "v1"):
        assert "remote: the dataset is archived" in pushed.refused("push", "origin", ref)
    pushed("fetch", "-q")
    client.mirror_update(mirror.number, archived=False)
    pushed("push", "-q", "origin", "main", "v1")
    assert revisions(client, at) == pushed("rev-list", "main").split()


def test_under_its_new_name(service, client, mirror, pushed):
    client.mirror_update(mirror.number, name=f"{mirror.name}-2")
    for address in ("origin", service.repository(f"{mirror.name}-2", service.token())):
        head = commit(pushed, {"name": "trees", "title": f"Moved {address}"})
        pushed("push", "-q", address, "main")
        assert client.fetch("parks", f"{mirror.name}-2").revision_id == head


def test_who_may_only_read_cannot_push(service, client, mirror, clone):
    address = service.repository(mirror.name, service.token("ds:parks/*:read,delete,revert"))
    assert "remote: this token does not allow that" in clone.refused("push", address, "main")
    assert client.mirror_fetch(mirror.number).empty


# -- somebody was in the service's folder ---------------------------------------------------------------------------


@pytest.fixture
def three(client, at, pushed):
    """Three revisions, pushed, and published: that is what a fetch waits for."""
    for number in (2, 3):
        commit(pushed, {"name": "trees", "version": str(number)})
    pushed("push", "-q", "origin", "main")
    pushed("fetch", "-q", "origin")
    return pushed


@pytest.fixture
def stranger(three, folder, tmp_path):
    """Somebody who pushes right into the repository in the folder."""
    path = folder(three("rev-parse", "HEAD"))
    Git(tmp_path)("clone", "-q", "--bare", str(path), "stranger")
    return Stranger(tmp_path / "stranger", str(path))


def joined(clone, theirs, document=None):
    """Commit a merge of what is there with what we have: theirs is the first parent."""
    clone("fetch", "-q", "origin", "+main:refs/remotes/origin/main")
    assert clone("rev-parse", "origin/main") == theirs
    ours = clone("rev-parse", "HEAD")
    (clone.folder / "datapackage.json").write_text(json.dumps(document or {"name": "joined"}))
    clone("add", "--all")
    sha = clone("commit-tree", clone("write-tree"), "-p", theirs, "-p", ours, "-m", "Joined")
    clone("reset", "-q", "--hard", sha)
    return sha


def test_the_branch_was_rewound(service, client, at, three, stranger):
    before = revisions(client, at)
    stranger.push(before[2])
    waiting = commit(three, {"name": "waiting"})
    assert "somebody has moved the branch" in refusal(three)
    sha = joined(three, before[2])
    three("push", "-q", "origin", "main")
    assert revisions(client, at) == [sha, waiting, *before]
    assert client.fetch(*at).published
    assert three("ls-remote", "origin", "main").split()[0] == sha


def test_the_branch_was_moved_on(client, at, three, stranger, folder):
    before = revisions(client, at)
    theirs = stranger.edit(before[0], {"name": "theirs"})
    waiting = commit(three, {"name": "waiting"})
    assert "fetch first" in three.refused("push", "origin", "main")
    sha = joined(three, theirs)
    three("push", "-q", "origin", "main")
    found = revisions(client, at)
    assert (found[0], {*found[1:3]}, found[3:]) == (sha, {theirs, waiting}, before)
    assert client.fetch(*at, revision=theirs).document == {"name": "theirs"}
    assert client.fetch(*at).published
    Git(folder(sha))("fsck", "--strict")


def test_the_branch_was_replaced(client, at, three, stranger):
    before = revisions(client, at)
    theirs = stranger.edit(before[2], {"name": "theirs"})
    sha = joined(three, theirs)
    three("push", "-q", "origin", "main")
    assert revisions(client, at) == [sha, theirs, *before]
    assert client.fetch(*at).published


def test_what_somebody_did_is_built_upon(client, at, three, stranger):
    before = revisions(client, at)
    theirs = stranger.edit(before[0], {"name": "theirs"})
    three("pull", "-q", "origin", "main")
    sha = commit(three, {"name": "ours"})
    three("push", "-q", "origin", "main")
    assert revisions(client, at) == [sha, theirs, *before]
    assert client.fetch(*at).published


STRANGE = ["no-document", "no-json", "folder", "link", "large", "odd-text", "many-parents", "too-large"]


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("joins", [True, False], ids=["joined", "built-upon"])
def test_strange_commits_in_the_folder_do_no_harm(client, at, three, stranger, kind, joins):
    before = revisions(client, at)
    theirs = strange(stranger, before[0], kind)
    stranger.push(theirs)
    if joins:
        waiting = [commit(three, {"name": "waiting"})]
        sha = joined(three, theirs)
    else:
        three("fetch", "-q", "origin", "+main:refs/remotes/origin/main")
        waiting = []
        tree = three("rev-parse", "main^{tree}")
        sha = three("commit-tree", tree, "-p", theirs, "-m", "Ours again")
    three("push", "-q", "origin", f"{sha}:main")
    found = revisions(client, at)
    assert (found[0], found[-3:]) == (sha, before)
    assert {*waiting} < {*found}
    assert client.fetch(*at).published
    assert (theirs in found) == (kind in ("no-document", "odd-text", "many-parents"))
    for revision in client.revision_list(*at):
        assert client.diff(*at, revision.id) is not None
    after = commit(three, {"name": "after"}) if joins else None
    if after:
        three("push", "-q", "origin", "main")
        assert revisions(client, at)[0] == after


def strange(stranger, parent, kind):
    blob, plain = stranger.blob(b"{}"), stranger.blob(canonical_json(DOCUMENT))
    tree = stranger.tree(f"100644 blob {plain}\tdatapackage.json")
    inner = stranger.tree(f"100644 blob {blob}\tx")
    entries = {
        "no-document": f"100644 blob {blob}\tother",
        "no-json": f"100644 blob {stranger.blob(b'no JSON')}\tdatapackage.json",
        "folder": f"040000 tree {inner}\tdatapackage.json",
        "link": f"120000 blob {blob}\tdatapackage.json",
    }
    if kind in entries:
        return stranger.commit(stranger.tree(entries[kind]), parent)
    if kind == "large":
        return stranger.commit(stranger.tree(f"100644 blob {stranger.blob(b' ' * 2**21)}\tdatapackage.json"), parent)
    if kind == "many-parents":
        return stranger.commit(tree, *(stranger.commit(tree, parent, message=str(number)) for number in range(50)))
    identity = "\u202e\x07" + "x" * 5_000 + " <e e> 99999999999 +0000"
    message = "y" * (2 * 2**20 if kind == "too-large" else 20_000)
    head = f"tree {tree}\nparent {parent}\nauthor {identity}\ncommitter {identity}\nencoding utf-7\n\n"
    return stranger.raw("commit", (head + message).encode())


def test_a_backup_was_restored(client, at, three, folder, tmp_path):
    """What the folder has lost comes back with the push."""
    before = revisions(client, at)
    path = folder(before[0])
    Git(tmp_path)("clone", "-q", "--bare", "--single-branch", str(path), "backup")
    backup = Git(tmp_path / "backup")
    backup("update-ref", "refs/heads/main", before[2])
    backup("remote", "remove", "origin")
    backup("reflog", "expire", "--expire=now", "--all")
    backup("gc", "-q", "--prune=now")
    backup.refused("cat-file", "-e", before[0])
    path.rename(tmp_path / "lost")
    backup.folder.rename(path)
    sha = joined(three, before[2])
    three("push", "-q", "origin", "main")
    assert revisions(client, at) == [sha, *before]
    assert client.fetch(*at, revision=before[1]).document == {"name": "trees", "version": "2"}
    assert client.fetch(*at).published
    Git(path)("fsck", "--strict")


def test_of_an_ordinary_dataset_what_is_strange_is_not_taken(service, client, folder, tmp_path):
    first = client.create("parks", DOCUMENT, name="ordinary").revision_id
    git = Git(tmp_path)
    git("clone", "-q", service.repository("ordinary", service.token()), "clone")
    clone = Git(tmp_path / "clone")
    git("clone", "-q", "--bare", str(folder(first)), "stranger")
    stranger = Stranger(tmp_path / "stranger", str(folder(first)))
    stranger.push(strange(stranger, first, "no-document"))
    clone("pull", "-q")
    commit(clone, {**DOCUMENT, "title": "Back"})
    assert "datapackage.json: it is missing" in refusal(clone)
    assert [each.id for each in client.revision_list("parks", "ordinary")] == [first]


def test_where_the_index_cannot_be_written_a_push_can_be_sent_again(service, client, at, clone, monkeypatch):
    writer = sqlite3.connect(service.folder / "index.sqlite", isolation_level=None)
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.1)  # for the threads that are still to come
    writer.execute("BEGIN IMMEDIATE")
    assert refusal(clone) == "internal error: the store does not answer now; try again"
    writer.execute("ROLLBACK")
    writer.close()
    clone("push", "-q", "origin", "main")
    assert revisions(client, at) == clone("rev-list", "main").split()
