"""Some seconds of ``make soak``: what clients were answered is there in the end."""

from __future__ import annotations

import os
import subprocess
import sys

from ckanext.metastore.tests.examples import ROOT


def test_clients_that_do_as_they_like_lose_nothing():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", ROOT / "bench/soak.py", "--seconds", "5", "--clients", "4"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-5000:]}"
    assert "faults: 0" in done.stdout
