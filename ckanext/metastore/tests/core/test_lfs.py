"""Git LFS: which resources get a pointer, under which name, and what the real programs make of it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given

from ckanext.metastore.core import Invalid
from ckanext.metastore.core.lfs import check_lfs_url, lfs_files
from ckanext.metastore.core.types import Document
from ckanext.metastore.mapper import to_document
from ckanext.metastore.testing.contract.base import PACKAGE
from ckanext.metastore.testing.git import git
from ckanext.metastore.tests.strategies import datasets, documents

URL = "https://lfs.example.org/portal/{id}"
SHA = hashlib.sha256(b"trees").hexdigest()
EMPTY = hashlib.sha256(b"").hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA}\nsize 5\n".encode()


def of(*resources: Any, url: str = URL) -> dict[str, bytes]:
    """The files for a document with these resources."""
    return lfs_files({"resources": list(resources)}, url, PACKAGE)


def data(*resources: Any) -> dict[str, bytes]:
    """The pointers alone, by their names."""
    return {path[5:]: content for path, content in of(*resources).items() if path.startswith("data/")}


def ckan(**fields: Any) -> Document:
    """A resource of CKAN's, as its document has it."""
    dataset = {"resources": [{"url": "https://data.example/trees.csv", "name": "Trees", **fields}]}
    return to_document(dataset)["resources"][0]


def file(name: str = "trees.csv", content: bytes = b"trees") -> Document:
    return {"path": name, "hash": f"sha256:{hashlib.sha256(content).hexdigest()}", "bytes": len(content)}


# -- which resources ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "resource",
    [
        {"path": "trees.csv", "hash": f"sha256:{SHA}", "bytes": 5},
        {"path": "trees.csv", "hash": f"SHA256:{SHA.upper()}", "bytes": 5},
        {"path": "trees.csv", "sha256": SHA, "bytes": 5, "hash": "0" * 32},
        ckan(hash=f"sha256:{SHA}", size=5),
        ckan(hash=f"sha-256:{SHA}", size=5),
        ckan(hash=SHA, size=5),
        ckan(hash=f" {SHA.upper()}\n", size=" 5 "),
        ckan(sha256=SHA, size="5", lfs_prefix="city/street-trees", hash=""),
        ckan(sha256=SHA, size=5, hash="md5:" + "0" * 32),
        ckan(hash=SHA, size=5, bytes="unknown"),
    ],
)
def test_a_certain_sha256_and_a_size_make_a_pointer(resource):
    assert data(resource) == {"trees.csv": POINTER}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"size": 5},
        {"hash": SHA},
        {"hash": SHA, "size": -1},
        {"hash": SHA, "size": "-5"},
        {"hash": SHA, "size": "5.0"},
        {"hash": SHA, "size": "5 kB"},
        {"hash": SHA, "size": "٥"},
        {"hash": SHA, "size": 5.0},
        {"hash": SHA, "size": True},
        {"hash": SHA, "size": None},
        {"hash": SHA, "size": 2**63},
        {"hash": SHA, "size": "9" * 5000},
        {"hash": SHA, "size": 0},
        {"hash": EMPTY, "size": 5},
        {"hash": SHA[:32], "size": 5},
        {"hash": "md5:" + SHA, "size": 5},
        {"hash": "sha512:" + SHA * 2, "size": 5},
        {"hash": SHA + "0", "size": 5},
        {"hash": "sha256:" + SHA[:-1], "size": 5},
        {"hash": "g" * 64, "size": 5},
        {"hash": "０" * 64, "size": 5},
        {"hash": [SHA], "sha256": 7, "size": 5},
    ],
)
def test_what_is_not_certain_makes_none(fields):
    assert data(ckan(**fields)) == {}
    assert data({"path": "trees.csv", **fields, "bytes": fields.get("size")}) == {}


def test_an_empty_file_is_its_own_pointer():
    assert data(ckan(hash=EMPTY, size=0)) == {"trees.csv": b""}


# -- under which name --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://data.example/a/Street%20trees%20%231.csv?x=/y#/z", "Street trees #1.csv"),
        ("https://data.example/b%C3%A4ume.csv", "bäume.csv"),
        ("https://data.example/%2E%2E%2Fetc%2Fpasswd", "_etc_passwd"),
        ("https://data.example/%00.csv", "csv"),
        ("https://data.example/export/", "export"),
        ("https://data.example/..", "Trees"),
        ("https://data.example?download=trees.csv", "Trees"),
        ("https://[broken/trees.csv", "trees.csv"),
        ("50% of #1?.csv", "50% of #1_.csv"),
        ("/etc/passwd", "passwd"),
        ("../../trees.csv", "trees.csv"),
        (r"C:\data\trees.csv", "trees.csv"),
        (".gitattributes", "gitattributes"),
        ("", "Trees"),
        (["https://data.example/part-1.csv", "https://data.example/part-2.csv"], "part-1.csv"),
        ([], "Trees"),
    ],
)
def test_a_file_is_named_after_its_address(address, name):
    resource = {"title": "Trees", "name": "trees", "hash": SHA, "bytes": 5}
    assert list(data({**resource, "path": address})) == [name]
    assert list(data({**resource, "ckan": {"url": address}})) == [name if isinstance(address, str) else "Trees"]


def test_a_resource_that_has_no_name_at_all():
    assert list(data({"hash": SHA, "bytes": 5}, {"hash": SHA, "bytes": 5, "id": "/"})) == ["file", "_"]


def test_two_resources_on_one_path():
    assert list(data(file(), file("b/Trees.csv"), file("trees.csv"))) == ["trees.csv", "Trees-2.csv", "trees-3.csv"]


def test_a_name_stays_when_another_resource_gets_its_pointer():
    before = data({"path": "trees.csv"}, file())
    assert before.items() <= data(file(), file()).items()
    assert list(before) == ["trees-2.csv"]


# -- the server's address ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "value"),
    [
        (URL, f"https://lfs.example.org/portal/{PACKAGE}"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://[::1]:9/lfs/", "https://[::1]:9/lfs"),
        ("https://lfs.example.org/a;b/{id}/{id}", f"https://lfs.example.org/a;b/{PACKAGE}/{PACKAGE}"),
        ("https://lfs.example.org/{prefix}", f"https://lfs.example.org/{PACKAGE}"),
        ("https://lfs.example.org/{owner_org}/a", f"https://lfs.example.org/{PACKAGE}/a"),
    ],
)
def test_git_reads_the_address(tmp_path, url, value):
    check_lfs_url(url)
    (tmp_path / "config").write_bytes(of(url=url)[".lfsconfig"])
    assert git("config", "--file", str(tmp_path / "config"), "--list", "-z") == f"lfs.url\n{value}\0"


@pytest.mark.parametrize("prefix", ["../other", "a/..", "/a", "a//b", "a b", "a?b", "a\n[x]", 'a"', "", ".", 7, None])
def test_only_a_path_is_a_prefix(prefix):
    url = "https://lfs.example.org/{prefix}"
    assert f"/{PACKAGE}\n".encode() in of(ckan(lfs_prefix=prefix), url=url)[".lfsconfig"]
    assert b"/city/a.b\n" in of(ckan(lfs_prefix=prefix), ckan(lfs_prefix="city/a.b"), url=url)[".lfsconfig"]


@pytest.mark.parametrize("owner_org", ["..", "/a", "a b", "a?b", "a\n[x]", 'a"', "", 7, None, ["parks"]])
def test_the_organization_is_part_of_the_address(owner_org):
    url = "https://lfs.example.org/{owner_org}/{id}.git/info/lfs"
    made = lfs_files({"ckan": {"owner_org": "parks"}}, url, PACKAGE)[".lfsconfig"]
    assert f"/parks/{PACKAGE}.git/info/lfs\n".encode() in made
    without = lfs_files({"owner_org": owner_org}, url, PACKAGE)[".lfsconfig"]
    assert f"/{PACKAGE}/{PACKAGE}.git/info/lfs\n".encode() in without


def test_any_id_is_one_segment():
    assert lfs_files({}, URL, 'a/../"\n;#')[".lfsconfig"].endswith(b"/portal/a%2F..%2F%22%0A%3B%23\n")


NO_ADDRESSES = ["", "lfs.example.org", "ssh://lfs.example.org/x", "file:///srv/lfs", "https://", "https:///x"]
NO_PATHS = ["/?a=b", "/#a", "/a b", '/"', "/\\", "/\n", "/ä", "/%", ":x/", "/{name}", "/{ID}", "/{", "{id}", "/{}"]


@pytest.mark.parametrize(
    "url",
    [
        *NO_ADDRESSES,
        *(f"https://lfs.example.org{path}" for path in NO_PATHS),
        "https://user:secret@lfs.example.org/x",
        "https://token@lfs.example.org",
    ],
)
def test_a_wrong_address(url):
    with pytest.raises(Invalid) as error:
        check_lfs_url(url)
    assert error.value.field == "lfs_url"
    assert "secret" not in str(error.value)
    assert "token" not in str(error.value)


@given(documents)
def test_any_document_has_its_files(document):
    made = lfs_files(document, URL, PACKAGE)
    assert {".gitattributes", ".lfsconfig"} <= set(made)


@given(datasets)
def test_any_dataset_has_its_files(dataset):
    document = to_document(dataset)
    assert lfs_files(document, URL, PACKAGE) == lfs_files(json.loads(json.dumps(document)), URL, PACKAGE)
