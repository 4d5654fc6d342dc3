"""Mirrors by REST and by the client: made, found, changed, destroyed; and what of a dataset they are not."""

from __future__ import annotations

from itertools import count

import httpx
import pytest

from ckanext.metastore.client import Mirror
from ckanext.metastore.core import Conflict, Invalid, NotFound, Unauthorized
from ckanext.metastore.tests.service.running import ALL, DOCUMENT, Git, running

NUMBERS = count()
BOTH = f"{ALL} ds:city/*:read,update,purge ds:city/:create"


@pytest.fixture(scope="module")
def client(service):
    with service.client(BOTH) as client:
        yield client


@pytest.fixture
def mirror(client):
    return client.mirror_create("parks", f"mirror-{next(NUMBERS)}", homepage="https://data.example.org/dataset/x")


@pytest.fixture
def filled(service, mirror, tmp_path):
    """A mirror with one revision."""
    git = Git(tmp_path)
    git("init", "-q", "-b", "main", "made")
    made = Git(tmp_path / "made")
    (made.folder / "datapackage.json").write_text('{"name": "trees"}\n')
    made("add", ".")
    made("commit", "-qm", "First survey")
    made("push", "-q", service.repository(mirror.name, service.token()), "main")
    return mirror


def http(service, scopes=BOTH):
    headers = {"Authorization": f"Bearer {service.token(scopes)}"} if scopes else {}
    return httpx.Client(base_url=service.address, headers=headers)


# -- made and found -------------------------------------------------------------------------------------------------


def test_a_mirror_is_made_empty(client):
    made = client.mirror_create(
        "parks",
        "elms",
        description="Elms\nof the city",
        homepage="https://x.example",
        topics=["elm", " "],
        private=True,
    )
    assert made == Mirror(
        number=made.number,
        owner="parks",
        name="elms",
        description="Elms of the city",
        homepage="https://x.example",
        topics=("elm",),
        private=True,
        archived=False,
        empty=True,
    )
    assert client.mirror_fetch(made.number) == made
    assert list(client.mirror_list(name="elms")) == [made]


def test_what_is_left_out_is_empty(client, mirror):
    assert (mirror.description, mirror.topics, mirror.private, mirror.archived) == ("", (), False, False)


def test_it_says_where_it_is(service):
    with http(service) as client:
        answer = client.post("/v1/mirrors", json={"owner": "parks", "name": "oaks"})
        assert answer.status_code == 201
        assert client.get(answer.headers["Location"]).json() == answer.json()


def test_an_empty_mirror_is_no_dataset_yet(client, mirror):
    with pytest.raises(NotFound) as raised:
        client.fetch("parks", mirror.name)
    assert (raised.value.kind, raised.value.ref) == ("dataset", f"parks/{mirror.name}")
    assert mirror.name not in [each.name for each in client.list(owner="parks")]


def test_its_name_is_taken(client, mirror):
    client.create("parks", DOCUMENT, name="a-dataset")
    for name in (mirror.name, "a-dataset"):
        with pytest.raises(Conflict, match="already"):
            client.mirror_create("parks", name)
    with pytest.raises(Conflict, match="there is a dataset"):
        client.create("parks", DOCUMENT, name=mirror.name)


def test_the_name_of_a_deleted_dataset_is_taken(client):
    client.create("parks", DOCUMENT, name="gone")
    client.delete("parks", "gone")
    with pytest.raises(Conflict):
        client.mirror_create("parks", "gone")


@pytest.mark.parametrize("name", ["No Name", "x.git", "", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"])
def test_a_name_that_is_none(client, name):
    with pytest.raises(Invalid):
        client.mirror_create("parks", name)


def test_a_list_is_read_page_by_page_and_by_owner_and_name(service):
    with service.client("ds:woods/*:read ds:woods/:create ds:fields/*:read ds:fields/:create") as client:
        made = [client.mirror_create(owner, f"m{n:02}") for n in range(12) for owner in ("woods", "fields")]
        assert list(client.mirror_list()) == made
        assert list(client.mirror_list(owner="woods")) == made[::2]
        assert list(client.mirror_list(owner="woods", name="m07")) == [made[14]]
        assert list(client.mirror_list(name="nowhere")) == []


def test_a_request_that_is_sent_again_makes_no_other_one(service):
    with http(service) as client:
        said = {"json": {"owner": "parks", "name": "again"}, "headers": {"Idempotency-Key": "once"}}
        first, second = (client.post("/v1/mirrors", **said) for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()


# -- changed --------------------------------------------------------------------------------------------------------


def test_a_mirror_is_changed_and_keeps_its_number(client, mirror):
    name = f"{mirror.name}-2"
    changed = client.mirror_update(mirror.number, name=name, description="Trees", topics=["a", "b"], private=True)
    assert changed == Mirror(mirror.number, "parks", name, "Trees", mirror.homepage, ("a", "b"), private=True)
    archived = client.mirror_update(mirror.number, archived=True, private=False, description="")
    assert (archived.archived, archived.private, archived.description, archived.topics) == (True, False, "", ("a", "b"))
    assert client.mirror_fetch(mirror.number) == archived


def test_another_owner(service, client, mirror):
    with service.client() as other, pytest.raises(Unauthorized, match="create"):
        other.mirror_update(mirror.number, owner="city")
    assert client.mirror_update(mirror.number, owner="city").owner == "city"
    assert list(client.mirror_list(owner="parks", name=mirror.name)) == []


def test_a_name_that_is_taken_changes_nothing(client, mirror):
    client.create("parks", DOCUMENT, name=f"{mirror.name}-taken")
    with pytest.raises(Conflict, match="already"):
        client.mirror_update(mirror.number, name=f"{mirror.name}-taken", description="Changed")
    assert client.mirror_fetch(mirror.number) == mirror


def test_to_change_nothing_is_no_request(client, mirror):
    with pytest.raises(Invalid):
        client.mirror_update(mirror.number)


# -- destroyed ------------------------------------------------------------------------------------------------------


def test_a_mirror_is_destroyed_with_its_history(service, client, filled):
    folders = {*(service.folder / "repositories").glob("*/*.git")}
    client.mirror_delete(filled.number)
    assert len(folders - {*(service.folder / "repositories").glob("*/*.git")}) == 1
    with pytest.raises(NotFound) as raised:
        client.mirror_fetch(filled.number)
    assert (raised.value.kind, raised.value.ref) == ("mirror", str(filled.number))
    with pytest.raises(NotFound):
        client.fetch("parks", filled.name)


def test_no_number_is_used_again(client, mirror):
    client.mirror_delete(mirror.number)
    assert client.mirror_create("parks", mirror.name).number > mirror.number


def test_a_purge_takes_the_mirror_along(client, filled):
    client.purge("parks", filled.name)
    with pytest.raises(NotFound):
        client.mirror_fetch(filled.number)


# -- who may --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scopes", ["ds:city/*:read,update,purge", "ds:parks/other:read,update,purge", "ds:parks/:create"]
)
def test_who_may_not_see_it_cannot_tell_whether_it_is_there(service, mirror, scopes):
    with http(service, scopes) as client:
        for method, said in (("GET", {}), ("PATCH", {"json": {"private": True}}), ("DELETE", {})):
            there = client.request(method, f"/v1/mirrors/{mirror.number}", **said)
            not_there = client.request(method, "/v1/mirrors/987654321", **said)
            assert there.status_code == not_there.status_code == 404
            said, other = there.json(), not_there.json()
            assert (said.pop("ref"), other.pop("ref")) == (str(mirror.number), "987654321")
            assert said.pop("detail") == other.pop("detail").replace("987654321", str(mirror.number))
            assert said == other
        assert mirror.number not in [each["number"] for each in client.get("/v1/mirrors").json()]


def test_who_may_only_read_changes_nothing(service, client, mirror):
    with service.client("ds:parks/*:read") as reader:
        assert reader.mirror_fetch(mirror.number) == mirror
        for act in (
            lambda: reader.mirror_update(mirror.number, private=True),
            lambda: reader.mirror_delete(mirror.number),
            lambda: reader.mirror_create("parks", "mine"),
        ):
            with pytest.raises(Unauthorized):
                act()
    assert client.mirror_fetch(mirror.number) == mirror


def test_who_may_only_create_is_not_told_where_a_private_one_is_made(service, client):
    client.mirror_create("parks", "hidden", homepage="https://data.example.org/dataset/hidden", private=True)
    with service.client("ds:parks/:create") as other, pytest.raises(Conflict) as refused:
        other.create("parks", DOCUMENT, name="hidden")
    assert str(refused.value) == "there is a dataset parks/hidden already"


def test_without_a_token(service, mirror):
    with http(service, None) as client:
        for number in (mirror.number, 987654321, "x"):
            assert client.get(f"/v1/mirrors/{number}").status_code == 401
        assert client.get("/v1/mirrors").status_code == 401
        assert client.post("/v1/mirrors", json={"owner": "parks", "name": "mine"}).status_code == 401


def test_what_everybody_may_read(tmp_path):
    with running(tmp_path / "store", anonymous_read=True) as service, service.client() as client:
        shown = client.mirror_create("parks", "shown")
        hidden = client.mirror_create("parks", "hidden", private=True)
        with http(service, None) as anybody:
            assert [each["number"] for each in anybody.get("/v1/mirrors").json()] == [shown.number]
            assert anybody.get(f"/v1/mirrors/{shown.number}").status_code == 200
            assert anybody.get(f"/v1/mirrors/{hidden.number}").status_code == 401
            assert anybody.delete(f"/v1/mirrors/{shown.number}").status_code == 401


@pytest.mark.parametrize("number", ["0", "-1", "x", "01", "1.0", "9" * 30])
def test_a_number_that_is_none(service, number):
    with http(service) as client:
        assert client.get(f"/v1/mirrors/{number}").status_code == 404


# -- its history is made elsewhere ----------------------------------------------------------------------------------


def test_nothing_but_a_push_writes_it(client, filled):
    at = ("parks", filled.name)
    first = client.fetch(*at).revision_id
    for act in (
        lambda: client.update(*at, DOCUMENT),
        lambda: client.patch(*at, {"title": "Mine"}, base_revision=first),
        lambda: client.patch(*at, {"title": "Mine"}, base_revision="0" * 40),
        lambda: client.delete(*at),
        lambda: client.revert(*at, first),
        lambda: client.move(*at, new_name="elsewhere"),
        lambda: client.tag_create(*at, "v1"),
        lambda: client.tag_update(*at, "v1", new_name="v2"),
        lambda: client.tag_delete(*at, "v1"),
    ):
        with pytest.raises(Conflict, match=r"made elsewhere, at https://data\.example\.org/dataset/x"):
            act()
    assert [each.id for each in client.revision_list(*at)] == [first]
    assert client.tag_list(*at) == []


def test_it_is_read_as_all_datasets_are(client, filled):
    found = client.fetch("parks", filled.name)
    assert found.document == {"name": "trees"}
    assert (found.private, found.published) == (False, True)
    assert filled.name in [each.name for each in client.list(owner="parks")]
    assert not client.mirror_fetch(filled.number).empty


def test_whether_it_is_private_is_said_by_rest(service, client, filled):
    client.mirror_update(filled.number, private=True)
    assert client.fetch("parks", filled.name).private
    with service.client("ds:parks/*:read") as reader:
        assert len(list(reader.revision_list("parks", filled.name))) == 1
    with http(service) as asked:
        (revision,) = asked.get(f"/v1/datasets/parks/{filled.name}/revisions").json()
        assert revision["public"] is False
    assert not client.mirror_update(filled.number, private=False).private
    assert not client.fetch("parks", filled.name).private
