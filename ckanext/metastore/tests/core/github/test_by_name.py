"""Without a registry, a repository is found by its name; and is not for that a package's."""

from __future__ import annotations

import pytest

from ckanext.metastore.core.errors import Conflict, NotFound, Unavailable
from ckanext.metastore.core.names import repository_name
from ckanext.metastore.testing.contract.base import ADA, DOCUMENT, OTHER, PACKAGE, titled
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import Fault

from .conftest import address, commit, history, refs


def test_by_name_somebody_elses_repository_is_left_alone(github, client, node, work, token, tmp_path):
    """A package whose id is, by chance, the name of the city's web site."""
    client.get_organization("city").create_repo("website")
    commit(work)
    git("push", address(github, "city/website", token), "HEAD:main", cwd=work)
    before = refs(github, "city/website")
    backend = node()
    for call in (
        lambda: backend.create("website", document=DOCUMENT, author=ADA),
        lambda: backend.fetch("website"),
        lambda: backend.rename("website", new_id="other"),
        lambda: backend.purge("website"),
        lambda: node(purge="archive").purge("website"),
    ):
        with pytest.raises(Conflict):
            call()
    assert refs(github, "city/website") == before
    assert not github.repository("city/website").archived


@pytest.mark.parametrize("description", ["", "A web site"])
def test_by_name_somebody_elses_empty_repository_too(github, client, node, description):
    client.get_organization("city").create_repo("website", description=description)
    with pytest.raises(Conflict):
        node().create("website", document=DOCUMENT, author=ADA)
    with pytest.raises(Conflict):
        node().purge("website")
    assert refs(github, "city/website") == ""


@pytest.mark.parametrize("fault", [Fault.lost_answer, Fault.server_error])
def test_by_name_creating_fails_and_then_works(github, node, fault):
    github.fail(fault(method="POST"))
    with pytest.raises(Unavailable):
        node().create(PACKAGE, document=DOCUMENT, author=ADA)
    package = node().create(PACKAGE, document=DOCUMENT, author=ADA)
    assert history(github, f"city/{PACKAGE}") == [package.revision.id]


@pytest.mark.parametrize("fault", [Fault.lost_answer, Fault.server_error])
@pytest.mark.parametrize("name", ["node", "other"])
def test_by_name_renaming_fails_and_then_works(github, node, fault, name):
    first = node().create(PACKAGE, document=DOCUMENT, author=ADA).revision
    github.fail(fault(method="PATCH"))
    with pytest.raises(Unavailable):
        node().rename(PACKAGE, new_id=OTHER)
    node(name).rename(PACKAGE, new_id=OTHER)
    assert node("third").fetch(OTHER).revision.id == first.id
    assert github.repository(f"city/{OTHER}").name == OTHER


def test_by_name_what_is_not_there_has_no_other_id(node):
    with pytest.raises(NotFound):
        node().rename(PACKAGE, new_id=OTHER)


def test_odd_ids_have_names_of_their_own(github, node):
    ids = ["ä" * 200, "ä" * 201, "A", "a.b", "../x", ".", "x" * 100, "x" * 101, "x" * 102, "x.git", "-x", "a b", "CON"]
    backend = node()
    made = {key: backend.create(key, document=titled(key), author=ADA).revision.id for key in ids}
    names = {repository_name(key).lower() for key in ids}
    assert len(names) == len(ids)
    assert all(len(name) <= 100 for name in names)
    other = node("other")
    assert {key: other.fetch(key).document["title"] for key in ids} == {key: key for key in ids}
    assert {key: other.fetch(key).revision.id for key in ids} == made
