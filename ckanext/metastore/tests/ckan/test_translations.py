"""The template of the translations has what the code says, and each language has all of it."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from ckan.tests import factories, helpers

from ckanext.metastore.core import InvalidName
from ckanext.metastore.core.names import check_tag_name
from ckanext.metastore.tests.examples import README

ROOT = Path(README).parent
I18N = ROOT / "ckanext/metastore/i18n"
DOMAIN = "ckanext-metastore"
LANGUAGES = sorted(path.name for path in I18N.iterdir() if path.is_dir())
HOW = "run `make translations`, and translate what is new"

_PERCENT = re.compile(r"%(?:\(\w+\))?[a-z%]")


def _read(path):
    with path.open("rb") as file:
        return (read_mo if path.suffix == ".mo" else read_po)(file)


def _texts(catalogue):
    return {(message.context, message.id) for message in catalogue if message.id}


def _catalogue(language, suffix):
    return _read(I18N / language / "LC_MESSAGES" / f"{DOMAIN}.{suffix}")


@pytest.fixture(scope="module")
def template():
    return _read(I18N / f"{DOMAIN}.pot")


def test_the_template_has_what_the_code_says(template, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    fresh = tmp_path / "fresh.pot"
    CommandLineInterface().run(["pybabel", "-q", "extract", "-F", "pyproject.toml", "-o", str(fresh), "ckanext"])
    assert _texts(template) == _texts(_read(fresh)), HOW


def test_german_is_there():
    assert "de" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_complete(template, language):
    catalogue = _catalogue(language, "po")
    assert _texts(catalogue) == _texts(template), HOW
    for message in catalogue:
        if message.id:
            assert all(_strings(message)), f"{HOW}: {message.id}"
            assert not message.fuzzy, message.id
            assert len(_strings(message)) == (catalogue.num_plurals if message.pluralizable else 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_places_of_the_original(language):
    for message in _catalogue(language, "po"):
        if message.id:
            # A singular may do without the number.
            wanted = _places(message.id[-1] if message.pluralizable else message.id)
            assert all(_places(text) == wanted for text in _strings(message)), message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language):
    written, compiled = (
        {_texts_of(message.id): _texts_of(message.string) for message in _catalogue(language, suffix) if message.id}
        for suffix in ("po", "mo")
    )
    assert compiled == written, HOW


def _strings(message):
    return _texts_of(message.string)


def _texts_of(said):
    """The singular and the plurals, or what has no number."""
    return (said,) if isinstance(said, str) else tuple(said)


def _places(text):
    named = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    return named | set(_PERCENT.findall(text))


def _catalogue_of(template):
    return {message.id for message in template if message.id}


def test_what_the_library_objects_to_names_is_in_the_template(template):
    for name in ("", "HEAD", "a b", "x" * 999, "a~b", "a..b", "-a", ".a", "a.lock", "a/b", "abcdef01"):
        with pytest.raises(InvalidName) as error:
            check_tag_name(name)
        assert error.value.reason.template in _catalogue_of(template), name


@pytest.fixture
def german(app, editor):
    """A form of the editor's, sent in German; the page that comes back, its text."""
    headers = {"Authorization": factories.APIToken(user=editor["name"])["token"]}

    def send(address, **fields):
        return unescape(app.post(f"/de{address}", headers=headers, data=fields).text)

    return send


def test_errors_in_forms_are_german(dataset, act, german, reader):
    naming = f"/dataset/{dataset['name']}/version/HEAD/name"
    assert "keine Leerzeichen und keine Steuerzeichen" in german(naming, name="one two", description="")
    assert "Darf höchstens 10,000 Zeichen haben, nicht 10,001" in german(naming, name="v1", description="x" * 10001)
    act("dataset_tag_create", id=dataset["id"], name="v1")
    assert "eine Version mit dem Namen v1 gibt es schon" in german(naming, name="v1", description="")
    settling = f"/dataset/{dataset['name']}/versions/settle"
    assert "nennen Sie das Konto, das Änderungen holt" in german(settling, strategy="ours")


def test_what_cannot_be_restored_is_said_in_german(dataset, act, german):
    group = factories.Group()
    member = {"object": dataset["id"], "object_type": "package", "capacity": "public"}
    helpers.call_action("member_create", id=group["id"], **member)
    sha = act("package_show", id=dataset["id"])["revision_id"]
    head = act("package_patch", id=dataset["id"], title="Trees", resources=[])["revision_id"]
    helpers.call_action("group_delete", id=group["id"])
    head = act("package_show", id=dataset["id"])["revision_id"]
    text = german(f"/dataset/{dataset['name']}/version/{sha}/restore", head=head)
    assert f"Nicht wiederhergestellt: Die Gruppe {group['name']} gibt es nicht mehr" in text
    assert "kommt ohne ihre Ansichten zurück" in text


def test_pages_speak_german(dataset, act, app):
    act("package_patch", id=dataset["id"], title="Trees of the city")
    page = app.get(f"/de/dataset/{dataset['name']}/versions").text
    for text in ("Versionen", "Aktuelle Version", "Titel geändert"):
        assert text in page
    feed = app.get(f"/de/dataset/{dataset['name']}/versions.atom").text
    assert "<title>Versionen von Trees of the city</title>" in feed
