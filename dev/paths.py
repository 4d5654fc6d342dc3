"""Where things lie. All that the tools write is under ``var/``, except a root user's PostgreSQL data."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / "dev"
VAR = ROOT / "var"
LOGS = VAR / "log"
VENV = VAR / "venv"
SOLR = VAR / "solr"
OPENAPI = VAR / "openapi"
DEMOS = {"git": VAR / "demo", "github": VAR / "demo-github"}
DEMO_JSON = VAR / "demo.json"


def venv_program(name: str) -> str:
    """The path of a program in the virtual environment."""
    return str(VENV / "bin" / name)
