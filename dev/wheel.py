"""Tests what people install: the wheel, built by way of the source archive, in a fresh environment.

The first environment has no CKAN at all. The second borrows the CKAN of the checkout's environment, but not the
checkout: the ``.pth`` file that leads to it works only in a folder that Python itself takes for site-packages.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from dev.console import Failure, Job, finish, say
from dev.paths import DEV, LOGS, ROOT, VENV, venv_program
from dev.run import child, environment
from dev.services import throwaway

LOG = LOGS / "wheel.log"
# CKAN puts its own folder on the path, where its "types" hides Python's from whatever was not imported before.
COMMAND = "import functools; from ckan.cli.cli import ckan; ckan()"


def test_wheel() -> None:
    """Build, look into, install and use the wheel."""
    LOG.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="metastore-wheel-") as name:
        folder = Path(name)
        build = [venv_program("python"), "-m", "build", "--outdir", str(folder), str(ROOT)]
        finish(Job("wheel", build, LOG))
        wheel = next(folder.glob("*.whl"))
        _check_content(wheel)
        _check_without_ckan(folder / "alone", wheel)
        _check_with_ckan(folder / "ckan", wheel)
    say("The wheel is complete, and works without CKAN and with it.")


def _check_content(wheel: Path) -> None:
    """Every file of the package is in the wheel, and nothing else but what describes it."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "ckanext"]
    output = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    sources = {name for name in output.splitlines() if (ROOT / name).exists()}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    if missing := sources - packed:
        raise Failure(f"The wheel lacks {', '.join(sorted(missing))}: see MANIFEST.in.")
    if surplus := packed - sources:
        raise Failure(f"The wheel has what the checkout has not: {', '.join(sorted(surplus))}.")


def _check_without_ckan(venv: Path, wheel: Path) -> None:
    """The library and the service work where there is no CKAN."""
    python = _environment(venv)
    finish(Job("installation without CKAN", [*_pip(python), f"{wheel}[service]"], LOG))
    finish(Job("library without CKAN", [python, "-I", str(DEV / "wheel_check.py"), str(venv)], LOG))


def _check_with_ckan(venv: Path, wheel: Path) -> None:
    """CKAN takes the plugin, its options and its tables from the wheel."""
    python = _environment(venv)
    finish(Job("installation beside CKAN", [*_pip(python), "--no-deps", str(wheel)], LOG))
    for folder in VENV.glob("lib/python*/site-packages"):
        (next(venv.glob("lib/python*/site-packages")) / "ckan.pth").write_text(str(folder))
    with throwaway() as plan:
        variables = environment(plan.environment)
        for words in (
            ["db", "upgrade"],
            ["config", "declaration", "metastore"],
            ["db", "downgrade", "-p", "metastore"],
        ):
            _run([python, "-P", "-c", COMMAND, *words], variables)


def _run(command: Sequence[str], variables: dict[str, str]) -> None:
    if child(command, variables):
        raise Failure(f"{' '.join(command)}: failed.")


def _environment(venv: Path) -> str:
    """A fresh virtual environment; gives its Python."""
    finish(Job(f"environment {venv.name}", [sys.executable, "-m", "venv", "--without-pip", str(venv)], LOG))
    return str(venv / "bin" / "python")


def _pip(python: str) -> list[str]:
    """The checkout's pip, to install into another environment."""
    return [venv_program("pip"), "--python", python, "install", "--disable-pip-version-check"]
