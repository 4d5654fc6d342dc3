"""The page in a repository, as GitHub's own renderer shows it."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options
from hypothesis import example, given
from hypothesis import strategies as st

from ckanext.metastore.core.readme import readme

PAGE = "https://ckan.example/dataset/trees"

DOCUMENT = {
    "title": "Street trees",
    "description": "All trees of the city.\n\nPlanted since 1900,\nby many people.",
    "resources": [
        {"title": "Trees", "format": "CSV", "path": "https://data.example/trees.csv"},
        {"name": "map", "path": "data/map.geojson"},
    ],
}

README = """\
<!-- Generated from datapackage.json. The next save overwrites what is changed here. -->

# Street trees

All trees of the city.

Planted since 1900,
by many people.

## Resources

| Resource | Format | Link |
| --- | --- | --- |
| Trees | CSV | [trees.csv](<https://data.example/trees.csv>) |
| map |  | data/map.geojson |

[Dataset page](<https://ckan.example/dataset/trees>)
"""

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "![x](https://tracker.example/x.png)",
    "# Heading",
    "Heading\n===",
    "Heading\n---",
    "- list\n+ list\n* list\n1. list\n1) list",
    "> quote",
    "    code",
    "\tcode",
    "```\ncode\n```",
    "~~~\ncode\n~~~",
    "`code` **bold** _italic_ ~~gone~~",
    "a | b\n--|--\nc | d",
    "a\n:--\nb",
    "[x]: https://example.org\n[x] [^1]\n\n[^1]: note",
    "&lt;b&gt; &copy; &#60;",
    "\\<b> \\\\",
    "<!-- comment --> <?php ?> <!DOCTYPE x> <![CDATA[x]]>",
    "ftp://example.org/x FTP://example.org",
    "<https://example.org> <javascript:x>",
    "***\n---\n___",
    "$x$ $$y$$",
    "C #",
]

ALLOWED = {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "a"}


class Page(HTMLParser):
    """What a page shows: its tags, its links, its text."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        assert {name for name, _ in attributes} <= {"href"}
        self.links += [value for name, value in attributes if name == "href"]

    def handle_data(self, data):
        self.text += data

    def handle_pi(self, data):
        raise AssertionError(data)

    handle_decl = unknown_decl = handle_pi


def page(document, page_url=PAGE) -> Page:
    return Page(readme(document, page_url=page_url).decode())


def words(text: str) -> list[str]:
    return text.split()


def test_the_page():
    assert readme(DOCUMENT, page_url=PAGE).decode() == README


def test_the_page_as_people_see_it():
    shown = page(DOCUMENT)
    assert shown.links == ["https://data.example/trees.csv", PAGE]
    assert shown.tags.count("p") == 3
    assert shown.tags.count("tr") == 3


@pytest.mark.parametrize("text", HOSTILE)
def test_values_are_shown_as_text(text):
    document = {"title": text, "description": text, "resources": [{"title": text, "format": text, "path": text}]}
    shown = page(document)
    assert set(shown.tags) <= ALLOWED
    for link in shown.links:
        assert re.match("https?://", link)
    assert words(text)[0] in shown.text
    once = words(text)
    assert words(shown.text)[: 2 * len(once)] == once + once


ODD_TEXT = st.text(st.sampled_from("ab \n\t\\`*_[]()<>&|~$#+=:-.!1/@^\"'{}"), max_size=30) | st.text(st.characters())


@given(ODD_TEXT, ODD_TEXT, ODD_TEXT)
@example("a", "b\n- c", "https://x/<y>")
def test_any_text_is_shown_as_text(title, description, path):
    shown = page({"title": title, "description": description, "resources": [{"title": title, "path": path}]})
    assert set(shown.tags) <= ALLOWED
    for link in shown.links:
        assert re.match("(https?|mailto|xmpp):", link, re.IGNORECASE)
    assert shown.tags.count("h1") == shown.tags.count("table") == shown.tags.count("h2") == 1
    assert shown.tags.count("td") == 3


@pytest.mark.parametrize(
    "path",
    [
        "https://data.example/a b|c>d)e\"f'g?x=<y>&z=1#ä",
        "https://data.example/%20%7C?x=%26",
        "http://data.example:8080/x.csv",
        "HTTPS://DATA.example/",
        "https://bücher.example/木.csv",
    ],
)
def test_web_addresses_are_linked(path):
    link = page({"resources": [{"path": path}]}).links[0]
    assert re.match("https?://[^ <>]+$", link)


@pytest.mark.parametrize(
    "path",
    ["javascript:alert(1)", "data:text/html,x", "//x.example/y", "https:", "https:///x", "http://[bad", "x.csv", ""],
)
def test_other_addresses_are_not(path):
    document = {"resources": [{"path": path}]}
    assert page(document, page_url=path).links == []
    assert unescape(path) in page(document).text


def test_several_paths():
    paths = ["https://data.example/1.csv", "data/2.csv", 3, None]
    assert page({"resources": [{"path": paths}]}, page_url="").links == paths[:1]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"title": None, "description": 7, "resources": None},
        {"title": ["x"], "resources": {"x": 1}},
        {"resources": ["x", None, {}, {"path": {}}]},
        {"title": "\ud800\0", "description": "\ud800\0\x1b[31m"},
    ],
)
def test_documents_of_the_wrong_shape(document):
    assert page(document).tags.count("h1") == 1
