"""The plugin: CKAN's blankets, and hooks of one line each."""

from __future__ import annotations

from typing import Any

import ckan.plugins as p
import ckantoolkit as tk
from ckan import model

from ckanext.metastore import config, recorder
from ckanext.metastore.logic import auth, validators
from ckanext.metastore.logic.action import actions
from ckanext.metastore.model import events


@tk.blanket.config_declarations
@tk.blanket.actions(actions)
@tk.blanket.auth_functions(auth)
@tk.blanket.validators(validators)
class MetastorePlugin(p.SingletonPlugin):
    """Git history for every dataset."""

    p.implements(p.IConfigurable)
    p.implements(p.IPackageController, inherit=True)

    def configure(self, _config: Any) -> None:
        config.check()
        events.install(recorder)

    def after_dataset_create(self, context: Any, pkg_dict: dict[str, Any]) -> None:
        recorder.before_index(context, pkg_dict["id"])

    def after_dataset_update(self, context: Any, pkg_dict: dict[str, Any]) -> None:
        recorder.before_index(context, pkg_dict["id"])

    def delete(self, entity: model.Package) -> None:
        recorder.before_delete(entity.id)

    def after_dataset_show(self, context: Any, pkg_dict: dict[str, Any]) -> None:
        recorder.after_show(context, pkg_dict)
