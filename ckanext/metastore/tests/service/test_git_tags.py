"""Tags by push: on every dataset, annotated ones, all of a push or nothing."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx
import pytest

from ckanext.metastore.service.pushes import REF_LIMIT
from ckanext.metastore.tests.service.running import DOCUMENT, Git

NUMBERS = count()
BRANCH, TAGS = "ds:parks/*:read,update", "ds:parks/*:read,tag"


@pytest.fixture(scope="module")
def client(service):
    with service.client() as client:
        yield client


@pytest.fixture
def name(client):
    name = f"tagged-{next(NUMBERS)}"
    client.create("parks", DOCUMENT, name=name, message="First survey")
    return name


@pytest.fixture
def clone(service, name, tmp_path):
    Git(tmp_path)("clone", "-q", service.repository(name, service.token()), "clone")
    return Git(tmp_path / "clone")


def commit(clone, **changes):
    (clone.folder / "datapackage.json").write_text(json.dumps({**DOCUMENT, **changes}))
    clone("commit", "-qam", "A change")
    return clone("rev-parse", "HEAD")


def there(clone):
    """The refs at the service, peeled ones too."""
    lines = (line.split("\t") for line in clone("ls-remote", "origin").splitlines())
    return {ref: sha for sha, ref in lines if ref != "HEAD"}


def refusal(clone, *arguments):
    said = clone.refused("push", *arguments)
    lines = [line.removeprefix("remote: error: ").strip() for line in said.splitlines() if "remote: error:" in line]
    assert len(lines) == 1, said
    return lines[0]


def test_a_tag_alone(client, name, clone):
    clone("tag", "-a", "v1", "-m", "The first\n\nOf many.")
    clone("push", "-q", "origin", "v1")
    (tag,) = client.tag_list("parks", name)
    assert (tag.name, tag.revision_id, tag.description) == ("v1", clone("rev-parse", "HEAD"), "The first\n\nOf many.")
    assert (tag.author.name, tag.author.email) == ("Ravi Mehta", "ravi@example.org")
    assert there(clone)["refs/tags/v1"] == clone("rev-parse", "v1")
    assert client.fetch("parks", name, revision="v1").revision_id == tag.revision_id


def test_a_tag_with_the_branch(client, name, clone):
    head = commit(clone, title="Street trees")
    clone("tag", "-a", "v1", "-m", "x", "HEAD~1")
    clone("tag", "-a", "v2", "-m", "x")
    clone("push", "-q", "--atomic", "origin", "main", "v1", "v2")
    assert {tag.name: tag.revision_id for tag in client.tag_list("parks", name)} == {
        "v1": clone("rev-parse", "HEAD~1"),
        "v2": head,
    }
    assert client.fetch("parks", name).revision_id == head
    clone("fsck", "--strict")


def test_a_tag_is_replaced(client, name, clone):
    first = clone("rev-parse", "HEAD")
    client.tag_create("parks", name, "v1", description="By REST")
    clone("fetch", "-q", "--tags")
    head = commit(clone, title="Street trees")
    clone("tag", "-f", "-a", "v1", "-m", "By push")
    assert "already exists" in clone.refused("push", "origin", "main", "v1")
    assert client.tag_fetch("parks", name, "v1").revision_id == first
    clone("push", "-q", "--force", "origin", "main", "v1")
    tag = client.tag_fetch("parks", name, "v1")
    assert (tag.revision_id, tag.description) == (head, "By push")
    assert there(clone)["refs/tags/v1"] == clone("rev-parse", "v1")


def test_a_tag_is_taken_away(client, name, clone):
    client.tag_create("parks", name, "v1")
    client.tag_create("parks", name, "v2")
    clone("push", "-q", "origin", ":refs/tags/v1")
    assert [tag.name for tag in client.tag_list("parks", name)] == ["v2"]
    assert "refs/tags/v1" not in there(clone)


def test_a_pushed_tag_is_changed_by_rest(client, name, clone):
    clone("tag", "-a", "v1", "-m", "x")
    clone("push", "-q", "origin", "v1")
    client.tag_update("parks", name, "v1", new_name="v1.0", description="Better")
    clone("fetch", "-q", "--prune", "--prune-tags", "origin")
    assert clone("tag", "-n").split() == ["v1.0", "Better"]


def test_many_at_once(client, name, clone):
    for number in range(5):
        clone("tag", "-a", f"t{number}", "-m", "x")
    clone("push", "-q", "--tags")
    assert len(client.tag_list("parks", name)) == 5


# -- who may --------------------------------------------------------------------------------------------------------


def test_who_may_change_the_dataset_only_tags_nothing(service, client, name, clone):
    clone("tag", "-a", "v1", "-m", "x")
    head = commit(clone, title="Street trees")
    address = service.repository(name, service.token(BRANCH))
    for refs in (["v1"], ["main", "v1"]):
        assert refusal(clone, address, *refs).endswith("refs/tags/v1 needs the scope tag")
    assert client.tag_list("parks", name) == []
    clone("push", "-q", address, "main")
    assert client.fetch("parks", name).revision_id == head


def test_who_may_tag_only_changes_nothing(service, client, name, clone):
    first = clone("rev-parse", "HEAD")
    clone("tag", "-a", "v1", "-m", "x")
    commit(clone, title="Street trees")
    address = service.repository(name, service.token(TAGS))
    for refs in (["main"], ["main", "v1"]):
        assert refusal(clone, address, *refs).endswith("refs/heads/main needs the scope update")
    assert client.fetch("parks", name).revision_id == first
    assert client.tag_list("parks", name) == []
    clone("push", "-q", address, "v1")
    assert [tag.name for tag in client.tag_list("parks", name)] == ["v1"]


def test_what_is_private_is_not_tagged(client, name, clone):
    clone("tag", "-a", "v1", "-m", "x")
    client.patch("parks", name, {}, private=True)
    assert "remote: the dataset is private" in clone.refused("push", "origin", "v1")


def test_the_name_of_a_private_revision_is_taken(client, name, clone):
    hidden = client.patch("parks", name, {"title": "Hidden"}, private=True).revision_id
    client.tag_create("parks", name, "v1", revision=hidden)
    client.patch("parks", name, {"title": "Shown"}, private=False)
    clone("pull", "-q")
    clone("tag", "-a", "v1", "-m", "x")
    assert refusal(clone, "origin", "v1") == "there is a tag v1 already"
    assert client.tag_fetch("parks", name, "v1").revision_id == hidden


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.fixture
def unchanged(client, name, clone):
    """Whatever the test does, nothing of it stays."""
    client.tag_create("parks", name, "kept")
    before = there(clone)
    yield
    assert there(clone) == before
    assert [tag.name for tag in client.tag_list("parks", name)] == ["kept"]
    assert len(list(client.revision_list("parks", name))) == 1


def raw(clone, text, kind="tag"):
    """Make any object."""
    command = ["git", "hash-object", "-t", kind, "-w", "--stdin", "--literally"]
    done = subprocess.run(command, cwd=clone.folder, input=text, text=True, check=True, capture_output=True)
    return done.stdout.strip()


def test_a_tag_that_is_not_annotated(clone, unchanged):
    clone("tag", "v1")
    commit(clone, title="Street trees")
    assert "only annotated tags are taken" in refusal(clone, "origin", "main", "v1")


@pytest.mark.parametrize(
    ("ref", "reason"),
    [("a/b", "one path segment"), ("abcdef0", "a revision's id"), ("e\u0301", "form NFC"), ("\u00a0x", "no spaces")],
)
def test_a_name_that_no_tag_can_have(clone, unchanged, ref, reason):
    sha = raw(clone, f"object {clone('rev-parse', 'HEAD')}\ntype commit\ntag {ref}\ntagger R <r@x> 1 +0000\n\nx\n")
    assert reason in refusal(clone, "origin", f"{sha}:refs/tags/{ref}")


@pytest.mark.parametrize("ref", ["v9", "a/b", "../heads/main", "a b", "a..b", ""])
def test_a_tag_that_is_not_there_is_not_taken_away(service, clone, unchanged, name, ref):
    """Git's own programs ask for no such thing, and Git lets a hook see names that no ref can have."""
    line = f"{'0' * 40} {'0' * 40} refs/tags/{ref}\0report-status".encode()
    answer = httpx.post(
        f"{service.repository(name)}/git-receive-pack",
        content=b"%04x%s0000" % (len(line) + 4, line),
        headers={
            "Authorization": f"Bearer {service.token(TAGS)}",
            "Content-Type": "application/x-git-receive-pack-request",
        },
    )
    assert b"pre-receive hook declined" in answer.content, answer.content


def test_a_tag_that_calls_itself_otherwise(clone, unchanged):
    clone("tag", "-a", "v1", "-m", "x")
    assert refusal(clone, "origin", "refs/tags/v1:refs/tags/v2") == "tag v2: name: its object calls it v1"


def test_a_tag_of_something_else(clone, unchanged):
    clone("tag", "-a", "v1", "-m", "x", "HEAD^{tree}")
    assert "it names a tree, and no revision" in refusal(clone, "origin", "v1")


def test_a_tag_of_what_is_no_revision_here(clone, unchanged):
    clone("checkout", "-q", "--orphan", "other")
    clone("commit", "-qm", "From nothing")
    clone("tag", "-a", "v1", "-m", "x")
    assert refusal(clone, "origin", "v1").endswith("is no revision of this dataset")


def test_a_tag_of_a_private_revision(client, name, clone):
    hidden = client.patch("parks", name, {"title": "Hidden"}, private=True).revision_id
    client.patch("parks", name, {"title": "Shown"}, private=False)
    text = f"object {hidden}\ntype commit\ntag v1\ntagger R <r@example.org> 1 +0000\n\nx\n"
    sha = raw(clone, text)
    clone.refused("push", "origin", f"{sha}:refs/tags/v1")
    assert client.tag_list("parks", name) == []


def test_a_description_that_is_too_long(clone, unchanged):
    (clone.folder / "message").write_text("x" * 10_001)
    clone("tag", "-a", "v1", "-F", "message")
    assert "description: it has 10,001 characters" in refusal(clone, "origin", "v1")


def test_a_tag_that_is_large(clone, unchanged):
    (clone.folder / "message").write_text("x" * 100_000)
    clone("tag", "-a", "v1", "-F", "message")
    assert refusal(clone, "origin", "v1") == "a tag can have 65,536 bytes at most"


def test_too_many_refs(clone, unchanged):
    clone("tag", "-a", "v1", "-m", "x")
    refs = [f"refs/tags/v1:refs/tags/x{number}" for number in range(REF_LIMIT + 1)]
    assert refusal(clone, "origin", *refs) == "one push may change 500 refs at most; push fewer at a time"


def test_the_branch_is_refused_with_a_tag(client, name, clone, unchanged):
    clone("tag", "-a", "v1", "-m", "x")
    clone("commit", "-q", "--amend", "-m", "Rewritten")
    assert refusal(clone, "--force", "origin", "main", "v1").startswith("history only grows")


def test_of_all_who_replace_a_tag_at_once_one_wins(service, client, name, clone, tmp_path):
    client.tag_create("parks", name, "v1", description="Old")
    pushers = [Git(tmp_path / f"clone-{number}") for number in range(4)]
    for pusher in pushers:
        Git(tmp_path)("clone", "-q", service.repository(name, service.token()), pusher.folder.name)
        pusher("tag", "-f", "-a", "v1", "-m", pusher.folder.name)
    lease = f"--force-with-lease=refs/tags/v1:{there(clone)['refs/tags/v1']}"
    with ThreadPoolExecutor(len(pushers)) as pool:
        ends = list(pool.map(lambda pusher: pusher.tried("push", lease, "origin", "v1"), pushers))
    won = [pusher for pusher, end in zip(pushers, ends, strict=True) if end.returncode == 0]
    assert len(won) == 1, [end.stderr for end in ends]
    lost = [end.stderr for end in ends if end.returncode]
    assert all("cannot lock ref refs/tags/v1" in said or "stale info" in said for said in lost), lost
    assert client.tag_fetch("parks", name, "v1").description == won[0].folder.name
    assert there(clone)["refs/tags/v1"] == won[0]("rev-parse", "v1")
