"""Names of tags, branches, revisions and repositories."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ckanext.metastore.core import InvalidName
from ckanext.metastore.core.names import (
    check_branch,
    check_tag_name,
    is_abbreviation,
    is_full_sha,
    repository_name,
)
from ckanext.metastore.testing.contract.input import BAD_TAG_NAMES


def git_takes(ref: str) -> bool:
    return subprocess.run(["git", "check-ref-format", ref], check=False).returncode == 0


@pytest.mark.parametrize(
    "name", ["v1.0", "1.0", "2026-spring", "Frühling", "春", "a@b", "x" * 200, "@a", "a-", "(1)", "abcdef"]
)
def test_tag_names(name):
    assert check_tag_name(name) == name
    assert git_takes(f"refs/tags/{name}")


@pytest.mark.parametrize("name", BAD_TAG_NAMES)
def test_bad_tag_names(name):
    with pytest.raises(InvalidName) as error:
        check_tag_name(name)
    assert error.value.field == "name"
    assert error.value.reason


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12))
@example("@")
@example("a.lock")
def test_git_takes_every_name_that_we_take(name):
    try:
        taken = check_tag_name(name)
    except InvalidName:
        return
    assert git_takes(f"refs/tags/{taken}")
    assert check_tag_name(taken) == taken


def test_two_spellings_are_one_name():
    assert check_tag_name("Fru\u0308hling") == "Fr\u00fchling"


@pytest.mark.parametrize("branch", ["main", "feature/x", "Ä", "a/@"])
def test_branches(branch):
    assert check_branch(branch) == branch
    assert git_takes(f"refs/heads/{branch}")


@pytest.mark.parametrize(
    "branch", ["", "HEAD", "/a", "a/", "a//b", "a/.b", "a.lock/b", "a b", "-a", "a..b", "@", "a:b", None, "a/b."]
)
def test_bad_branches(branch):
    with pytest.raises(InvalidName) as error:
        check_branch(branch)
    assert error.value.field == "branch"


def test_shas():
    assert is_full_sha("0123456789abcdef" * 2 + "01234567")
    assert not is_full_sha("0123456789ABCDEF" * 2 + "01234567")
    assert not is_full_sha("0" * 39)
    assert not is_full_sha("0" * 40 + "\n")
    assert is_abbreviation("abcdef0")
    assert is_abbreviation("ABCDEF0")
    assert not is_abbreviation("abcdef")
    assert not is_abbreviation("0" * 41)
    assert not is_abbreviation("abcdefg")
    assert not is_abbreviation("٠١٢٣٤٥٦")


@pytest.mark.parametrize("package_id", ["6f1c2d3e-4a5b-4c6d-8e7f-901234567890", "street-trees", "a_b", "a" * 100, "00"])
def test_ids_that_stand_as_they_are(package_id):
    assert repository_name(package_id) == package_id


@pytest.mark.parametrize(
    "package_id",
    [
        "..",
        "../../etc",
        "a/b",
        "A" * 3,
        "a",
        "Ä",
        " ",
        "-x",
        "_x",
        ".git",
        "a.git",
        "a" * 101,
        "ab\n",
        "a\0b",
        "\ud800",
    ],
)
def test_ids_that_become_a_hash(package_id):
    name = repository_name(package_id)
    assert len(name) == 65
    assert name.startswith("_")
    assert name[1:].isalnum()
    assert name == repository_name(package_id)


@given(st.lists(st.text(st.characters(), min_size=1), unique=True, max_size=20))
def test_no_two_ids_share_a_name(package_ids):
    assert len({repository_name(package_id) for package_id in package_ids}) == len(package_ids)


@pytest.mark.parametrize("package_id", ["", None, 1, b"x", ["x"]])
def test_ids_that_are_none(package_id):
    with pytest.raises(InvalidName) as error:
        repository_name(package_id)
    assert error.value.field == "package_id"
