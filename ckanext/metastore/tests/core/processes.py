"""Other processes, which work in the same folder."""

from __future__ import annotations

import os
import subprocess
import sys


def run_python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a piece of code to its end, with more environment variables."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env={**os.environ, **environment}, check=True, capture_output=True
    )
