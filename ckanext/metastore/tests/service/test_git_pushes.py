"""What cannot be pushed: it is refused with a reason, and nothing of it stays."""

from __future__ import annotations

import fcntl
import json
import socket
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from urllib.parse import urlsplit

import httpx
import pytest

from ckanext.metastore.service.growth import REVISION_LIMIT
from ckanext.metastore.tests.service.running import DOCUMENT, Git, running

DATASET = ("parks", "trees")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service") / "store", limits_body=100_000, limits_push=1_000_000) as running_:
        yield running_


@pytest.fixture(scope="module")
def client(service):
    with service.client() as client:
        client.create("parks", DOCUMENT, name="trees")
        yield client


@pytest.fixture(scope="module")
def address(service, client):
    return service.repository("trees", service.token())


@pytest.fixture
def clone(address, tmp_path):
    Git(tmp_path)("clone", "-q", address, "clone")
    return Git(tmp_path / "clone")


@pytest.fixture
def unchanged(service, client, clone):
    """Whatever the test does, the dataset stays as it was, and what was pushed is gone."""
    before = clone("ls-remote", "origin"), list(client.revision_list(*DATASET))
    yield
    assert (clone("ls-remote", "origin"), list(client.revision_list(*DATASET))) == before
    assert list((service.folder / "incoming").iterdir()) == []
    (repository,) = (service.folder / "repositories").glob("*/*.git")
    Git(repository)("fsck", "--strict")


def commit(clone, document, *, path="datapackage.json"):
    (clone.folder / path).write_text(document if isinstance(document, str) else json.dumps(document))
    clone("add", "--all")
    clone("commit", "-qm", "A change")


def refusal(clone, *arguments):
    """What Git shows of the reason."""
    said = clone.refused("push", *(arguments or ("origin", "HEAD:main")))
    lines = [line.removeprefix("remote: error: ").strip() for line in said.splitlines() if "remote: error:" in line]
    assert len(lines) == 1, said
    return lines[0]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("no JSON", "datapackage.json: the body is no JSON"),
        ("[]", "is no valid Data Package: /: [] is not of type 'object'"),
        ({**DOCUMENT, "resources": []}, "it is no valid Data Package: /resources: "),
        ({**DOCUMENT, "resources": [{"name": "trees"}]}, "it is no valid Data Package: /resources/0: "),
        ({key: value for key, value in DOCUMENT.items() if key != "$schema"}, "it is of version 1 of the standard"),
        ('{"name": "trees", "name": "twice"}', "an object has a key twice"),
        ({**DOCUMENT, "x": "." * 100_000}, "at most 100,000 are allowed"),
        ('{"x": ' * 40 + "1" + "}" * 40, "more than 32 levels"),
        ({**DOCUMENT, "title": "\x1b[31mred\x07", "resources": 1}, "it is no valid Data Package: /resources: "),
    ],
    ids=["no-json", "array", "no-resources", "no-path", "version-1", "twice", "large", "deep", "escapes"],
)
def test_a_document_that_is_not_valid(clone, unchanged, document, reason):
    commit(clone, document)
    said = refusal(clone)
    assert said.startswith(f"revision {clone('rev-parse', 'HEAD')[:12]}: datapackage.json: ")
    assert reason in said
    assert "\x1b" not in said


def test_each_revision_must_be_valid(clone, unchanged):
    good = (clone.folder / "datapackage.json").read_text()
    commit(clone, "no JSON")
    commit(clone, good)
    assert refusal(clone).startswith(f"revision {clone('rev-parse', 'HEAD~1')[:12]}: ")


def test_no_document(clone, unchanged):
    clone("rm", "-q", "datapackage.json")
    clone("commit", "-qm", "Gone")
    assert refusal(clone).endswith("datapackage.json: it is missing; to delete the dataset, send DELETE")


def test_a_document_that_is_a_link(clone, unchanged):
    (clone.folder / "datapackage.json").rename(clone.folder / "other.json")
    (clone.folder / "datapackage.json").symlink_to("other.json")
    clone("add", "--all")
    clone("commit", "-qm", "A link")
    assert refusal(clone).endswith("datapackage.json: it must be a regular file")


def test_another_branch(clone, unchanged):
    assert refusal(clone, "origin", "HEAD:other") == "only the branch main and tags can be pushed, not refs/heads/other"


def test_the_branch_and_another_one(clone, unchanged):
    commit(clone, {**DOCUMENT, "title": "Two"})
    assert refusal(clone, "origin", "HEAD:main", "HEAD:refs/notes/x").startswith(
        "only the branch main and tags can be pushed"
    )


def test_the_end_of_the_branch(clone, unchanged):
    assert refusal(clone, "origin", ":main") == "the branch main stays; to delete the dataset, send DELETE"


def test_another_history(clone, unchanged):
    clone("checkout", "-q", "--orphan", "other")
    clone("commit", "-qm", "From nothing")
    assert refusal(clone, "--force", "origin", "HEAD:main").startswith("history only grows")


def test_an_older_revision(client, clone, unchanged):
    clone("commit", "-q", "--amend", "-m", "Rewritten")
    assert refusal(clone, "--force", "origin", "HEAD:main").startswith("history only grows")


def test_a_message_that_is_too_long(clone, unchanged):
    (clone.folder / "message").write_text("x" * 10_001)
    clone("commit", "-q", "--allow-empty", "-F", "message")
    assert "message: it has 10,001 characters" in refusal(clone)


def test_too_many_commits(clone, unchanged):
    stream = "".join(
        f"commit refs/heads/main\ncommitter R <r@example.org> {1_700_000_000 + number} +0000\ndata 1\nx\n"
        + ("from refs/heads/main^0\n" if number == 0 else "")
        for number in range(REVISION_LIMIT + 1)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=clone.folder, input=stream, text=True, check=True)
    assert refusal(clone) == "one push may bring 1,000 commits at most; push fewer at a time"


def test_a_small_pack_that_holds_much(clone, unchanged):
    with (clone.folder / "zeros").open("wb") as file:
        file.truncate(70 * 1024 * 1024)
    clone("add", "--all")
    clone("commit", "-qm", "Zeros")
    assert "has more than 67,108,864 bytes when it is unpacked" in refusal(clone)


def test_many_commits_of_one_large_tree(clone, unchanged):
    """It is in the pack once, and would be in the index once for each of them."""
    for number in range(10_000):
        (clone.folder / f"{number:0200}").write_bytes(b"")
    clone("add", "--all")
    for number in range(40):
        clone("commit", "-q", "--allow-empty", "-m", f"{number}")
    assert "has more than 67,108,864 bytes when it is unpacked" in refusal(clone)


def test_a_large_pack(service, clone, unchanged):
    (clone.folder / "noise").write_bytes(b"".join(n.to_bytes(4, "big") for n in range(300_000)))
    clone("add", "--all")
    clone("commit", "-qm", "Noise")
    said = clone.refused("-c", "core.compression=0", "push", "origin", "HEAD:main")
    assert "HTTP 413" in said


def test_objects_that_git_takes_for_broken(clone, unchanged):
    tree = clone("rev-parse", "HEAD^{tree}")
    raw = f"tree {tree}\nparent {clone('rev-parse', 'HEAD')}\nauthor R <r@example.org> 0 +0000\ncommitter nobody\n\nx\n"
    written = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
        cwd=clone.folder, input=raw, text=True, check=True, capture_output=True,
    )  # fmt: skip
    said = clone.refused("push", "origin", f"{written.stdout.strip()}:refs/heads/main")
    assert "unpacker error" in said or "index-pack" in said, said


def test_a_body_that_is_no_push(service, address, clone, unchanged):
    bare, token = service.repository("trees"), service.token()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-git-receive-pack-request"}
    for body in (b"", b"0000", b"no pkt-line", b"00000000"):
        answer = httpx.post(f"{bare}/git-receive-pack", content=body, headers=headers)
        assert answer.status_code < 500 or answer.status_code == 503, (body, answer.text)


def test_who_goes_away_in_the_middle(service, clone, unchanged):
    to = urlsplit(service.address)
    head = (
        f"POST /parks/trees.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.token()}\r\n"
        "Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 1000\r\n\r\n0000"
    )
    with socket.create_connection((to.hostname, to.port)) as connection:
        connection.sendall(head.encode())


@pytest.fixture
def hurried(tmp_path):
    """A service whose Git child is killed after a second; a dataset, and a clone of it."""
    with running(tmp_path / "hurried", serve_timeout=1) as service, service.client() as client:
        client.create("parks", DOCUMENT, name="trees")
        Git(tmp_path)("clone", "-q", service.repository("trees", service.token()), "clone")
        clone = Git(tmp_path / "clone")
        commit(clone, {**DOCUMENT, "title": "Pushed"})
        yield service, client, clone


def test_publishing_may_take_longer_than_git(hurried):
    service, client, clone = hurried
    (lock,) = (service.folder / "repositories").glob("*/.lock")
    with lock.open() as file, ThreadPoolExecutor(1) as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        push = pool.submit(clone, "push", "-q", "origin", "HEAD:main")
        while client.fetch(*DATASET).document.get("title") != "Pushed":
            assert not push.done()
            time.sleep(0.01)
        assert wait([push], timeout=3).not_done
        fcntl.flock(file, fcntl.LOCK_UN)
        push.result(timeout=30)
    (repository,) = (service.folder / "repositories").glob("*/*.git")
    assert Git(repository)("rev-parse", "main") == clone("rev-parse", "HEAD")


def test_a_push_that_is_cut_off_ends_for_the_client_too(hurried):
    service, _, clone = hurried
    with closing(sqlite3.connect(service.folder / "index.sqlite", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert "RPC failed" in clone.refused("push", "-q", "origin", "HEAD:main")
        writer.execute("ROLLBACK")
