"""Scopes: the grammar, to the letter."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ckanext.metastore.authz import Scope, parse_scope, parse_scopes
from ckanext.metastore.authz.scopes import SCOPE_LIMIT
from ckanext.metastore.core import Invalid

GOOD = {
    "ds:o/d:read": Scope("ds", "o/d", ("read",)),
    "ds:d:tag": Scope("ds", "d", ("tag",)),
    "ds:o/d:read,update": Scope("ds", "o/d", ("read", "update")),
    "ds:o/d:metadata:read": Scope("ds", "o/d", ("read",), "metadata"),
    "ds:o/:create": Scope("ds", "o/", ("create",)),
    "ds:o/*:tag": Scope("ds", "o/*", ("tag",)),
    "ds:*/d:tag": Scope("ds", "*/d", ("tag",)),
    "ds:o/.d:tag": Scope("ds", "o/.d", ("tag",)),
    "ds:o/...:tag": Scope("ds", "o/...", ("tag",)),
    "ds:o/a.:tag": Scope("ds", "o/a.", ("tag",)),
    "ds:O/D_2.0-x:tag": Scope("ds", "O/D_2.0-x", ("tag",)),
    "obj:o/d/*:read,write": Scope("obj", "o/d/*", ("read", "write")),
    "res:o/d/:create": Scope("res", "o/d/", ("create",)),
    "a1_-:o:b2_-": Scope("a1_-", "o", ("b2_-",)),
}
BAD = [
    *("", " ", ":", "::", "ds", "ds:", "ds:o", "ds:o/d", "ds:o/d:", "ds:o/d::tag", "ds:o/d:metadata:", "ds::tag"),
    *("ds:o/d:metadata:read:tag", "ds:o/d:a:b:c:d", "ds:/d:tag", "ds:/:create", "ds://:create", "ds:o//d:tag"),
    *("ds:a/b/c/d:tag", "ds:a/b/c/:tag", "ds:o//:create", "ds:o/d//:tag"),
    *("ds:o/d:tag,", "ds:o/d:,tag", "ds:o/d:tag,,read", "ds:o/d:tag, read", "ds:o/d:tag;read", "ds:o/d:tag\tread"),
    *("ds:o/d:*", "ds:o/d:tag,*", "ds:o/d:metadata:*", "ds:o/d:*:read", "*:o/d:tag", "ds:o/d*:tag", "ds:**:tag"),
    *("ds:o/d?:tag", "ds:o/[d]:tag", "ds:o/.:tag", "ds:o/..:tag", "ds:../d:tag", "ds:./d:tag", "ds:..:tag"),
    *("ds:o/../d:tag", "ds:../:create", "ds:./:create", "ds:o/%2F:tag", "ds:o%2Fd:tag", "ds:o\\d:tag", "ds:o/d@x:tag"),
    *("DS:o/d:tag", "ds:o/d:TAG", "ds:o/d:Tag", "ds:o/d:METADATA:read", "ds:o/d:2tag", "ds:o/d:-tag", "ds:o/d:_tag"),
    *(" ds:o/d:tag", "ds:o/d:tag ", "ds:o/d:tag\n", "\nds:o/d:tag", "ds:o/d:tag\0", "ds:o/d\n:tag", "ds: o/d:tag"),
    *("ds:o/d:tag y:read", "ds:o/d :tag", "ds:o/d:t\u0430g", "ds:o/\u0501:tag", "ds:\uff4f/d:tag", "\u217eds:o/d:tag"),
    *("ds:o/d:\u017ftag", "d\u017f:o/d:tag", "ds:o/\u0661:tag", "ds:o/d:tag\u0662", "ds:o/\u212a:tag"),
    *(
        "ds\uff1ao/d\uff1atag",
        "ds:o\u2044d:tag",
        "ds:o\u2215d:tag",
        "ds:o/d:tag\u200b",
        "ds:o/\ufeffd:tag",
        "ds:o/d\u0301:tag",
    ),
    *("ds:o/d:tag\u2028", "ds:o/d:tag\x85", "ds:o/\ud800:tag", "ds:o/d#x:tag", "ds:o/d?x:tag", 'ds:o/"d":tag'),
]
NEAR = st.text(st.sampled_from("ds:o/*.,-_ \n2TaÉſ\u0661"), max_size=14) | st.lists(
    st.sampled_from(["ds", "o", "d", "tag", "read", "metadata", ":", "/", ",", "*", ".", "..", " ", "T", "ſ"]),
    max_size=9,
).map("".join)
NAMES = st.builds(str.__add__, st.sampled_from("az"), st.text("az09_-", max_size=3))
SEGMENTS = st.text("azAZ09_.-", min_size=1, max_size=4).filter(lambda text: text not in (".", ".."))
REFS = st.builds(
    lambda segments, end: "/".join(segments) + (end if len(segments) < 3 else ""),
    st.lists(SEGMENTS | st.just("*"), min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
)
SCOPES = st.builds(Scope, NAMES, REFS, st.lists(NAMES, min_size=1, max_size=4).map(tuple), subscope=st.none() | NAMES)


@pytest.mark.parametrize(("text", "scope"), GOOD.items(), ids=ascii)
def test_what_is_a_scope(text, scope):
    assert parse_scope(text) == scope
    assert str(scope) == text


@pytest.mark.parametrize("text", BAD, ids=ascii)
def test_what_is_none(text):
    for read in (parse_scope, parse_scopes):
        with pytest.raises(Invalid) as error:
            read(text)
        assert error.value.field == "scopes"


@pytest.mark.parametrize("text", BAD, ids=ascii)
def test_a_malformed_one_spoils_the_good_ones(text):
    for several in (f"{text} ds:o/d:read", f"ds:o/d:read {text}", f"ds:o/d:read {text} ds:o/d:tag"):
        with pytest.raises(Invalid):
            parse_scopes(several)


@pytest.mark.parametrize("space", ["  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", ",", ";", " \n"], ids=ascii)
def test_only_one_space_parts_scopes(space):
    assert parse_scopes("ds:o/d:read ds:o/d:tag") == (Scope("ds", "o/d", ("read",)), Scope("ds", "o/d", ("tag",)))
    with pytest.raises(Invalid):
        parse_scopes(f"ds:o/d:read{space}ds:o/d:tag")


def test_a_token_has_64_scopes_at_most():
    assert len(parse_scopes(" ".join(["ds:d:tag"] * 64))) == SCOPE_LIMIT == 64
    with pytest.raises(Invalid, match="there are 65; at most 64"):
        parse_scopes(" ".join(["ds:d:tag"] * 65))


def test_a_refusal_shows_the_element_and_not_all_of_a_long_one():
    with pytest.raises(Invalid, match=r"'ds:o/d:tag\\n' is no scope"):
        parse_scope("ds:o/d:tag\n")
    with pytest.raises(Invalid) as error:
        parse_scope("x" * 5000)
    assert len(error.value.reason) < 300


@pytest.mark.parametrize(("begin", "part"), [("", "a,"), ("ds:", "a/"), ("ds:", "."), ("ds:o/d:", "a,"), ("ds:", "a")])
def test_reading_takes_no_longer_than_it_must(begin, part):
    with pytest.raises(Invalid):
        parse_scope(begin + part * 100_000)


@given(SCOPES)
def test_what_is_printed_is_read_as_the_same(scope):
    assert parse_scope(str(scope)) == scope


@given(st.lists(SCOPES, min_size=1, max_size=5))
def test_so_are_several(scopes):
    assert parse_scopes(" ".join(map(str, scopes))) == tuple(scopes)


@given(NEAR)
@example("ds:o/d:tag")
@example("ds:o/d:metadata:read,tag")
def test_what_can_be_read_is_printed_as_it_was(text):
    try:
        scope = parse_scope(text)
    except Invalid:
        return
    assert str(scope) == text
    assert text.isascii()
    assert " " not in text
