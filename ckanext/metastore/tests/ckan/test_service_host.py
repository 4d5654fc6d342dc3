"""A portal whose histories are in a metastore service: its mirrors follow the datasets, and CKAN's tokens open them."""

from __future__ import annotations

import pytest
from ckan import model
from ckan.tests import factories
from sqlalchemy import text

from ckanext.metastore.authz import Issuer, KeyRing, parse_scopes
from ckanext.metastore.backends.service.signing import Signing
from ckanext.metastore.client import Client
from ckanext.metastore.core import NotFound, Unauthorized
from ckanext.metastore.testing.git import check_integrity, git
from ckanext.metastore.tests.ckan.github.stranger import Stranger
from ckanext.metastore.tests.ckan.portal import served
from ckanext.metastore.tests.service.running import DOCUMENT
from ckanext.metastore.tests.service.server import serving

SITE = "http://test.ckan.net"


@pytest.fixture(scope="module")
def server(tmp_path_factory, keys):
    folder = tmp_path_factory.mktemp("service")
    trust = {"tokens_issuer": SITE, "tokens_public_key_file": str(keys.with_suffix(".pub.pem"))}
    with serving(folder / "data", anonymous_read=True, **trust) as running:
        yield running


@pytest.fixture(autouse=True)
def service(tokens, server, ckan_config, monkeypatch):
    """From now on, histories are in the service."""
    monkeypatch.setitem(ckan_config, "ckanext.metastore.backend", "service")
    monkeypatch.setitem(ckan_config, "ckanext.metastore.service.url", server.url)
    return server


@pytest.fixture
def token(keys):
    """A token of CKAN's for one organization's mirrors, with all that CKAN itself may do there."""
    return Signing("", str(keys), SITE, "metastore").token


@pytest.fixture
def client(server, organization, token):
    with Client(server.url, token=token(organization["name"])) as found:
        yield found


def mirror(client, organization, dataset):
    (found,) = client.mirror_list(owner=organization["name"], name=dataset["name"])
    return found


def test_a_save_is_a_revision_at_the_service(act, dataset, organization, client, token, server, tmp_path):
    act("dataset_tag_create", id=dataset["id"], name="v1", description="The first one")
    saved = act("package_patch", id=dataset["id"], title="Trees", revision_message="Shorter")
    owner, name = organization["name"], dataset["name"]
    assert [(found.id, found.message, found.tags) for found in client.revision_list(owner, name)] == [
        (saved["revision_id"], "Shorter", ()),
        (dataset["revision_id"], "First survey", ("v1",)),
    ]
    assert client.fetch(owner, name).document["title"] == "Trees"
    assert client.fetch(owner, name, revision="v1").document["title"] == "Street trees"
    assert client.tag_fetch(owner, name, "v1").description == "The first one"
    found = mirror(client, organization, dataset)
    assert (found.homepage, found.private) == (f"{SITE}/dataset/{dataset['id']}", False)
    url = f"{server.url}/{owner}/{name}.git"
    git("clone", "--quiet", "--mirror", url, str(tmp_path / "clone"))
    check_integrity(tmp_path / "clone")
    assert git("rev-parse", "main", cwd=tmp_path / "clone").strip() == saved["revision_id"]
    shown = act("dataset_revision_show", id=dataset["id"], revision_ref="v1")
    assert shown["url"] == f"{server.url}/v1/datasets/{owner}/{name}/revisions/{dataset['revision_id']}"


def test_a_tag_goes_as_it_came(act, dataset, organization, client):
    act("dataset_tag_create", id=dataset["id"], name="v1")
    act("dataset_tag_update", id=dataset["id"], tag="v1", name="v2", description="Better")
    assert [tag.name for tag in client.tag_list(organization["name"], dataset["name"])] == ["v2"]
    act("dataset_tag_delete", id=dataset["id"], tag="v2")
    assert client.tag_list(organization["name"], dataset["name"]) == []


def test_who_may_read_is_what_ckan_says(act, dataset, organization, server, keys, client):
    """A token of CKAN's for one dataset reads it at the service; what is private, nobody else does."""
    act("package_patch", id=dataset["id"], private=True)
    owner, name = organization["name"], dataset["name"]
    assert mirror(client, organization, dataset).private
    scopes = parse_scopes(f"ds:{owner}/{name}:read")
    issuer = Issuer(KeyRing(private_key_file=str(keys)), issuer=SITE, audience="metastore")
    with Client(server.url, token=issuer.issue(scopes, lifetime=60, subject="edda")[0]) as reader:
        assert reader.fetch(owner, name).revision_id == dataset["revision_id"]
        with pytest.raises(Unauthorized):
            reader.tag_create(owner, name, "mine")
    with Client(server.url) as anonymous:
        with pytest.raises((Unauthorized, NotFound)):
            anonymous.fetch(owner, name)
        act("package_patch", id=dataset["id"], private=False)
        assert anonymous.fetch(owner, name).document["title"] == "Street trees"


def test_the_service_asks_ckan_for_its_key(act, organization, app, ckan_config, monkeypatch, tmp_path):
    """And takes the tokens that CKAN gives to people."""
    monkeypatch.setitem(ckan_config, "ckanext.authz_service.jwt_audience", "metastore")
    with (
        served(app.flask_app) as portal,
        serving(
            tmp_path / "data",
            tokens_issuer=SITE,
            tokens_public_key_url=f"{portal}/authz/public_key",
            tokens_lifetime=900,
        ) as running,
    ):
        monkeypatch.setitem(ckan_config, "ckanext.metastore.service.url", running.url)
        dataset = act("package_create", name=factories.Dataset.stub().name, owner_org=organization["id"])
        name = f"{organization['name']}/{dataset['name']}"
        token = act("authz_authorize", scopes=f"ds:{name}:read")["token"]
        with Client(running.url, token=token) as reader:
            assert reader.fetch(*name.split("/")).revision_id == dataset["revision_id"]


def test_a_mirror_follows_its_dataset(act, dataset, organization, client, editor, token, server):
    number = mirror(client, organization, dataset).number
    other = factories.Organization(users=[{"name": editor["name"], "capacity": "editor"}])
    name = factories.Dataset.stub().name
    moved = act("package_patch", id=dataset["id"], name=name, owner_org=other["id"], title="Moved")
    with Client(server.url, token=token(other["name"])) as there:
        found = there.mirror_fetch(number)
        assert (found.owner, found.name, found.description) == (other["name"], name, "Moved")
        assert there.fetch(other["name"], name).revision_id == moved["revision_id"]


@pytest.mark.parametrize("how", ["delete", "archive"])
def test_a_purge(act, dataset, organization, client, ckan_config, monkeypatch, how):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.purge", how)
    number = mirror(client, organization, dataset).number
    act("dataset_purge", user=factories.Sysadmin()["name"], id=dataset["id"])
    if how == "archive":
        assert client.mirror_fetch(number).archived
    else:
        with pytest.raises(NotFound):
            client.mirror_fetch(number)


def test_the_service_is_down(act, dataset, organization, server, client, ckan_config, monkeypatch):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.service.url", "http://127.0.0.1:9")
    saved = act("package_patch", id=dataset["id"], title="Meanwhile")
    assert saved["revision_published"] is False
    monkeypatch.setitem(ckan_config, "ckanext.metastore.service.url", server.url)
    assert act("dataset_publish", id=dataset["id"])["published"] == saved["revision_id"]
    assert client.fetch(organization["name"], dataset["name"]).document["title"] == "Meanwhile"


def test_a_name_that_an_ordinary_dataset_has_there(act, organization, client):
    owner, name = organization["name"], factories.Dataset.stub().name
    client.create(owner, DOCUMENT, name=name)
    saved = act("package_create", name=name, owner_org=organization["id"])
    assert saved["revision_error"].startswith(f"{owner} has a repository {name} already that is not this dataset's")
    client.purge(owner, name)
    assert act("dataset_publish", id=saved["id"])["published"] == saved["revision_id"]


def test_a_mirror_that_is_gone_for_good_begins_anew(act, dataset, organization, client):
    """As docs/operations.rst says."""
    number = mirror(client, organization, dataset).number
    client.mirror_delete(number)
    assert not act("package_patch", id=dataset["id"], title="Trees")["revision_published"]
    forget = "UPDATE metastore_repository SET host = NULL, host_id = NULL WHERE dataset_id = :id"
    model.Session.execute(text(forget), {"id": dataset["id"]})
    model.Session.commit()
    saved = act("package_patch", id=dataset["id"], title="All trees")
    assert [found.id for found in client.revision_list(organization["name"], dataset["name"])][::2] == [
        saved["revision_id"],
        dataset["revision_id"],
    ]
    assert mirror(client, organization, dataset).number != number


def test_what_somebody_pushes_there_comes_in(
    act, dataset, organization, editor, server, token, ckan_config, monkeypatch, tmp_path
):
    monkeypatch.setitem(ckan_config, "ckanext.metastore.pull_user", editor["name"])
    url = f"{server.url}/{organization['name']}/{dataset['name']}.git"
    stranger = Stranger(url.replace("://", f"://git:{token(organization['name'])}@"), tmp_path / "clone")
    sha = stranger.edit(lambda document: document.update(title="By hand"))
    assert act("dataset_pull", id=dataset["id"]) == {"commit": sha, "revision_id": sha}
    assert act("package_show", id=dataset["id"])["title"] == "By hand"


def test_a_check_finds_what_was_changed_there(dataset, organization, client, check):
    number = mirror(client, organization, dataset).number
    assert check(dataset["id"]).kinds == []
    client.mirror_update(number, private=True)
    assert check(dataset["id"]).kinds == ["host-hidden"]
    client.mirror_update(number, private=False, name=f"{dataset['name']}-2")
    assert check(dataset["id"]).kinds == ["host-name"]
    assert check(dataset["id"], "--fix").kinds == []
    assert mirror(client, organization, dataset).number == number
