"""The verbs of ``metastore``, against a service over real HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import count

import pytest
from click.testing import CliRunner

from ckanext.metastore.command import metastore
from ckanext.metastore.tests.service.running import DOCUMENT

NUMBERS = count()


@pytest.fixture
def run(service, tmp_path, monkeypatch):
    """Runs the program in an empty folder; gives what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("METASTORE_URL", service.address)
    monkeypatch.setenv("METASTORE_TOKEN", service.token(name="Edda Ito"))

    def run(*words, status=0, stdin=None):
        done = CliRunner().invoke(metastore, words, input=stdin, catch_exceptions=False)
        assert done.exit_code == status, done.output
        return done.stderr if status else done.stdout

    return run


@pytest.fixture
def dataset(run, tmp_path):
    """A dataset with two revisions."""
    name = f"parks/trees-{next(NUMBERS)}"
    run("create", name, "-", "-m", "First survey", stdin=json.dumps(DOCUMENT))
    run("update", name, "-", "-m", "Say what it is", stdin=json.dumps({**DOCUMENT, "title": "Street trees"}))
    return name


def ids(run, dataset):
    return [revision["id"] for revision in json.loads(run("log", dataset, "--json"))]


def test_show_gives_what_create_and_update_took(run, dataset):
    newest, first = ids(run, dataset)
    assert json.loads(run("show", dataset)) == {**DOCUMENT, "title": "Street trees"}
    assert json.loads(run("show", dataset, "--revision", first[:7])) == DOCUMENT
    assert json.loads(run("show", dataset, "--as-of", "2099-01-01"))["title"] == "Street trees"
    assert run("show", dataset) == run("show", dataset, "--revision", newest)


def test_create_from_a_file_prints_the_revision(run, tmp_path):
    (tmp_path / "datapackage.json").write_text(json.dumps(DOCUMENT))
    made = run("create", "parks/lindens", "datapackage.json", "--private").strip()
    assert ids(run, "parks/lindens") == [made]
    assert "already" in run("create", "parks/lindens", "datapackage.json", status=4)


def test_log(run, dataset):
    run("tag", dataset, "v1")
    newest = ids(run, dataset)[0]
    shown = run("log", dataset).splitlines()
    assert shown[:3] == [f"revision {newest}", "tags:    v1", "author:  Edda Ito <edda@users.noreply.127.0.0.1>"]
    assert shown[3].startswith("date:    20")
    assert shown[4:7] == ["", "    Say what it is", ""]
    assert run("log", dataset, "-n", "1").count("revision ") == 1


def test_diff(run, dataset):
    _, first = ids(run, dataset)
    assert run("diff", dataset, first) == '+ title: "Street trees"\n'
    assert run("diff", dataset, "HEAD", first) == '- title: "Street trees"\n'
    run("update", dataset, "-", stdin=json.dumps({**DOCUMENT, "title": "Trees"}))
    assert run("diff", dataset, ids(run, dataset)[1]) == '~ title: "Street trees" -> "Trees"\n'
    assert run("diff", dataset, "HEAD") == ""
    assert json.loads(run("diff", dataset, first, "--json"))[0]["kind"] == "added"
    assert json.loads(run("diff", dataset, first, "--format", "json-patch"))[0]["op"] == "add"
    assert '+  "title": "Trees",' in run("diff", dataset, first, "--format", "text")


def test_tag(run, dataset):
    newest, first = ids(run, dataset)
    assert run("tag", dataset) == ""
    assert run("tag", dataset, "v1", "--revision", first, "-m", "The first") == f"v1 {first} The first\n"
    assert json.loads(run("tag", dataset, "v2", "--json"))["revision_id"] == newest
    assert sorted(run("tag", dataset).splitlines()) == [f"v1 {first} The first", f"v2 {newest}"]
    assert len(json.loads(run("tag", dataset, "--json"))) == 2
    run("tag", dataset, "-d", "v1")
    assert run("tag", dataset) == f"v2 {newest}\n"


def test_revert(run, dataset):
    first = ids(run, dataset)[1]
    made = run("revert", dataset, first, "-m", "Back").strip()
    assert ids(run, dataset)[0] == made
    assert json.loads(run("show", dataset)) == DOCUMENT


def test_list(run, service, dataset):
    run("create", "parks/oaks", "-", "--private", stdin=json.dumps(DOCUMENT))
    lines = run("list").splitlines()
    assert f"{dataset} Street trees" in lines
    assert "parks/oaks (private)" in lines
    assert run("list", "parks").splitlines() == lines
    assert run("list", "transport") == ""
    assert [found["name"] for found in json.loads(run("list", "--json"))] == [
        line.split()[0].removeprefix("parks/") for line in lines
    ]


def test_move(run, dataset):
    before = ids(run, dataset)
    assert run("move", dataset, f"{dataset}-by-the-river") == f"{dataset}-by-the-river\n"
    assert ids(run, f"{dataset}-by-the-river") == before
    assert "no scope" in run("move", f"{dataset}-by-the-river", "transport/trees", status=5)


def test_delete(run, dataset):
    newest, first = ids(run, dataset)
    run("delete", dataset, "--base", first, status=4)
    made = run("delete", dataset, "-m", "Felled", "--base", newest).strip()
    assert ids(run, dataset) == [made, newest, first]
    assert "not found" in run("show", dataset, status=3)
    run("revert", dataset, newest)
    assert json.loads(run("show", dataset))["title"] == "Street trees"


def test_purge_asks_for_the_name(run, dataset):
    assert "as it was" in run("purge", dataset, status=1, stdin="parks/other\n")
    assert len(ids(run, dataset)) == 2
    assert run("purge", dataset, stdin=f"{dataset}\n") == ""
    assert "not found" in run("log", dataset, status=3)


def test_purge_by_a_script(run, dataset):
    assert run("purge", dataset, "--yes", stdin="") == ""
    assert "not found" in run("log", dataset, status=3)


def test_what_goes_wrong_is_a_sentence_and_an_exit_status(run, dataset, service, monkeypatch):
    newest, first = ids(run, dataset)
    assert run("show", "parks/nowhere", status=3) == "Error: dataset not found: parks/nowhere\n"
    assert run("show", dataset, "--revision", "v7", status=3) == "Error: revision not found: v7\n"
    said = run("update", dataset, "-", "--base", first, status=4, stdin=json.dumps(DOCUMENT))
    assert f"{newest}, by Edda Ito" in said
    assert "it is no valid JSON" in run("update", dataset, "-", status=2, stdin="no JSON")
    assert "resources" in run("update", dataset, "-", status=2, stdin='{"resources": 1}')
    monkeypatch.setenv("METASTORE_TOKEN", service.token("ds:parks/*:read"))
    assert "no scope" in run("tag", dataset, "v9", status=5)
    monkeypatch.delenv("METASTORE_TOKEN")
    assert "METASTORE_TOKEN is not set" in run("show", dataset, status=5)
    assert "does not answer" in run("show", dataset, "--url", "http://127.0.0.1:9", status=6)
    assert "write one like" in run("show", dataset, "--url", "nowhere", status=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "trees"], "write one like parks/street-trees"),
        (["show", "a/b/c"], "write one like parks/street-trees"),
        (["show", "a/b", "--as-of", "yesterday"], "write one like 2026-05-01T12:00:00Z"),
        (["show", "a/b", "--as-of", "2026-05-01", "--revision", "v1"], "not both"),
        (["move", "a/b", "c"], "write one like parks/street-trees"),
        (["tag", "a/b", "-d"], "Say which tag to delete"),
        (["create", "a/b", "not-there.json"], "not-there.json"),
    ],
)
def test_a_command_line_that_is_wrong(run, words, said):
    assert said in run(*words, status=2)


def test_the_token_is_in_no_help_and_no_error(run, service, monkeypatch):
    monkeypatch.setenv("METASTORE_TOKEN", "very secret")
    assert "secret" not in run("show", "parks/trees", status=2)
    assert "secret" not in run("show", "--help")


def test_without_httpx_it_says_what_to_install(tmp_path):
    (tmp_path / "httpx.py").write_text("raise ModuleNotFoundError('No module named httpx', name='httpx')")
    program = "from ckanext.metastore.command import metastore; metastore()"
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", program, "show", "a/b"],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "pip install 'ckanext-metastore[client]'" in done.stderr
