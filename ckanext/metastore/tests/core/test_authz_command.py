"""``metastore keys generate``."""

from __future__ import annotations

import configparser
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ckanext.metastore.authz import ALGORITHMS, KeyRing
from ckanext.metastore.command import metastore
from ckanext.metastore.tests import forge

PREFIX = "ckanext.authz_service."
PROGRAM = "from ckanext.metastore.command import metastore; metastore()"


@pytest.fixture
def generate(tmp_path, monkeypatch):
    """Runs the command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(metastore, ["keys", "generate", *arguments])


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize(
    ("umask", "algorithm"),
    [(0o022, None), (0, "ES256"), (0o077, "EdDSA"), (0o777, "RS256")],
    ids=["022", "0", "077", "777"],
)
def test_a_pair_of_keys(tmp_path, generate, umask, algorithm):
    before = os.umask(umask)
    try:
        answer = generate("tokens.pem", *(["--algorithm", algorithm] if algorithm else []))
    finally:
        os.umask(before)
    assert (answer.exit_code, answer.stderr) == (0, "")
    private, public = tmp_path / "tokens.pem", tmp_path / "tokens.pub.pem"
    assert set(tmp_path.iterdir()) == {private, public}
    assert (mode(private), mode(public)) == (0o600, 0o644)
    assert private.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")
    assert public.read_text() == forge.public(private.read_text())
    files = {"private_key_file": str(private), "public_key_file": str(public)}
    assert answer.stdout == "".join(f"{PREFIX}jwt_{option} = {path}\n" for option, path in files.items())
    ring = KeyRing(**files)
    assert [key.algorithm for key in ring.keys().public.values()] == [algorithm or ALGORITHMS[0]]


@pytest.mark.parametrize(
    "name", ["keys", "50%off.pem", "%(here)s", "a b;c#d=e:f.pem", "schlüssel.pem", ".pem", "a.b.pem"]
)
def test_its_output_can_be_pasted_into_an_ini_file(tmp_path, generate, name):
    answer = generate(name)
    config = configparser.ConfigParser({"here": "/elsewhere"})
    config.read_string(f"[app:main]\n{answer.stdout}")
    files = {option: config["app:main"][f"{PREFIX}jwt_{option}"] for option in ("private_key_file", "public_key_file")}
    assert KeyRing(**files).keys().signing
    assert files["private_key_file"] == str(tmp_path / name)


@pytest.mark.parametrize("there", ["tokens.pem", "tokens.pub.pem"])
@pytest.mark.parametrize("link", [False, True], ids=["a file", "a link to nowhere"])
def test_nothing_is_overwritten_and_nothing_half_made_is_left(tmp_path, generate, there, link):
    if link:
        (tmp_path / there).symlink_to("nowhere")
    else:
        (tmp_path / there).write_text("mine")
    answer = generate("tokens.pem")
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == f"Error: {there} cannot be written: File exists\n"
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).is_symlink() if link else (tmp_path / there).read_text() == "mine"


def test_where_the_disk_is_full_nothing_half_made_is_left(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, "keys", "generate", "t.pem"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)),
    )
    assert (answer.returncode, answer.stdout) == (1, b"")
    assert answer.stderr == b"Error: t.pem cannot be written: File too large\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["none/tokens.pem"], 1, "Error: none/tokens.pem cannot be written: No such file or directory\n"),
        (["f/tokens.pem"], 1, "Error: f/tokens.pem cannot be written: Not a directory\n"),
        (["x" * 252], 1, "x.pub cannot be written: File name too long\n"),
        (["."], 2, "Error: Invalid value for 'FILE': File '.' is a directory.\n"),
        (["x" * 999], 1, "cannot be written: File name too long\n"),
        ([], 2, "Error: Missing argument 'FILE'.\n"),
        (["t.pem", "--algorithm", "HS256"], 2, "'HS256' is not one of 'ES256', 'EdDSA', 'RS256'.\n"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(tmp_path, generate, arguments, code, sentence):
    (tmp_path / "f").touch()
    answer = generate(*arguments)
    assert (answer.exit_code, answer.stdout) == (code, "")
    assert answer.stderr.endswith(sentence)
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
