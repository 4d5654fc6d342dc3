"""What the library says, in the language of whoever reads it."""

from __future__ import annotations

import ckantoolkit as tk

from ckanext.metastore.core.saying import Saying


def translated(text: str) -> str:
    """A sentence of the library's, where it can be translated; any other text as it is."""
    return str(tk._(text.template).format(**text.values)) if isinstance(text, Saying) else text
