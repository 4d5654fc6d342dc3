"""Settings: from a file, from the environment, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ckanext.metastore.core import Invalid
from ckanext.metastore.service import Settings
from ckanext.metastore.tests.examples import ROOT

FILE = """
path = "/srv/metastore"
anonymous_read = true
serve.port = 8080

[github]
owner = "city"
token = "secret-of-the-file"
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "metastore.toml"
    path.write_text(FILE)
    return path


def test_a_file_says_what_it_says_and_the_rest_is_as_ever(file):
    settings = Settings.load(file, {})
    assert settings == Settings(
        path=Path("/srv/metastore"),
        anonymous_read=True,
        serve_port=8080,
        github_owner="city",
        github_token="secret-of-the-file",
    )


def test_the_environment_wins_over_the_file(file):
    said = {"METASTORE_SERVE_PORT": "9090", "METASTORE_ANONYMOUS_READ": "false", "METASTORE_PATH": "/data", "PATH": "x"}
    settings = Settings.load(None, {"METASTORE_CONFIG": str(file), **said})
    assert (settings.serve_port, settings.anonymous_read, settings.path) == (9090, False, Path("/data"))
    assert settings.github_owner == "city"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("nothing = 1", "nothing"),
        ("[github]\nnothing = 1", "github_nothing"),
        ("anonymous_read = 1", "anonymous_read"),
        ("serve_port = true", "serve_port"),
        ("serve_port = 70000", "serve_port"),
        ("path = 1", "path"),
        ("limits_body = 0", "limits_body"),
        ("limits_depth = 101", "limits_depth"),
        ('url = "localhost"', "url"),
        ('tokens_public_key_file = "a"\ntokens_public_key_url = "https://b"', "tokens_public_key_url"),
        ("= ", "config"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, field):
    path = tmp_path / "metastore.toml"
    path.write_text(text)
    with pytest.raises(Invalid) as refused:
        Settings.load(path, {})
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("name", "value"), [("SERVE_PORT", "x"), ("ANONYMOUS_READ", "yes"), ("SERVE_THREADS", "0"), ("CONFIG", "/nowhere")]
)
def test_what_is_wrong_in_the_environment_is_named(name, value):
    with pytest.raises(Invalid) as refused:
        Settings.load(None, {f"METASTORE_{name}": value})
    assert refused.value.field == name.lower()


def test_no_secret_is_shown(file):
    assert "secret-of-the-file" not in repr(Settings.load(file, {}))


def test_every_setting_is_documented():
    text = (ROOT / "docs/service.rst").read_text()
    for name in Settings.__dataclass_fields__:
        assert f"``{name}``" in text, name
