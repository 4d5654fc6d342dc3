"""The project's own tools: they install, start and stop what CKAN needs. Standard library only.

Run them as ``python3 -m dev COMMAND`` or, shorter, through ``make``.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit(f"Python 3.10 or newer is needed, not {sys.version.split()[0]}: give PYTHON=.")
