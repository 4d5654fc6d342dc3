"""Where things lie. All that the tools write is under ``var/``, except a root user's PostgreSQL data."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / "dev"
VAR = ROOT / "var"
LOGS = VAR / "log"
# "2.11": the environment is one with the older CKAN that we support.
OLDER_CKAN = os.environ.get("METASTORE_CKAN", "")
VENV = VAR / (f"venv-{OLDER_CKAN}" if OLDER_CKAN else "venv")
REQUIREMENTS = f"dev/ckan-{OLDER_CKAN}.txt" if OLDER_CKAN else "dev-requirements.txt"
SOLR = VAR / "solr"
OPENAPI = VAR / "openapi"
AXE = VAR / "axe"
WEBHOOKS = VAR / "webhooks"
PEER = VAR / "peer"
GIFTLESS = VAR / "giftless"
DEMOS = {"git": VAR / "demo", "github": VAR / "demo-github", "service": VAR / "demo-service"}
DEMO_JSON = VAR / "demo.json"


def venv_program(name: str) -> str:
    """The path of a program in the virtual environment."""
    return str(VENV / "bin" / name)
