"""The plugin: CKAN's blankets, and hooks of one line each."""

from __future__ import annotations

from typing import Any

import ckan.plugins as p
import ckantoolkit as tk
from ckan import model
from ckan.lib.plugins import DefaultTranslation

from ckanext.metastore import cli, config, helpers, recorder
from ckanext.metastore.logic import auth, bearer, bindings, validators
from ckanext.metastore.logic.action import actions
from ckanext.metastore.model import events
from ckanext.metastore.views import BLUEPRINTS


@tk.blanket.cli([cli.metastore])
@tk.blanket.config_declarations
@tk.blanket.actions(actions)
@tk.blanket.auth_functions(auth)
@tk.blanket.blueprints(BLUEPRINTS)
@tk.blanket.helpers(helpers)
@tk.blanket.validators(validators)
class MetastorePlugin(p.SingletonPlugin, DefaultTranslation):
    """Git history for every dataset."""

    p.implements(p.IConfigurer)
    p.implements(p.IConfigurable)
    p.implements(p.IPackageController, inherit=True)
    p.implements(p.IAuthenticator, inherit=True)
    p.implements(p.IApiToken, inherit=True)
    p.implements(p.ITranslation)
    if bindings.IAuthorizationBindings:
        p.implements(bindings.IAuthorizationBindings)

    def update_config(self, config_: Any) -> None:
        """Options may come from the environment; the pages have templates and assets."""
        config.read_environment(config_)
        tk.add_template_directory(config_, "templates")
        tk.add_resource("assets", "metastore")

    def configure(self, _config: Any) -> None:
        """Refuse to start on a wrong option; from here on every save is recorded."""
        config.check()
        events.install(recorder)

    def after_dataset_create(self, context: Any, pkg_dict: dict[str, Any]) -> None:
        """CKAN has written the dataset, and is about to build the dict for its search index."""
        recorder.before_index(context, pkg_dict["id"])

    def after_dataset_update(self, context: Any, pkg_dict: dict[str, Any]) -> None:
        """The same."""
        recorder.before_index(context, pkg_dict["id"])

    def delete(self, entity: model.Package) -> None:
        """CKAN is about to delete the dataset."""
        recorder.before_delete(entity.id)

    def after_dataset_show(self, context: Any, pkg_dict: dict[str, Any]) -> None:
        """CKAN has built the dict."""
        recorder.after_show(context, pkg_dict)

    def identify(self) -> Any:
        """CKAN has looked for a session and an API token."""
        return bearer.identify()

    def decode_api_token(self, _encoded: str, **_kwargs: Any) -> dict[str, Any] | None:
        """CKAN looks for an API token. Ours is none: say so, or CKAN logs an error for each request that brings one."""
        return {"jti": ""} if bearer.brings_token() else None

    def register_authz_bindings(self, authorizer: Any) -> None:
        """ckanext-authz-service asks what we know of scopes."""
        bindings.register(authorizer)
