"""A portal with a schema of its own, by ckanext-scheming: pages and forms speak of its fields as the schema does."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import ckan.plugins as p
import pytest
from ckan.tests import factories

SCHEMA = Path(__file__).parent / "survey.yaml"
# The second of its plugins is for CKAN 2.11: Solr takes no parts of a field.
SCHEMING = ["scheming_datasets", "scheming_nerf_index"]
OURS_FIRST, OURS_LAST = ["metastore", *SCHEMING], [*SCHEMING, "metastore"]
EDDA, RAVI = {"name": "Edda", "role": "count"}, {"name": "Ravi", "role": "answer"}


@pytest.fixture
def plugins(request, portal, ckan_config, monkeypatch):
    """In either order: of whichever comes first in the list, the templates do, too."""
    monkeypatch.setitem(ckan_config, "ckan.plugins", getattr(request, "param", OURS_FIRST))
    monkeypatch.setitem(ckan_config, "scheming.dataset_schemas", SCHEMA.as_uri())
    p.load_all()
    yield
    p.unload(*SCHEMING)


@pytest.fixture
def trees(plugins, act, organization):
    """A dataset with two versions, of which the first is called 1.0."""
    resource = {"name": "Trees", "url": "https://example.org/trees.csv", "quality": "raw"}
    made = act(
        "package_create",
        name=factories.Dataset.stub().name,
        title="Street trees",
        notes="All.",
        owner_org=organization["id"],
        frequency="year",
        themes=["env"],
        words=["tree"],
        contacts=[EDDA],
        resources=[resource],
    )
    act("dataset_tag_create", id=made["id"], name="1.0")
    changed = {"frequency": "month", "themes": ["env", "traffic"], "contacts": [RAVI, EDDA]}
    return act("package_patch", id=made["id"], **changed, resources=[{**made["resources"][0], "quality": "good"}])


@pytest.fixture
def form(trees):
    """What the form sends where nothing was changed."""
    contacts = {
        f"contacts-{number}-{name}": value for number, who in enumerate([RAVI, EDDA]) for name, value in who.items()
    }
    same = {name: trees[name] for name in ("title", "name", "notes", "owner_org", "frequency", "themes", "words")}
    return {
        **same,
        **contacts,
        "private": "False",
        "save": "",
        "_ckan_phase": "",
        "base_revision": trees["revision_id"],
    }


@pytest.fixture
def page(app, editor):
    """A page as the editor sees it, or the answer to a form."""
    token = {"Authorization": factories.APIToken(user=editor["name"])["token"]}

    def get(address, form=None):
        answer = app.get(address, headers=token) if form is None else app.post(address, headers=token, data=form)
        assert answer.status_code == 200
        return answer.text

    return get


def _text(html):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def _typed(html):
    """The values of the form's fields with a name, but for those of boxes that are not ticked."""
    fields = [dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) | {"tag": tag} for tag in re.findall(r"<input[^>]*>", html)]
    return [
        (each.get("name"), each.get("value"))
        for each in fields
        if "checkbox" not in each["tag"] or "checked" in each["tag"]
    ]


def test_a_comparison_calls_fields_and_choices_as_the_schema_does(trees, page):
    text = _text(page(f"/dataset/{trees['name']}/versions/compare?a=1.0"))
    for words in (
        "How often, Themes, People to ask changed; 1 resource changed",
        "Before Once a year After Each month",
        "Before Environment After Environment Roads and traffic",
        "Full name: Ravi Task: Answers questions Full name: Edda Task: Counts",
        "Quality changed Before As it came After Checked by hand",
    ):
        assert words in text, words
    german = _text(page(f"/de/dataset/{trees['name']}/versions/compare?a=1.0"))
    assert "Wie oft" in german
    assert "Vorher Einmal im Jahr Nachher Jeden Monat" in german
    assert "Voller Name: Edda" in german


def test_an_old_version_is_shown_by_the_schemas_own_page(trees, page):
    text = _text(page(f"/dataset/{trees['name']}/version/1.0"))
    assert "How often Once a year" in text
    assert "People to ask 1 Full name Edda Task Counts" in text
    assert "Ravi" not in text
    (resource,) = trees["resources"]
    text = _text(page(f"/dataset/{trees['name']}/version/1.0/resource/{resource['id']}"))
    assert "Quality As it came" in text


def test_fields_of_the_schema_are_restored(trees, act, page):
    text = _text(page(f"/dataset/{trees['name']}/version/1.0/restore?what=parts&fields=contacts"))
    assert "People to ask changed" in text
    act("dataset_revert", id=trees["id"], to_revision_ref="1.0", fields=["contacts"])
    now = act("package_show", id=trees["id"])
    assert (now["contacts"], now["themes"]) == ([EDDA], ["env", "traffic"])


@pytest.mark.parametrize("plugins", [OURS_FIRST, OURS_LAST], indirect=True)
def test_two_people_save_one_dataset(trees, form, act, page):
    mine = {**form, "title": "My trees", "contacts-0-name": "Mine", "revision_message": "Why", "themes": "env"}
    act("package_patch", id=trees["id"], contacts=[{**EDDA, "name": "Theirs"}], frequency="year")
    html = page(f"/dataset/edit/{trees['name']}", mine)
    text = _text(html)
    assert text.count("Nothing is saved yet") == text.count("What changed and why") == 1
    assert "Mine Full name: Mine Task: Answers questions Full name: Edda Task: Counts" in text
    assert "Theirs Full name: Theirs Task: Counts" in text
    typed = _typed(html)
    for said in (("title", "My trees"), ("contacts-0-name", "Mine"), ("contacts-1-name", "Edda"), ("themes", "env")):
        assert said in typed
    assert ("themes", "traffic") not in typed
    joined = _typed(page(f"/dataset/{trees['id']}/versions/merge", {**mine, "metastore_take": "theirs"}))
    assert {("title", "My trees"), ("contacts-0-name", "Theirs")} < set(joined)
    assert ("contacts-1-name", "Edda") not in joined
    assert ("themes", "traffic") not in joined


def test_a_form_that_nobody_touched_is_theirs(trees, form, act, page):
    act("package_patch", id=trees["id"], contacts=[EDDA], themes=["traffic"], words=[])
    joined = _typed(page(f"/dataset/{trees['id']}/versions/merge", {**form, "metastore_take": "mine"}))
    assert {("contacts-0-name", "Edda"), ("themes", "traffic")} < set(joined)
    assert not {("contacts-0-name", "Ravi"), ("themes", "env"), ("words", "tree")} & set(joined)


def test_what_is_refused_is_shown_as_typed(trees, form, page):
    typed = _typed(page(f"/dataset/edit/{trees['name']}", {**form, "frequency": "never", "contacts-0-name": "Mine"}))
    assert ("contacts-0-name", "Mine") in typed
