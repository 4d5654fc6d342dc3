"""The plugin ``metastore_authz``: tokens, where ckanext-authz-service is not there to issue them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ckan.plugins as p
import yaml
from flask import Blueprint

from ckanext.metastore import config
from ckanext.metastore.logic import validators
from ckanext.metastore.logic.action import tokens
from ckanext.metastore.views import public_key


class MetastoreAuthzPlugin(p.SingletonPlugin):
    """The actions, the address and the options of ckanext-authz-service. Where that is loaded, nothing of them."""

    p.implements(p.IActions)
    p.implements(p.IBlueprint)
    p.implements(p.IConfigDeclaration)
    p.implements(p.IConfigurer)
    p.implements(p.IConfigurable)
    p.implements(p.IValidators)

    @property
    def _steps_back(self) -> bool:
        return p.plugin_loaded("authz_service")

    def update_config(self, config_: Any) -> None:
        """Options may come from the environment."""
        config.read_environment(config_)

    def declare_config_options(self, declaration: Any, _key: Any) -> None:
        """The options, unless they are declared already."""
        if not self._steps_back:
            path = Path(__file__).with_name("authz_config_declaration.yaml")
            declaration.load_dict(yaml.safe_load(path.read_text()))

    def configure(self, _config: Any) -> None:
        """Refuse to start where no token could be issued."""
        if not self._steps_back:
            config.check_tokens()

    def get_actions(self) -> dict[str, Any]:
        """What issues tokens, and proves them."""
        own = (tokens.authz_authorize, tokens.authz_verify, tokens.authz_public_key)
        return {} if self._steps_back else {action.__name__: action for action in own}

    def get_validators(self) -> dict[str, Any]:
        """Those for the parameters of these actions, where the plugin metastore has not brought them."""
        brought = p.plugin_loaded("metastore")
        return {} if brought else {name: getattr(validators, name) for name in validators.__all__}

    def get_blueprint(self) -> list[Blueprint]:
        """The address of the public key."""
        return [] if self._steps_back else [public_key.blueprint]
