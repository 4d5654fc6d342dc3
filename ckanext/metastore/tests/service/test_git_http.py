"""Git over HTTP: who may clone and push what, with the real ``git``."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx
import pytest

from ckanext.metastore.core import Conflict
from ckanext.metastore.tests.service.running import DOCUMENT, Git, running

NUMBERS = count()


@pytest.fixture(scope="module")
def client(service):
    with service.client() as client:
        yield client


@pytest.fixture
def name(client):
    """A public dataset of the owner parks, with one revision."""
    name = f"trees-{next(NUMBERS)}"
    client.create("parks", DOCUMENT, name=name, message="First survey")
    return name


@pytest.fixture
def git(tmp_path):
    return Git(tmp_path)


@pytest.fixture
def clone(service, git, name):
    """A clone whose owner may push."""
    git("clone", "-q", service.repository(name, service.token()), "clone")
    return Git(git.folder / "clone")


def commit(clone, message="Another title", **changes):
    """Change the Data Package, and commit that."""
    file = clone.folder / "datapackage.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}, indent=2))
    clone("commit", "-qam", message)
    return clone("rev-parse", "HEAD")


# -- who may clone --------------------------------------------------------------------------------------------------


def test_a_clone_has_the_history_and_the_tags(service, client, name, git):
    client.patch("parks", name, {"title": "Street trees"}, message="Say what it is")
    client.tag_create("parks", name, "v1", description="The first version")
    git("clone", "-q", service.repository(name, service.token(f"ds:parks/{name}:read")), "clone")
    clone = Git(git.folder / "clone")
    assert clone("log", "--format=%s %an").splitlines() == ["Say what it is edda", "First survey edda"]
    assert clone("tag", "-n").split() == ["v1", "The", "first", "version"]
    assert json.loads((clone.folder / "datapackage.json").read_text())["title"] == "Street trees"
    clone("fsck", "--strict")


def test_a_token_can_be_a_bearer(service, name, git):
    header = f"http.extraHeader=Authorization: Bearer {service.token(f'ds:parks/{name}:read')}"
    git("-c", header, "clone", "-q", service.repository(name), "clone")
    assert Git(git.folder / "clone")("log", "--format=%s") == "First survey"


def test_a_fetch_brings_what_is_new(client, name, clone):
    client.patch("parks", name, {"title": "Street trees"}, message="Say what it is")
    clone("pull", "-q")
    assert clone("log", "-1", "--format=%s") == "Say what it is"


def test_without_a_token_git_is_asked_for_one(service, name, git):
    assert "could not read Username" in git.refused("clone", service.repository(name), "clone")
    answer = httpx.get(f"{service.repository(name)}/info/refs?service=git-upload-pack")
    assert (answer.status_code, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic")


@pytest.mark.parametrize("scope", ["ds:parks/other:read", "ds:parks/{name}:tag", "ds:other/{name}:read"])
def test_another_scope_does_not_open_it(service, name, git, scope):
    address = service.repository(name, service.token(scope.format(name=name)))
    assert "remote: this token does not allow that" in git.refused("clone", address, "clone")


def test_who_may_not_read_a_dataset_cannot_tell_whether_it_is_there(service, name, git):
    token = service.token("ds:parks/mine:read")
    there, not_there = (git.refused("clone", service.repository(each, token), "clone") for each in (name, "nowhere"))
    assert there.replace(name, "nowhere") == not_there


def test_who_may_is_told_that_it_is_not_there(service, git):
    said = git.refused("clone", service.repository("nowhere", service.token()), "clone")
    assert "remote: there is no dataset parks/nowhere" in said


@pytest.mark.parametrize("token", ["made.up.token", "x"])
def test_a_bad_token_opens_nothing(service, name, git, token):
    assert "remote: the token is not valid here" in git.refused("clone", service.repository(name, token), "clone")


def test_everybody_may_clone_what_is_public_where_that_is_configured(tmp_path, git):
    with running(tmp_path / "store", anonymous_read=True) as service, service.client() as client:
        client.create("parks", DOCUMENT, name="open")
        client.create("parks", DOCUMENT, name="shut", private=True)
        git("clone", "-q", service.repository("open"), "clone")
        assert "could not read Username" in git.refused("clone", service.repository("shut"), "other")
        client.patch("parks", "open", {}, private=True)
        assert "could not read Username" in git.refused("clone", service.repository("open"), "other")
        assert "could not read Username" in Git(git.folder / "clone").refused("push")


@pytest.mark.parametrize(
    "path",
    ["HEAD", "config", "objects/info/packs", "info/refs", "info/refs?service=git-upload-archive", "../../index.sqlite"],
)
def test_nothing_but_the_smart_protocol_is_served(service, name, path):
    headers = {"Authorization": f"Bearer {service.token()}"}
    answer = httpx.get(f"{service.repository(name)}/{path}", headers=headers)
    assert answer.status_code in (403, 404)
    assert b"ref:" not in answer.content


# -- what is private ------------------------------------------------------------------------------------------------


def test_what_was_never_public_cannot_be_cloned(service, client, git):
    client.create("parks", DOCUMENT, name="secret", private=True)
    said = git.refused("clone", service.repository("secret", service.token()), "clone")
    assert "remote: there is no repository parks/secret" in said


def test_of_what_is_private_now_the_public_revisions_can_be_cloned_and_no_others(service, client, name, git):
    hidden = client.patch("parks", name, {"title": "Hidden"}, private=True)
    git("clone", "-q", service.repository(name, service.token()), "clone")
    clone = Git(git.folder / "clone")
    assert clone("log", "--all", "--format=%s") == "First survey"
    for command in ("fetch", "-c protocol.version=0 fetch"):
        said = clone.refused(*command.split(), "origin", hidden.revision_id)
        assert "not our ref" in said or "Server does not allow request" in said


def test_what_is_private_is_not_pushed(client, name, clone):
    client.patch("parks", name, {}, private=True)
    commit(clone, title="Public")
    said = clone.refused("push", "origin", "HEAD")
    assert "remote: the dataset is private, and what is private is not pushed" in said
    assert client.fetch("parks", name).document == DOCUMENT


# -- a push ---------------------------------------------------------------------------------------------------------


def test_a_push_is_a_revision_like_any_other(service, client, name, clone):
    first = commit(clone, "Say what it is", title="Street trees")
    second = commit(clone, "Say it better", title="Trees of the city")
    clone("push", "-q")
    there = client.fetch("parks", name)
    assert (there.revision_id, there.document["title"], there.published) == (second, "Trees of the city", True)
    newest, middle, _ = client.revision_list("parks", name)
    assert [(each.id, each.message) for each in (newest, middle)] == [
        (second, "Say it better"),
        (first, "Say what it is"),
    ]
    assert (newest.author.name, newest.parents) == ("Ravi Mehta", (first,))
    assert client.fetch("parks", name, revision=first[:7]).document["title"] == "Street trees"
    assert [each.title for each in client.list(owner="parks") if each.name == name] == ["Trees of the city"]
    after = client.patch("parks", name, {"version": "2"}, message="Count")
    clone("pull", "-q")
    assert clone("rev-parse", "HEAD") == after.revision_id
    clone("fsck", "--strict")
    assert list((service.folder / "incoming").iterdir()) == []


def test_other_files_are_kept(client, name, clone):
    (clone.folder / "docs").mkdir()
    (clone.folder / "docs/CITATION.cff").write_text("cff-version: 1.2.0\n")
    clone("add", ".")
    clone("commit", "-qm", "How to cite it")
    clone("push", "-q")
    client.patch("parks", name, {"title": "Street trees"})
    clone("pull", "-q")
    assert (clone.folder / "docs/CITATION.cff").read_text() == "cff-version: 1.2.0\n"


def test_a_large_push_is_sent_in_pieces(client, name, clone):
    noise = "".join(chr(97 + (n * n * 7919 + n // 3) % 26) for n in range(1_500_000))
    commit(clone, description=noise)
    clone("-c", "core.compression=0", "push", "-q")
    assert client.fetch("parks", name).document["description"] == noise


def test_who_may_only_read_cannot_push(service, client, name, clone):
    commit(clone, title="Mine")
    address = service.repository(name, service.token(f"ds:parks/{name}:read,revert"))
    assert "remote: this token does not allow that" in clone.refused("push", address, "HEAD:main")
    assert client.fetch("parks", name).document == DOCUMENT


def test_a_merge_is_one_revision(client, name, clone):
    """What comes from the side belongs to it; the line is the one that goes on from the old head."""
    base = clone("rev-parse", "HEAD")
    clone("checkout", "-qb", "side")
    (clone.folder / "NEWS").write_text("New.\n")
    clone("add", ".")
    clone("commit", "-qm", "On the side")
    theirs = client.patch("parks", name, {"title": "Street trees"}, message="Meanwhile").revision_id
    clone("fetch", "-q")
    clone("merge", "-q", "--no-edit", "origin/main")
    merged = clone("rev-parse", "HEAD")
    clone("push", "-q", "origin", "HEAD:main")
    assert [revision.id for revision in client.revision_list("parks", name)] == [merged, theirs, base]
    assert client.revision_fetch("parks", name).parents == (clone("rev-parse", "HEAD^1"), theirs)
    clone("pull", "-q", "origin", "main")
    clone("fsck", "--strict")


def test_a_time_in_the_future_does_not_spoil_the_order(client, name, clone):
    commit(clone, title="In the future")
    clone("commit", "-q", "--amend", "--no-edit", GIT_COMMITTER_DATE="2099-01-01T00:00:00Z")
    clone("push", "-q")
    now = client.patch("parks", name, {"title": "Now"}).revision_id
    newest, pushed, _ = client.revision_list("parks", name)
    assert newest.id == now
    assert newest.timestamp >= pushed.timestamp
    assert newest.timestamp.year < 2099


def test_of_two_who_push_at_once_one_is_told_to_fetch(service, client, name, git, clone):
    git("clone", "-q", service.repository(name, service.token()), "other")
    other = Git(git.folder / "other")
    commit(clone, title="Mine")
    commit(other, title="Yours")
    clone("push", "-q")
    assert "fetch first" in other.refused("push", "-q")
    assert "remote: error: history only grows" in other.refused("push", "-q", "--force")
    assert client.fetch("parks", name).document["title"] == "Mine"


def test_of_all_who_push_at_once_one_wins_each_round(service, client, name, git):
    address = service.repository(name, service.token())
    pushers = [Git(git.folder / f"clone-{number}") for number in range(5)]
    for pusher in pushers:
        git("clone", "-q", address, pusher.folder.name)
    for number in range(3):
        for pusher in pushers:
            pusher("fetch", "-q")
            pusher("reset", "-q", "--hard", "origin/main")
            commit(pusher, title=f"{pusher.folder.name} {number}")
        with ThreadPoolExecutor(len(pushers)) as pool:
            ends = list(pool.map(lambda pusher: pusher.tried("push", "-q"), pushers))
        lost = [end.stderr for end in ends if end.returncode]
        assert len(lost) == len(pushers) - 1
        assert all("newer revision: fetch it" in said or "fetch first" in said or "only grows" in said for said in lost)
        assert len(list(client.revision_list("parks", name))) == number + 2


def test_a_push_and_a_request_guard_each_other(client, name, clone):
    seen = client.fetch("parks", name).revision_id
    commit(clone, title="Pushed")
    clone("push", "-q")
    with pytest.raises(Conflict) as raised:
        client.patch("parks", name, {"title": "Sent"}, base_revision=seen)
    assert raised.value.current
    assert raised.value.current.id == clone("rev-parse", "HEAD")


def test_a_deleted_dataset_takes_no_push(client, name, clone):
    commit(clone, title="Late")
    client.delete("parks", name)
    assert "remote: the dataset is deleted" in clone.refused("push", "-q")


def test_a_dataset_is_found_by_the_name_that_it_has_now(service, client, name, git):
    client.move("parks", name, new_name=f"{name}-2")
    git("clone", "-q", service.repository(f"{name}-2", service.token()), "clone")
    client.purge("parks", f"{name}-2")
    assert "remote: there is no dataset" in git.refused("clone", service.repository(name, service.token()), "other")


def test_a_pushed_readme_is_the_pushers_until_the_next_save_over_http(service, client, clone, name):
    written = (clone.folder / "README.md").read_text()
    head = commit(clone, title="Trees of the city")
    clone("push", "-q", "origin", "HEAD:main")
    assert client.revision_fetch("parks", name).id == head
    clone("fetch", "-q")
    assert clone("show", "origin/main:README.md") == written.strip()
    assert "Trees of the city" not in written
    client.patch("parks", name, {"version": "2"})
    clone("fetch", "-q")
    assert "Trees of the city" in clone("show", "origin/main:README.md")


def test_a_clock_that_is_behind_makes_no_other_history(client, clone, name):
    """Git's own walk gives up where five commits in a row are older than the one that it looks for."""
    for number in range(20):
        (clone.folder / "note.txt").write_text(str(number))
        clone("add", "note.txt")
        clone("commit", "-qm", str(number), GIT_COMMITTER_DATE="2020-01-01T00:00:00Z")
    clone("push", "-q", "origin", "HEAD:main")
    assert [revision.message for revision in client.revision_list("parks", name)][:2] == ["19", "18"]
