"""docs/clients.rst says what there is: settings, verbs, their options, exit statuses."""

from __future__ import annotations

import re
from dataclasses import fields

from ckanext.metastore.command import metastore
from ckanext.metastore.program.verbs import EXITS, VERBS
from ckanext.metastore.service import Settings
from ckanext.metastore.tests.examples import ROOT

TEXT = (ROOT / "docs/clients.rst").read_text()


def test_every_setting_that_is_named_is_there():
    settings = {f"METASTORE_{field.name.upper()}" for field in fields(Settings)}
    assert set(re.findall(r"METASTORE_\w+", TEXT)) <= settings | {"METASTORE_TOKEN"}


def test_every_verb_is_there_with_all_its_options():
    for verb in VERBS:
        told = re.search(rf"^``metastore {verb.name} .+?(?=^``metastore|^===)", TEXT, re.MULTILINE | re.DOTALL)
        assert told, verb.name
        options = {flag for parameter in verb.params for flag in [*parameter.opts, *parameter.secondary_opts]}
        mentioned = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", told[0]))
        assert mentioned <= options, verb.name
        assert verb.name in metastore.commands


def test_every_exit_status_is_there():
    assert {int(status) for status in re.findall(r"^(\d) \w", TEXT, re.MULTILINE)} == {0, 1, *EXITS.values()}
