"""Which repository is whose, with a registry: how one comes, is hidden and shown, moves and goes. And without one."""

from __future__ import annotations

import pytest

from ckanext.metastore.core.errors import Conflict, MetastoreError, NotFound, Unauthorized, Unavailable
from ckanext.metastore.core.record import record_tag
from ckanext.metastore.core.types import Profile, TagUpdate
from ckanext.metastore.testing.contract.base import ADA, OTHER, PACKAGE, titled
from ckanext.metastore.testing.git import git
from ckanext.metastore.testing.github import Fault, Problem

from .conftest import HOME, PROFILE, address, asked, commit, history, refs


@pytest.fixture
def backend(node, registry):
    return node(registry=registry)


# -- a name that exists ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault.lost_answer, lambda **where: Fault(truncate=True, **where)])
def test_the_answer_to_creating_is_lost(github, publish, registry, fault):
    github.fail(fault(method="POST"))
    with pytest.raises(Unavailable):
        publish()
    assert registry.kept == {}
    number = github.repository("city/trees").id
    revision = publish()
    assert (registry.get(PACKAGE).id, history(github, "city/trees")) == (number, [revision.sha])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"homepage": "https://data.example/dataset/another"},
        {"homepage": f"{HOME}-and-another"},
        {"description": PACKAGE},
    ],
)
def test_an_empty_repository_of_somebody_else(github, client, publish, registry, settings):
    client.get_organization("city").create_repo("trees", **settings)
    with pytest.raises(Conflict, match="not this dataset's"):
        publish()
    there = github.repository("city/trees")
    assert (there.homepage, registry.kept, refs(github, "city/trees")) == (settings.get("homepage"), {}, "")


def test_a_repository_with_a_history_is_never_taken(github, client, publish, registry, work, token):
    client.get_organization("city").create_repo("trees", homepage=HOME)
    commit(work)
    git("push", address(github, "city/trees", token), "HEAD:main", cwd=work)
    before = refs(github, "city/trees")
    with pytest.raises(Conflict, match="not this dataset's"):
        publish()
    assert (registry.kept, refs(github, "city/trees")) == ({}, before)


def test_an_empty_one_of_ours_that_is_too_public_is_hidden_first(github, client, publish):
    client.get_organization("city").create_repo("trees", homepage=HOME)
    github.forget_requests()
    publish(public=False)
    assert github.repository("city/trees").private
    changed = asked(github).index(f"PATCH /repositories/{github.repository('city/trees').id}")
    assert changed < len(asked(github))
    assert [request.is_push for request in github.requests].index(True) > changed


def test_another_datasets_name(github, publish, registry):
    first = publish()
    with pytest.raises(Conflict, match="city has a repository trees already"):
        publish(OTHER, Profile("city", "trees", "Others", f"https://data.example/dataset/{OTHER}"))
    assert (list(registry.kept), history(github, "city/trees")) == ([PACKAGE], [first.sha])


# -- rename and transfer --------------------------------------------------------------------------------------------


def test_renamed_transferred_and_hidden_at_once(github, publish):
    github.add_organization("parks", members=["ada"])
    publish()
    number = github.repository("city/trees").id
    github.forget_requests()
    publish(profile=Profile("parks", "bushes", "Bushes", HOME, ("bush",)), public=False)
    repository = github.repository("parks/bushes")
    assert (repository.id, repository.private, repository.description) == (number, True, "Bushes")
    place = f"/repositories/{number}"
    assert asked(github) == [f"PATCH {place}", f"POST {place}/transfer", f"PATCH {place}", f"PUT {place}/topics"]
    assert len(history(github, "parks/bushes")) == 2


@pytest.mark.parametrize("fault", [Fault.lost_answer, Fault.server_error])
def test_a_transfer_whose_answer_is_lost(github, publish, fault, registry):
    github.add_organization("parks", members=["ada"])
    publish()
    github.fail(fault(path="/transfer"))
    moved = Profile("parks", "trees", "Trees", HOME)
    with pytest.raises(Unavailable):
        publish(profile=moved)
    # A GitHub that knows that it is done would not do it again.
    if fault is Fault.lost_answer:
        github.fail(Fault.refusal(422, "Repositories cannot be transferred to the original owner", path="/transfer"))
    revision = publish(profile=moved)
    assert history(github, "parks/trees")[0] == revision.sha
    assert registry.get(PACKAGE).profile == moved


def test_a_transfer_to_where_the_name_is_taken(github, client, publish, registry):
    github.add_organization("parks", members=["ada"])
    client.get_organization("parks").create_repo("trees")
    first = publish()
    with pytest.raises(MetastoreError) as failure:
        publish(profile=Profile("parks", "trees", "Trees", HOME))
    assert type(failure.value) is Conflict
    assert history(github, "city/trees") == [first.sha]
    assert refs(github, "parks/trees") == ""
    assert registry.get(PACKAGE).profile == PROFILE


def test_a_rename_to_a_name_that_is_taken(github, client, publish):
    client.get_organization("city").create_repo("bushes")
    first = publish()
    with pytest.raises(Conflict, match="city has a repository bushes already"):
        publish(profile=Profile("city", "bushes", "Trees", HOME))
    assert history(github, "city/trees") == [first.sha]
    assert refs(github, "city/bushes") == ""


def test_two_datasets_swap_their_names(github, publish, registry):
    others = f"https://data.example/dataset/{OTHER}"
    publish()
    publish(OTHER, Profile("city", "bushes", "Bushes", others))
    numbers = [registry.get(package_id).id for package_id in (PACKAGE, OTHER)]
    publish(profile=Profile("city", "between", "Trees", HOME))
    publish(OTHER, Profile("city", "trees", "Bushes", others))
    publish(profile=Profile("city", "bushes", "Trees", HOME))
    assert [github.repository(f"city/{name}").id for name in ("bushes", "trees")] == numbers
    assert [len(history(github, f"city/{name}")) for name in ("bushes", "trees")] == [3, 2]


def test_a_stranger_puts_another_repository_in_its_place(github, client, publish, backend, registry):
    first = publish()
    client.get_repo("city/trees").edit(name="away")
    client.get_organization("city").create_repo("trees")
    tag = record_tag(name="v1", revision_id=first.sha, author=ADA)
    with pytest.raises(Conflict):
        backend.publish(PACKAGE, tags=[TagUpdate("v1", True, tag)])
    with pytest.raises(Conflict):
        publish()
    assert refs(github, "city/trees") == ""
    assert history(github, "city/away") == [first.sha]


def test_a_package_gets_another_id(backend, publish, registry):
    first = publish()
    backend.rename(PACKAGE, new_id="new")
    assert list(registry.kept) == ["new"]
    assert backend.fetch("new").revision.id == first.sha


def test_what_is_not_there_has_no_other_id(backend):
    for new_id in ("new", PACKAGE):
        with pytest.raises(NotFound):
            backend.rename(PACKAGE, new_id=new_id)


def test_an_id_with_a_repository_of_its_own_is_not_overwritten(backend, publish, registry):
    publish()
    publish(OTHER, Profile("city", "others", "Others", f"https://data.example/dataset/{OTHER}"))
    before = dict(registry.kept)
    with pytest.raises(Conflict):
        backend.rename(PACKAGE, new_id=OTHER)
    assert registry.kept == before


# -- purge ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["delete", "archive"])
@pytest.mark.parametrize("fault", [None, Fault.server_error, Fault.lost_answer])
def test_purge(github, node, publish, registry, how, fault):
    publish()
    number = registry.get(PACKAGE).id
    purger = node(registry=registry, purge=how)
    if fault:
        github.fail(fault(method="DELETE" if how == "delete" else "PATCH"))
        with pytest.raises(Unavailable):
            purger.purge(PACKAGE)
        assert registry.get(PACKAGE)
    purger.purge(PACKAGE)
    assert registry.kept == {}
    assert not purger.repository_path(PACKAGE).exists()
    if how == "archive":
        assert github.repository(number).archived
    else:
        with pytest.raises(Problem):
            github.repository(number)


@pytest.mark.parametrize("how", ["delete", "archive"])
def test_purging_what_is_gone_already(github, node, publish, registry, how):
    publish()
    github._world.repositories.delete(registry.get(PACKAGE).id)
    node(registry=registry, purge=how).purge(PACKAGE)
    assert registry.kept == {}


def test_a_purge_that_is_forbidden_leaves_all(github, node, publish, backend, registry):
    first = publish()
    github.fail(Fault.refusal(403, "Must have admin rights to Repository.", method="DELETE"))
    with pytest.raises(Unauthorized):
        backend.purge(PACKAGE)
    assert registry.get(PACKAGE)
    assert backend.fetch(PACKAGE).revision.id == first.sha


def test_what_was_purged_on_another_node_does_not_come_back(github, node, publish, registry):
    first = publish()
    other = node("other", registry=registry)
    other.purge(PACKAGE)
    again = other.record(PACKAGE, document=titled("Again"), author=ADA)
    # The first node still has a copy of what was purged.
    node(registry=registry).publish(PACKAGE, revisions=[again], public=True, profile=PROFILE)
    assert history(github, "city/trees") == [again.sha]
    assert node(registry=registry).fetch(PACKAGE).revision.id == again.sha
    assert first.sha not in git(
        "cat-file", "--batch-all-objects", "--batch-check", cwd=github.repository("city/trees").path
    )
