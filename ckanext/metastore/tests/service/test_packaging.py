"""What ``packaging/`` says is there: settings, commands, files, extras."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from dataclasses import fields

from ckanext.metastore.command import metastore
from ckanext.metastore.service import Settings
from ckanext.metastore.tests.examples import ROOT

DOCKERFILE = ROOT / "packaging/Dockerfile"
UNIT = ROOT / "packaging/metastore.service"
VARIABLES = {f"METASTORE_{field.name.upper()}" for field in fields(Settings)}


def said(text, pattern):
    found = set(re.findall(pattern, text, re.MULTILINE))
    assert found
    return found


def test_the_container_copies_what_is_there_and_sets_what_can_be_set():
    text = DOCKERFILE.read_text()
    copied = {name for line in said(text, r"^COPY (.+) \S+$") for name in line.split()}
    assert all((ROOT / name).exists() for name in copied)
    assert said(text, r"(METASTORE_\w+)=") <= VARIABLES
    extras = (ROOT / "pyproject.toml").read_text()
    assert all(f"\n{extra} = [" in extras for extra in said(text, r"/src\[(\w+)\]"))
    assert said(text, r'^CMD \["(\w+)"\]') <= set(metastore.commands)
    assert said(text, r"^EXPOSE (\d+)") == {str(Settings().serve_port)}


def test_the_unit_runs_what_is_there_and_sets_what_can_be_set():
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT.read_text())
    program, command = unit["Service"]["ExecStart"].split()
    assert program.endswith("/bin/metastore")
    assert command in metastore.commands
    assert said(UNIT.read_text(), r"^Environment=(METASTORE_\w+)=") <= VARIABLES


def test_systemd_understands_the_unit_and_finds_it_safe(tmp_path):
    text = UNIT.read_text().replace("/opt/metastore/bin/metastore", str(shutil.which("true")))
    (tmp_path / UNIT.name).write_text(text)
    for words in (["verify", "--recursive-errors=no"], ["security", "--offline=true", "--threshold=20"]):
        done = subprocess.run(
            ["systemd-analyze", *words, str(tmp_path / UNIT.name)], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
