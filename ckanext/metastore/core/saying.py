"""Sentences that can be said in another language later: here nothing is known of whoever will read them."""

from __future__ import annotations

from typing import Any


class Saying(str):
    """A sentence in English, which remembers what it was made of.

    :ivar template: the sentence with places, such as ``"at most {number} bytes"``
    :ivar values: what stands in the places
    """

    template: str
    values: dict[str, Any]


def N_(template: str, **values: Any) -> Saying:  # noqa: N802
    """Say a sentence; its template, which must stand here as it is, comes into the template of the translations."""
    saying = Saying(template.format(**values))
    saying.template, saying.values = template, values
    return saying
