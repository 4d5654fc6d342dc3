"""The project's documents: they can be read, they name what there is, and the library does what README.rst shows.

What they show of CKAN's side is played in ``tests/ckan/test_readme.py``.
"""

from __future__ import annotations

import doctest
import re

import pytest
from docutils import nodes

from ckanext.metastore.core.findings import KINDS
from ckanext.metastore.tests.examples import README, ROOT, Command, StandIns, blocks, commands, document

ARCHITECTURE = ROOT / "docs/architecture.rst"
DOCUMENTS = sorted([*ROOT.glob("*.rst"), *ROOT.glob("docs/*.rst")])
PACKAGE = ROOT / "ckanext/metastore"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_document_is_valid_and_leads_somewhere(path):
    references = {reference.get("refuri", "") for reference in document(path).findall(nodes.reference)} - {""}
    assert {name for name in references if not name.startswith("http") and not _leads(path, name)} == set()


def _leads(path, name):
    """Whether a document is there, and the section that is meant, by the anchor that Git hosts give it."""
    file, _, anchor = name.partition("#")
    target = (path.parent / file).resolve()
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(path):
    titles = [title.astext() for title in document(path).findall(nodes.title)]
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_library_does_what_the_readme_shows(tmp_path):
    text = "\n\n".join(block.text for block in blocks(README, "pycon")).replace("/srv/packages", str(tmp_path))
    example = doctest.DocTestParser().get_doctest(text, {}, README.name, str(README), 0)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(example, out=report.append)
    assert not report, "".join(report)
    assert example.examples


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_made_can_be_made(path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:``|^ *)make ([a-z-]+)", path.read_text(), re.MULTILINE)
    assert set(named) <= targets


def test_every_module_is_named_in_the_architecture_and_the_other_way_round():
    named = {term.astext() for term in document(ARCHITECTURE).findall(nodes.term) if term.astext().endswith(".py")}
    modules = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py")}
    empty = {"__init__.py"}
    assert named == {module for module in modules if not module.startswith("tests/")} - empty


def test_every_file_that_the_architecture_mentions_is_there():
    mentioned = {literal.astext() for literal in document(ARCHITECTURE).findall(nodes.literal)}
    files = {name for name in mentioned if re.fullmatch(r"[\w/]+\.py|[a-z]+/([a-z]+/)*", name)}
    assert files
    assert {name for name in files if not ((PACKAGE / name).exists() or (ROOT / name).exists())} == set()


def test_every_function_that_the_architecture_names_with_its_module_is_there():
    text = re.sub(r"\s+", " ", ARCHITECTURE.read_text())
    pairs = re.findall(r"``([\w.]+)`` in ``([\w/]+\.py)``", text)
    assert pairs
    for name, module in pairs:
        assert re.search(rf"^\s*(def|class) {name.split('.')[-1]}\b", (PACKAGE / module).read_text(), re.MULTILINE), (
            name
        )


def test_operations_says_what_to_do_about_every_finding():
    text = (ROOT / "docs/operations.rst").read_text()
    assert set(re.findall(r"^   \* - ``([\w-]+)``$", text, re.MULTILINE)) == set(KINDS)


# -- the runner itself ----------------------------------------------------------------------------------------------


def test_commands_end_where_a_shell_would_end_them():
    text = "$ one \\\n  two\nanswer\n$ curl -d '{\n  \"a\": 1}'\n$ last"
    assert list(commands(text)) == [
        Command("one \\\n  two", "answer"),
        Command("curl -d '{\n  \"a\": 1}'", ""),
        Command("last", ""),
    ]


def test_stand_ins_are_learned_from_the_first_answer_and_must_stay():
    shown, real, other = "1" * 40, "a" * 40, "b" * 40
    stand_ins = StandIns({"https://data.example.org": "http://127.0.0.1:5000"})
    assert stand_ins.agree(f'{{"id": "{shown}", ... "n": 1}}', f'{{"id": "{real}", "m": 2,\n "n": 1}}')
    assert stand_ins.real(f"https://data.example.org/{shown[:7]}") == f"http://127.0.0.1:5000/{real[:7]}"
    assert not stand_ins.agree(shown, other)
    assert not stand_ins.agree(f'{{"id": "{shown}"}}', f'{{"id": "{real}", "n": 1}}')
