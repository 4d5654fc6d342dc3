"""The themes in which the browser's portal is looked at."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

Options = dict[str, Any]


def chosen() -> Options:
    """The options of the theme that the environment names in ``METASTORE_THEME``: CKAN's own, or ``midnight-blue``."""
    name = os.environ.get("METASTORE_THEME", "")
    assert name in ("", "midnight-blue"), f"there is no theme {name}"
    return _midnight_blue() if name else {"ckan.plugins": []}


def _midnight_blue() -> Options:
    """CKAN 2.12's other theme.

    CKAN's own wheel lacks its files. Somebody has put them into a package; that one lacks the module that names them.
    """
    from ckanext.theming.lib import Theme  # its package is here for this theme only

    package = find_spec("ckanext.midnight_blue_theme")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "themes/mbp"
    module = ModuleType("ckanext.midnight_blue_theme.themes.mbp.theme")
    module.make_theme = lambda: Theme("midnight-blue-portable", str(folder))
    sys.modules[module.__name__] = module
    return {"ckan.plugins": ["midnight_blue_theme"], "ckan.ui.theme": "midnight-blue-portable"}
