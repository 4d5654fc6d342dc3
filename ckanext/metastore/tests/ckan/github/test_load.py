"""Many clients at once: nothing is lost. ``make load`` has more datasets, for longer, and in the background, too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[5]


def test_sixteen_clients_read_and_save_at_once():
    """On a CKAN of several processes and threads, with a PostgreSQL, a Redis and a GitHub of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", ROOT / "bench/load.py", "--seconds", "6", "--datasets", "24"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-5000:]}"
    assert ": 0 lost, 0 doubled, 0 disordered, 0 undead" in done.stdout
