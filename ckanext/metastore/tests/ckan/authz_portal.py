"""A portal in a process of its own, in which ckanext-authz-service can be loaded too; prints what it saw, as JSON.

Whether that extension is there is seen when our plugin is imported, and then never again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

PLUGINS = ("metastore", "metastore_authz", "authz_service")
ENTRY_POINT = "[ckan.plugins]\nauthz_service = ckanext.authz_service.plugin:AuthzServicePlugin\n"


def seen(folder: Path, *, with_stand_in: bool) -> dict[str, Any]:
    """Run the process, and give what it saw."""
    information = folder / "authz_service-0.2.0.dist-info"
    path = [str(folder), *filter(None, os.environ.get("PYTHONPATH", "").split(":"))]
    if with_stand_in:
        information.mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: authz_service\nVersion: 0.2.0\n")
        (information / "entry_points.txt").write_text(ENTRY_POINT)
        path.append(str(Path(__file__).with_name("authz_service")))
    key = str(folder / "rsa.pem")
    subprocess.run(["metastore", "keys", "generate", "--algorithm", "RS256", key], check=True, capture_output=True)
    environment = {
        **os.environ,
        "PYTHONPATH": ":".join(path),
        "CKANEXT__METASTORE__PATH": str(folder / "metastore"),
        "CKANEXT__AUTHZ_SERVICE__JWT_PRIVATE_KEY_FILE": key,
        "CKANEXT__AUTHZ_SERVICE__JWT_MAX_LIFETIME": "901",
    }
    command = [sys.executable, "-W", "ignore", "-m", __name__, *(["authz_service"] if with_stand_in else [])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


# -- within the process ---------------------------------------------------------------------------------------------


def _main(with_stand_in: bool) -> dict[str, Any]:
    if with_stand_in:
        starts = {" ".join(order): _tokens_of(order) for order in permutations(PLUGINS)}
        through = _through(_start("authz_service", "metastore_authz", "metastore"))
        return {"starts": starts, **through, "without_key": _without_key(PLUGINS)}
    alone = _alone(_start("metastore_authz"))
    starts = {" ".join(order): _tokens_of(order) for order in permutations(PLUGINS[:2])}
    return {"starts": starts, "alone": alone, "without_key": _without_key(PLUGINS[:2])}


def _start(*plugins: str, **options: str) -> Any:
    from ckan.cli import CKANConfigLoader
    from ckan.config.middleware import make_app

    config = CKANConfigLoader(os.environ["CKAN_INI"]).get_config()
    return make_app({**config, "ckan.plugins": " ".join(plugins), **options})


def _without_key(order: tuple[str, ...]) -> Any:
    os.environ.pop("CKANEXT__AUTHZ_SERVICE__JWT_PRIVATE_KEY_FILE")
    return _tokens_of(order, **{"ckanext.authz_service.jwt_private_key_file": ""})


def _tokens_of(order: tuple[str, ...], **options: str) -> Any:
    """Who gives tokens, and whether the stand-in shows the key; or why CKAN does not start."""
    import ckantoolkit as tk
    from ckan.exceptions import CkanConfigurationException
    from ckan.tests.helpers import CKANTestApp

    try:
        app = _start(*order, **options)
    except CkanConfigurationException as error:
        return str(error)
    page = CKANTestApp(app).get("/authz/public_key").text
    return [tk.get_action("authz_authorize").__module__, page == "The stand-in's"]


def _portal(app: Any) -> tuple[Any, Any]:
    from ckan.tests.helpers import CKANTestApp

    from ckanext.metastore.tests.ckan.city import Api, City

    with app._wsgi_app.app_context():
        city = City()
    return city, Api(CKANTestApp(app))


def _alone(app: Any) -> Any:
    """What ``metastore_authz`` grants where ``metastore`` is not loaded: there are no tags of history then."""
    from ckan.tests import factories
    from ckan.tests.helpers import CKANTestApp

    with app._wsgi_app.app_context():
        user = factories.UserWithToken()
        name = factories.Dataset(user=user)["name"]
    asked = [f"ds:{name}:read,tag,revert", f"ds:{name}:tag"]
    headers = {"Authorization": user["token"]}
    answer = CKANTestApp(app).post("/api/3/action/authz_authorize", json={"scopes": asked}, headers=headers)
    return [name, answer.status_code, answer.json.get("result", {}).get("granted_scopes")]


def _through(app: Any) -> dict[str, Any]:
    """What is granted through the stand-in, and what opens with its tokens."""
    from ckan.tests import factories

    city, api = _portal(app)
    grants, opened = {}, {}
    with app._wsgi_app.app_context():
        users = {"edda": city.edda, "mona": city.mona, "rita": city.rita}
        tokens = {name: factories.APIToken(user=user["name"])["token"] for name, user in users.items()}
    for dataset in ("trees", "hidden"):
        place = f"{city.parks['name']}/{getattr(city, dataset)['name']}"
        for name, token in [*tokens.items(), ("nobody", None)]:
            for scope in ("ds:{}:tag", "ds:{}:revert", "ds:{}:read", "ds:{}:read,tag", "obj:{}/*:read,write"):
                headers = {"Authorization": token} if token else None
                asked = [scope.format(place)]
                answer = api("authz_authorize", {"scopes": asked}, headers).json["result"]
                granted = [each.replace(place, "{}") for each in answer["granted_scopes"]]
                grants[f"{name} {dataset} {scope}"] = granted
                if scope in {"ds:{}:tag", "ds:{}:read"}:
                    params = {"id": getattr(city, dataset)["id"], "name": f"by-{name}"}
                    bring = {"Authorization": f"Bearer {answer['token']}"}
                    action = "dataset_tag_create" if scope == "ds:{}:tag" else "package_show"
                    opened[f"{name} {dataset} {scope}"] = api(action, params, bring).status_code
    return {"grants": grants, "opened": opened}


if __name__ == "__main__":
    json.dump(_main("authz_service" in sys.argv), sys.stdout)
