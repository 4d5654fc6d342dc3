"""Names, messages and times in their one form."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.metastore.core import Invalid
from ckanext.metastore.core.text import (
    FALLBACK_EMAIL,
    FALLBACK_NAME,
    normalise_email,
    normalise_message,
    normalise_name,
    normalise_timestamp,
    one_line,
)

# Hypothesis leaves surrogates out of text() unless they are asked for.
ANY_TEXT = st.text(st.characters())


@pytest.mark.parametrize(
    ("name", "normalised"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  Ada\n\tLovelace ", "Ada Lovelace"),
        ("Ada <ada@x>", "Ada ada@x"),
        ("Dr. Ada, Jr.", "Dr. Ada, Jr"),
        ('"Ada"', "Ada"),
        ("O'Brien", "O'Brien"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("李小龍", "李小龍"),
        ("A\0d\x1ba\x85", "Ada"),
        ("\u037e", FALLBACK_NAME),  # the Greek question mark is a semicolon in NFC
        ("<", FALLBACK_NAME),
        ("\ud800\uffff", FALLBACK_NAME),
        ("", FALLBACK_NAME),
    ],
)
def test_names(name, normalised):
    assert normalise_name(name) == normalised


@pytest.mark.parametrize(
    ("email", "normalised"),
    [
        ("ada@example.org", "ada@example.org"),
        (" ada @\nexample.org. ", "ada@example.org"),
        ("<ada@example.org>", "ada@example.org"),
        ("ada@bücher.example", "ada@bücher.example"),
        ("", FALLBACK_EMAIL),
        ("<>", FALLBACK_EMAIL),
    ],
)
def test_emails(email, normalised):
    assert normalise_email(email) == normalised


@pytest.mark.parametrize(
    ("message", "normalised"),
    [
        ("Title\r\n\r\nBody\r\n", "Title\n\nBody"),
        ("old\rMac", "old\nMac"),
        ("\n \n\t\n  Title\n\n\n", "  Title"),
        ("tab\tstays, NUL\0 and ESC\x1b go", "tab\tstays, NUL and ESC go"),
        ("\ud83d lone", " lone"),
        ("\ufffe\ufdd0x\U0001ffff", "x"),
        ("e\u0301", "é"),
        (" \r\n ", ""),
    ],
)
def test_messages(message, normalised):
    assert normalise_message(message) == normalised


def test_a_message_has_ten_thousand_characters():
    assert len(normalise_message("木" * 10_000 + "\n")) == 10_000
    with pytest.raises(Invalid, match="10,001 characters") as error:
        normalise_message("木" * 10_001, field="description")
    assert error.value.field == "description"


@given(ANY_TEXT)
def test_normalising_twice_changes_nothing(text):
    for normalise in (normalise_name, normalise_email, normalise_message, one_line):
        once = normalise(text)
        assert normalise(once) == once
        once.encode()


@given(ANY_TEXT)
def test_names_fit_into_a_header(text):
    for normalise in (normalise_name, normalise_email):
        assert normalise(text)
        assert not set("<>\n\0") & set(normalise(text))


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        (datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=timezone.utc), 1),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 1_767_225_600),
        (datetime(2026, 1, 1), 1_767_225_600),
        (datetime(1000, 1, 1), 0),
        (datetime(9999, 12, 31), 2**32 - 1),
    ],
)
def test_timestamps(time, seconds):
    assert normalise_timestamp(time) == seconds


def test_no_timestamp_is_before_the_parents():
    assert normalise_timestamp(datetime(2020, 1, 1), not_before=1_767_225_600) == 1_767_225_600


def test_now_is_the_time_by_default():
    assert abs(normalise_timestamp(None) - datetime.now(timezone.utc).timestamp()) < 5
