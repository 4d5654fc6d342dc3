"""What we say, in the language of whoever reads it."""

from __future__ import annotations

import ckantoolkit as tk
from flask import has_request_context

from ckanext.metastore.core.saying import Saying


def _(text: str) -> str:
    """A sentence of ours; in English where there is no request, as in a script or a thread: CKAN's own fails there."""
    return str(tk._(text)) if has_request_context() else text


def translated(text: str) -> str:
    """A sentence of the library's, where it can be translated; any other text as it is."""
    return _(text.template).format(**text.values) if isinstance(text, Saying) else text
