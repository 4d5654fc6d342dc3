"""Any text as a file's name."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ckanext.metastore.core.file_names import FILE_NAME_LIMIT, FileNames, safe_file_name
from ckanext.metastore.core.objects import TreeEntry, blob, tree
from ckanext.metastore.testing.git import check_integrity, git

ODD = {
    "trees 2026.csv": "trees 2026.csv",
    "  a \t\n b.csv ": "a b.csv",
    "#1.csv": "#1.csv",
    "!important.csv": "!important.csv",
    "*.csv": "_.csv",
    'it\'s "so".csv': "it's _so_.csv",
    "Bäume 🌳.csv": "Bäume 🌳.csv",
    "Ba\u0308ume.csv": "Bäume.csv",
    "街路樹.csv": "街路樹.csv",
    "[a]{b}$c%d&e.csv": "[a]{b}$c%d&e.csv",
    "-rf": "-rf",
    "a\\b/c:d|e?f<g>h.csv": "a_b_c_d_e_f_g_h.csv",
    "../../etc/passwd": "_.._etc_passwd",
    ".": "",
    "..": "",
    " . ": "",
    "": "",
    "\0\x7f\x85\ud800\uffff": "",
    ".gitattributes": "gitattributes",
    ".GIT": "GIT",
    ".git ": "git",
    " .git. .": "git",
    ".g\u200cit": "git",
    "\ufeff.gitmodules": "gitmodules",
    "git~1": "git_1",
    "GITMOD~1": "GITMOD_1",
    "gi7eba~1": "gi7eba_1",
    "notes.txt~": "notes.txt~",
    "a.csv.": "a.csv",
    "a .csv": "a.csv",
    "aux.csv": "_aux.csv",
    "Con": "_Con",
    "com¹ .tar.gz": "_com¹.tar.gz",
    "console.csv": "console.csv",
}


@pytest.mark.parametrize(("text", "name"), ODD.items(), ids=ascii)
def test_odd_names(text, name):
    assert safe_file_name(text) == name


@pytest.mark.parametrize("extension", [".csv", ".tar.gz", ".geojson"])
@pytest.mark.parametrize("letter", ["x", "ä", "街", "🌳", " ."])
def test_a_long_name_keeps_its_extension(letter, extension):
    name = safe_file_name("a" + letter * 300 + extension)
    assert FILE_NAME_LIMIT - 4 < len(name.encode()) <= FILE_NAME_LIMIT or letter == " ."
    assert name.endswith(extension)


def test_names_are_given_once():
    names = FileNames()
    asked = [
        "trees.csv",
        "TREES.CSV",
        "trees-2.csv",
        "trees.csv",
        "a.tar.gz",
        "a.tar.gz",
        "ä",
        "Ä",
        "x" * 200,
        "x" * 200,
    ]
    assert [names.take(name) for name in asked] == [
        "trees.csv",
        "TREES-2.CSV",
        "trees-2-2.csv",
        "trees-3.csv",
        "a.tar.gz",
        "a-2.tar.gz",
        "ä",
        "Ä-2",
        "x" * 200,
        "x" * 198 + "-2",
    ]


def test_a_thousand_files_of_one_name():
    names = FileNames()
    assert [names.take("download") for _ in range(1000)][-1] == "download-1000"
    assert len(names._numbers) == 1000


# -- any text ----------------------------------------------------------------------------------------------------------

CHARACTERS = st.characters(exclude_categories=()) | st.sampled_from(". ~1/\\:gitGITcon\u200c\ufeff\u0308\u0338ﬀßİ")
TEXTS = st.text(CHARACTERS, max_size=12) | st.text(CHARACTERS, max_size=8).map(lambda text: text * 40)
ALIKE = st.text("aAäÄ.-2\u0308", max_size=4)


@given(TEXTS)
@example("a" * 150 + "." + "b" * 100)
@example("a. .tar.gz")
def test_every_name_is_safe(text):
    name = safe_file_name(text)
    assert name == unicodedata.normalize("NFC", name) == safe_file_name(name)
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    assert len(name.encode()) <= FILE_NAME_LIMIT
    assert not set(name) & set('/\\<>:"|?*\0\n')
    assert (
        name == "" or name.isprintable() or any(unicodedata.category(letter) in ("Cn", "Co", "Cf") for letter in name)
    )


@given(st.lists(TEXTS | ALIKE, max_size=12))
def test_all_names_are_different_and_the_same_each_time(texts):
    safe = [name for name in map(safe_file_name, texts) if name]
    names, again = FileNames(), FileNames()
    taken = [names.take(name) for name in safe]
    assert len({unicodedata.normalize("NFC", name.casefold()) for name in taken}) == len(safe)
    assert [again.take(name) for name in safe] == taken
    assert all(safe_file_name(name) == name for name in taken)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    path = tmp_path_factory.mktemp("names")
    git("init", "--quiet", "--bare", str(path))
    git("hash-object", "-w", "--stdin", cwd=path, stdin=b"x")
    return path


@given(st.lists(TEXTS, min_size=20, max_size=60))
def test_git_accepts_every_name(repository, texts):
    """``fsck`` looks at the tree, and the index refuses what must not be checked out on Windows or a Mac."""
    names = FileNames()
    taken = [names.take(name) for name in map(safe_file_name, [*texts, *ODD]) if name]
    folder = tree(TreeEntry(name, blob(b"x").sha) for name in taken)
    sha = git("hash-object", "-t", "tree", "-w", "--stdin", cwd=repository, stdin=folder.data).strip()
    check_integrity(repository)
    guard = ("-c", "core.protectHFS=true", "-c", "core.protectNTFS=true")
    git(*guard, "read-tree", sha, cwd=repository)
    listed = git(*guard, "ls-files", "-z", cwd=repository).split("\0")[:-1]
    assert sorted(listed) == sorted(taken)
