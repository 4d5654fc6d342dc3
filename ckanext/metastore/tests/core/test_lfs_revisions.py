"""Git LFS in a history: pointers come and go with the resources, and ``git lfs`` itself finds all in order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ckanext.metastore.backends.git import GitBackend
from ckanext.metastore.core import Author, Invalid, Site
from ckanext.metastore.core.objects import TreeEntry, parse_tree, tree
from ckanext.metastore.core.record import record
from ckanext.metastore.core.types import Document, Head, RecordedRevision
from ckanext.metastore.testing.contract.base import ADA, PACKAGE
from ckanext.metastore.testing.git import check_integrity, git
from ckanext.metastore.tests.core.lfs_server import lfs_server
from ckanext.metastore.tests.core.test_file_names import ODD

SITE = Site(Author("data.example", "noreply@data.example"), lfs_url="https://lfs.example.org/portal/{id}")
OURS = [".gitattributes", ".lfsconfig", "README.md", "data", "datapackage.json"]
WITHOUT_DATA = [name for name in OURS if name != "data"]

LFS = {
    "filter.lfs.clean": "git-lfs clean -- %f",
    "filter.lfs.smudge": "git-lfs smudge -- %f",
    "filter.lfs.process": "git-lfs filter-process",
    "filter.lfs.required": "true",
}
"""What ``git lfs install`` sets."""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def file(path: str, content: bytes = b"trees") -> Document:
    """A resource with a certain SHA-256 and a size."""
    return {"title": "File", "path": path, "hash": f"sha256:{sha256(content)}", "bytes": len(content)}


def recorded(*resources: Any, head: RecordedRevision | Head | None = None, site: Site = SITE) -> RecordedRevision:
    head = head.head if isinstance(head, RecordedRevision) else head
    return record(PACKAGE, document={"resources": list(resources)}, author=ADA, head=head, site=site)


def root_of(revision: RecordedRevision) -> dict[str, TreeEntry]:
    return {entry.name: entry for entry in parse_tree(revision.tree)}


def types(revision: RecordedRevision) -> list[str]:
    return [item.type for item in revision.objects]


# -- what a revision adds ----------------------------------------------------------------------------------------------


def test_a_root():
    revision = recorded(file("a.csv"), file("b.csv", b"other"), {"path": "c.csv"})
    assert sorted(root_of(revision)) == OURS
    assert root_of(revision)["data"].mode == "40000"
    assert types(revision) == ["blob"] * 6 + ["tree", "tree", "commit"]
    seen: set[str] = set()
    for item in revision.objects:
        assert item.type != "tree" or {entry.sha for entry in parse_tree(item.data)} <= seen
        seen.add(item.sha)


def test_the_next_revision_leaves_out_what_is_there():
    first = recorded(file("a.csv"), file("b.csv", b"other"))
    same = recorded(file("a.csv"), file("b.csv", b"other"), {"path": "c.csv"}, head=first)
    assert types(same) == ["blob", "blob", "tree", "commit"]  # the document, the page
    changed = recorded(file("a.csv", b"new"), file("b.csv", b"other"), head=first)
    assert types(changed) == ["blob", "blob", "blob", "tree", "tree", "commit"]  # the document, both pointers


def test_equal_pointers_are_one_object():
    revision = recorded(*(file(f"{number}.csv") for number in range(9)))
    assert len(set(revision.objects)) == len(revision.objects) == 5 + 3


def test_a_resource_that_leaves_takes_its_pointer_along():
    first = recorded(file("a.csv"), file("b.csv", b"other"))
    second = recorded(file("b.csv", b"other"), head=first)
    assert second.objects[-3] == tree([TreeEntry("b.csv", first.objects[5].sha)])
    assert sorted(root_of(recorded({"path": "b.csv"}, head=second))) == WITHOUT_DATA
    deletion = record(PACKAGE, document=None, author=ADA, head=second.head, site=SITE)
    assert deletion.tree == b""


def test_whose_the_files_are():
    """Without a server they are other people's; with one they are ours."""
    theirs = [TreeEntry(".gitattributes", "1" * 40), TreeEntry(".lfsconfig", "2" * 40, "100755")]
    theirs += [TreeEntry("data", "3" * 40, "40000"), TreeEntry("CITATION.cff", "4" * 40)]
    head = Head("0" * 40, tree(theirs).data, 0)
    without = recorded(file("a.csv"), head=head, site=replace(SITE, lfs_url=""))
    assert set(theirs) <= set(parse_tree(without.tree))
    assert types(without) == ["blob", "blob", "tree", "commit"]
    ours = recorded(file("a.csv"), head=head)
    assert set(theirs) & set(parse_tree(ours.tree)) == {theirs[-1]}
    none = recorded(head=head)
    assert sorted(root_of(none)) == sorted([*WITHOUT_DATA, "CITATION.cff"])
    later = recorded(head=ours, site=replace(SITE, lfs_url=""))
    assert root_of(later)["data"] == root_of(ours)["data"]


def test_a_wrong_address_is_not_recorded():
    with pytest.raises(Invalid, match="lfs_url"):
        recorded(file("a.csv"), site=replace(SITE, lfs_url="https://me:secret@lfs.example.org"))


def test_shas_that_never_change():
    first = recorded(file("https://data.example/Stra%C3%9Fe #1.csv"), file("b.tar.gz"), file("B.tar.gz", b""))
    assert root_of(first)["data"].sha == "3dbee2c764b86fd1ae1eb5337b6157a21256866b"
    assert tree(parse_tree(first.tree)).sha == "ced8b51837d1689328a215d96944466d436e368b"


# -- what git lfs makes of it ------------------------------------------------------------------------------------------


@pytest.fixture
def backend(root):
    return GitBackend(root, site=SITE)


@pytest.fixture
def clone(backend, tmp_path) -> Callable[..., Path]:
    """A function that clones the package as somebody with ``git lfs`` does, and gives the place."""

    def clone(**env: str) -> Path:
        place = tmp_path / "clone"
        options = (part for item in LFS.items() for part in ("--config", "=".join(item)))
        git("clone", "--quiet", *options, str(backend.repository_path(PACKAGE)), str(place), env=env)
        return place

    return clone


def listed(place: Path, *options: str) -> list[str]:
    """The digests that ``git lfs ls-files`` lists."""
    return [line[:64] for line in git("lfs", "ls-files", "--long", *options, cwd=place).splitlines()]


def test_git_lfs_agrees(backend, clone):
    """Odd names, an empty file, two on one path, one without a digest; then some leave."""
    odd = [f"https://data.example/{quote(text, errors='replace')}" for text in ODD]
    resources = [file(path, ascii(number).encode()) for number, path in enumerate([*odd, "#1.csv", "#1.csv"])]
    others = [{"path": "no-digest.csv"}, file("empty.csv", b"")]
    backend.create(PACKAGE, document={"resources": [*resources, *others]}, author=ADA)
    backend.update(PACKAGE, document={"resources": [*resources[5:], *others]}, author=ADA)
    place = clone(GIT_LFS_SKIP_SMUDGE="1")
    digests = [resource["hash"].removeprefix("sha256:") for resource in resources]
    assert sorted(listed(place)) == sorted(digests[5:])
    assert sorted(listed(place, "--all")) == sorted(digests)
    assert git("lfs", "fsck", "--pointers", "HEAD~1", cwd=place).strip() == "Git LFS fsck OK"
    assert git("lfs", "fsck", "--pointers", cwd=place).strip() == "Git LFS fsck OK"
    assert git("status", "--porcelain", cwd=place) == ""
    assert sorted(path.name for path in (place / "data").iterdir() if path.read_bytes() == b"") == ["empty.csv"]
    check_integrity(place)


def test_git_takes_every_name_for_a_file_of_lfs(backend, clone):
    backend.create(PACKAGE, document={"resources": [{**file(name), "title": ""} for name in ODD]}, author=ADA)
    place = clone(GIT_LFS_SKIP_SMUDGE="1")
    paths = git("ls-files", "-z", cwd=place).split("\0")[:-1]
    attributes = git("check-attr", "-z", "--stdin", "filter", cwd=place, stdin="\0".join(paths).encode()).split("\0")
    found = dict(zip(attributes[::3], attributes[2::3], strict=False))
    assert len(paths) == len(ODD) + 4
    assert all((found[path] == "lfs") == path.startswith("data/") for path in paths)


def test_a_clone_has_the_files(backend, root, clone):
    contents = {"Bäume #1.csv": b"trees", "a b.csv": b"other", "empty.csv": b""}
    resources = [file(name, content) for name, content in contents.items()]
    with lfs_server(f"portal/{PACKAGE}", *contents.values()) as server:
        site = replace(SITE, lfs_url=f"{server.address}/portal/{{id}}")
        GitBackend(root, site=site).create(PACKAGE, document={"resources": resources}, author=ADA)
        place = clone()
        git("lfs", "fsck", cwd=place)
    assert {path.name: path.read_bytes() for path in (place / "data").iterdir()} == contents
    assert git("status", "--porcelain", cwd=place) == ""


def test_a_clone_finds_what_ckanext_blob_storage_has_stored(backend, root, clone):
    resource = {**file("trees.csv"), "ckan": {"lfs_prefix": "city/street-trees"}}
    with lfs_server("city/street-trees", b"trees") as server:
        site = replace(SITE, lfs_url=f"{server.address}/{{prefix}}")
        GitBackend(root, site=site).create(PACKAGE, document={"resources": [resource]}, author=ADA)
        assert (clone() / "data/trees.csv").read_bytes() == b"trees"


def test_a_private_revision_leaves_no_pointer_behind(backend, public, private):
    first = backend.record(PACKAGE, document={"resources": [file("a.csv")]}, author=ADA)
    document = {"resources": [file("secret.csv", b"secret")]}
    second = backend.record(PACKAGE, document=document, author=ADA, public=False, head=first.head)
    backend.publish(PACKAGE, revisions=[first, second])
    assert sha256(b"secret").encode() in backend.load(PACKAGE, sha=second.sha, public=False, path="data/secret.csv")
    pointer = next(item.sha for item in second.objects if b"size 6" in item.data[-8:])
    assert git("cat-file", "-t", pointer, cwd=private).strip() == "blob"
    with pytest.raises(AssertionError):
        git("cat-file", "-t", pointer, cwd=public)
    check_integrity(public)
    check_integrity(private)
