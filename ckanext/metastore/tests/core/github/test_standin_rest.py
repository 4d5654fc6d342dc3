"""The life of a repository, as PyGithub sees it."""

import pytest
import requests
from github import GithubException, UnknownObjectException

from .conftest import connect


def test_who_am_i(client):
    assert client.get_user().login == "ada"


def test_create_and_read_back(client, github):
    made = client.get_organization("city").create_repo(
        "trees", private=True, description="All trees", homepage="https://a.b"
    )

    held = github.repository("city/trees")
    assert (made.id, made.full_name, made.private, made.default_branch) == (held.id, "city/trees", True, "main")
    assert (held.description, held.homepage, held.private) == ("All trees", "https://a.b", True)
    assert made.clone_url == f"{github.git_url}/city/trees.git"
    assert client.get_repo(made.id).full_name == "city/trees"


def test_create_under_a_user(client, github):
    assert client.get_user().create_repo("mine").full_name == "ada/mine"
    assert github.repository("ADA/Mine").name == "mine"


def test_a_name_is_taken_in_any_case(client, repository):
    with pytest.raises(GithubException) as failure:
        client.get_organization("city").create_repo("TREES")

    assert failure.value.status == 422
    assert failure.value.data["message"] == "Repository creation failed."
    assert failure.value.data["errors"] == [
        {"resource": "Repository", "code": "custom", "field": "name", "message": "name already exists on this account"}
    ]


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("street trees", "street-trees"), ("a/b", "a-b"), ("Bäume & Büsche", "B-ume-B-sche"), ("v1.0_x", "v1.0_x")],
)
def test_names_are_made_clean(client, wanted, given):
    assert client.get_organization("city").create_repo(wanted).name == given


def test_a_name_has_a_hundred_characters(client):
    city = client.get_organization("city")

    assert city.create_repo("n" * 100).name == "n" * 100
    with pytest.raises(GithubException, match="too long"):
        city.create_repo("n" * 101)


def test_an_organization_that_is_not_there(client):
    with pytest.raises(UnknownObjectException):
        client.get_organization("nowhere")


def test_only_members_create(github):
    city = connect(github, github.issue_token("eve")).get_organization("city")

    with pytest.raises(GithubException, match="admin access to the organization") as failure:
        city.create_repo("trees")
    assert failure.value.status == 403


def test_change(repository, github):
    repository.edit(private=True, description="More", homepage="https://x.y")

    held = github.repository("city/trees")
    assert (held.private, held.description, held.homepage) == (True, "More", "https://x.y")


@pytest.mark.parametrize("text", ["x" * 351, "two\nlines", "\x00"])
def test_a_description_that_is_refused(repository, text):
    with pytest.raises(GithubException) as failure:
        repository.edit(description=text)
    assert failure.value.status == 422
    assert failure.value.data["errors"][0]["field"] == "description"


def test_topics(repository, github):
    repository.replace_topics(["trees", "open-data", "trees"])

    assert repository.get_topics() == ["trees", "open-data"]
    assert github.repository("city/trees").topics == ("trees", "open-data")


@pytest.mark.parametrize("topics", [["Trees"], ["a b"], ["-a"], ["x" * 51], [f"t{number}" for number in range(21)]])
def test_topics_that_are_refused(repository, topics):
    with pytest.raises(GithubException) as failure:
        repository.replace_topics(topics)
    assert failure.value.status == 422


def test_an_archive_takes_no_change_but_the_one_that_opens_it(repository, client, github):
    repository.edit(archived=True)

    with pytest.raises(GithubException, match="archived") as failure:
        repository.edit(description="More")
    assert failure.value.status == 403
    repository.edit(archived=False)
    repository.edit(description="More")
    assert github.repository("city/trees").description == "More"


def test_the_old_name_leads_on_until_another_takes_it(client, repository, github):
    number = repository.id
    repository.edit(name="oaks")

    assert client.get_repo("city/trees").id == number
    moved = [request for request in github.requests if request.status == 301]
    assert [request.path for request in moved] == ["/repos/city/trees"]
    assert github.requests[-1].path == f"/repositories/{number}"
    other = client.get_organization("city").create_repo("trees")
    assert client.get_repo("city/trees").id == other.id != number


def test_the_redirect_in_githubs_words(github, repository, token):
    repository.edit(name="oaks")
    headers = {"Authorization": f"Bearer {token}"}

    read = requests.get(f"{github.api_url}/repos/city/trees/topics", headers=headers, allow_redirects=False, timeout=30)
    written = requests.patch(
        f"{github.api_url}/repos/city/trees", json={"private": True}, headers=headers, allow_redirects=False, timeout=30
    )

    place = f"{github.api_url}/repositories/{repository.id}"
    assert (read.status_code, read.headers["Location"]) == (301, f"{place}/topics")
    assert read.json()["message"] == "Moved Permanently"
    assert (written.status_code, written.headers["Location"]) == (307, place)
    assert github.repository("city/oaks").private is False


def test_a_rename_to_a_name_that_is_taken(client, repository):
    client.get_organization("city").create_repo("oaks")

    with pytest.raises(GithubException, match="already exists"):
        repository.edit(name="oaks")


def test_a_rename_of_case_only(repository, github):
    repository.edit(name="Trees")

    assert github.repository("city/trees").name == "Trees"


def test_transfer(github, client, repository):
    github.add_organization("park", members=["ada"])

    repository.transfer_ownership("park", new_name="lawns")

    assert github.repository(repository.id).full_name == "park/lawns"
    assert client.get_repo("city/trees").full_name == "park/lawns"


def test_a_deleted_repository_is_gone_with_its_old_names(client, repository, github):
    path = github.repository("city/trees").path
    repository.edit(name="oaks")
    client.get_repo("city/oaks").delete()

    assert not path.exists()
    for name in ("city/oaks", "city/trees", repository.id):
        with pytest.raises(UnknownObjectException):
            client.get_repo(name)


def test_a_private_repository_is_not_there_for_others(github, repository):
    repository.edit(private=True)
    stranger = connect(github, github.issue_token("eve"))

    with pytest.raises(UnknownObjectException):
        stranger.get_repo("city/trees")
    repository.edit(private=False)
    assert stranger.get_repo("city/trees").permissions.push is False
    with pytest.raises(GithubException, match="admin rights") as failure:
        stranger.get_repo("city/trees").delete()
    assert failure.value.status == 403


def test_tokens_that_are_not_good(github, client, token):
    weak = connect(github, github.issue_token("ada", scopes=["contents"]))
    with pytest.raises(GithubException, match="not accessible by personal access token") as failure:
        weak.get_organization("city").create_repo("x")
    assert failure.value.status == 403

    for secret in ("ghp_unknown", github.issue_token("ada", seconds=-1)):
        with pytest.raises(GithubException, match="Bad credentials") as failure:
            connect(github, secret).get_user().login  # noqa: B018
        assert failure.value.status == 401
    github.revoke_token(token)
    with pytest.raises(GithubException, match="Bad credentials"):
        client.get_organization("city")


def test_webhooks(repository):
    hook = repository.create_hook(
        "web", {"url": "http://127.0.0.1:9/x", "content_type": "json", "secret": "s"}, ["push"]
    )
    assert hook.config["secret"] == "********"
    with pytest.raises(GithubException, match="already exists"):
        repository.create_hook("web", {"url": "http://127.0.0.1:9/x"}, ["push"])

    hook.edit("web", {"url": "http://127.0.0.1:9/"}, events=["push", "create"], active=False)
    assert [(one.config["url"], one.active) for one in repository.get_hooks()] == [("http://127.0.0.1:9/", False)]
    hook.delete()
    assert list(repository.get_hooks()) == []


def test_the_log_names_users_and_no_tokens(github, client, token):
    github.forget_requests()
    client.get_user().login  # noqa: B018

    assert [(one.kind, one.method, one.path, one.status, one.user) for one in github.requests] == [
        ("rest", "GET", "/user", 200, "ada")
    ]
    assert token not in repr(github.requests)


def test_limits_are_told(client):
    client.get_user().login  # noqa: B018
    assert client.rate_limiting == (5000, 5000)
    assert client.get_rate_limit().rate.limit == 5000
