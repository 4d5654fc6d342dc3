"""Whatever dies when: nothing is lost. ``make crash`` lets more die, more often, and stops the services too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[5]


def test_savers_and_workers_are_killed():
    """In processes of their own, on a PostgreSQL, a Redis and a GitHub of their own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", ROOT / "bench/crash.py", "--short"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-5000:]}"
    assert " 0 lost, 0 doubled, 0 disordered, 0 undead" in done.stdout
