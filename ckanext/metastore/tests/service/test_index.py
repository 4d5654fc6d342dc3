"""The index, as earlier versions of the service have left it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ckanext.metastore.core import Unavailable
from ckanext.metastore.service.database import Database

FIRST = Path(__file__).with_name("index-1.sql")
"""A dump of an index of version 1: a dataset with one revision and a tag, none of them published."""

REVISION = "4d550fa0e1b3142c6999d24c791a4cf63f4bed4c"


@pytest.fixture
def index(tmp_path):
    """The file, of version 1."""
    (tmp_path / "data").mkdir()
    path = tmp_path / "data/index.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(FIRST.read_text())
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    return path


def schema(path):
    """Every table and index, as SQLite has it."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()
    connection.close()
    return rows


def test_an_index_of_version_1_is_taken_over(index, app):
    client, _ = app()
    answer = client.get("/v1/datasets/acme/trees?revision=v1")
    assert (answer.headers["ETag"], answer.json["title"]) == (f'"{REVISION}"', "Street trees")
    patched = client.patch("/v1/datasets/acme/trees", json={"title": "Elms"})
    assert (patched.status_code, patched.headers["Metastore-Published"]) == (200, "true")
    assert client.post("/v1/mirrors", json={"owner": "acme", "name": "trees"}).status_code == 409
    assert client.post("/v1/mirrors", json={"owner": "acme", "name": "oaks"}).json["number"] == 1


def test_it_is_then_like_a_new_one(index, tmp_path):
    for _ in range(2):
        Database(index).close()
    Database(tmp_path / "new.sqlite").close()
    assert schema(index) == schema(tmp_path / "new.sqlite")


def test_an_index_of_a_later_version_is_left_alone(index):
    connection = sqlite3.connect(index)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Unavailable, match="later version"):
        Database(index)
