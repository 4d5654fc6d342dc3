"""A profile of ckanext-dcat: what a dataset says of itself in RDF names its versions, in DCAT 3 and in schema.org.

It says what everybody may see, whoever asks. A version is no ``dcat:Dataset`` here: who harvests the catalogue would
take each one for a dataset of its own.

:see: https://www.w3.org/TR/vocab-dcat-3/#dataset-versions
"""

from __future__ import annotations

from typing import Any

import ckantoolkit as tk
from ckanext.dcat.profiles.base import ADMS, DCAT, DCT, SCHEMA, RDFProfile
from rdflib import RDF, XSD, Literal, URIRef

_ANYBODY = {"user": ""}


class VersionsProfile(RDFProfile):  # type: ignore[misc]
    """Adds to what the profiles before it have said of a dataset."""

    def graph_from_dataset(self, dataset_dict: dict[str, Any], dataset_ref: URIRef) -> None:
        """Name the current version, and those that have a name."""
        dataset_id = dataset_dict["id"]
        try:
            newest = tk.get_action("dataset_revision_list")({**_ANYBODY}, {"id": dataset_id, "limit": 1})
            tags = tk.get_action("dataset_tag_list")({**_ANYBODY}, {"id": dataset_id})
        except (tk.ObjectNotFound, tk.NotAuthorized):
            return
        kinds = set(self.g.objects(dataset_ref, RDF.type))
        if DCAT.Dataset in kinds:
            for revision in newest:
                self.g.add((dataset_ref, DCAT.hasCurrentVersion, _version(dataset_dict, revision["id"])))
        for tag in tags:
            version = _version(dataset_dict, tag["revision_id"])
            if DCAT.Dataset in kinds:
                self._in_dcat(dataset_ref, version, tag)
            if SCHEMA.Dataset in kinds:
                self._in_schema_org(dataset_ref, version, tag)

    def _in_dcat(self, dataset: URIRef, version: URIRef, tag: dict[str, Any]) -> None:
        self.g.add((dataset, DCAT.hasVersion, version))
        self.g.add((version, DCAT.isVersionOf, dataset))
        self.g.add((version, DCAT.version, Literal(tag["name"])))
        self.g.add((version, DCT.issued, Literal(tag["timestamp"], datatype=XSD.dateTime)))
        if tag["description"]:
            self.g.add((version, ADMS.versionNotes, Literal(tag["description"])))

    def _in_schema_org(self, dataset: URIRef, version: URIRef, tag: dict[str, Any]) -> None:
        self.g.add((dataset, SCHEMA.workExample, version))
        self.g.add((version, RDF.type, SCHEMA.CreativeWork))
        self.g.add((version, SCHEMA.url, Literal(str(version))))
        self.g.add((version, SCHEMA.version, Literal(tag["name"])))
        self.g.add((version, SCHEMA.datePublished, Literal(tag["timestamp"])))


def _version(dataset: dict[str, Any], revision_id: str) -> URIRef:
    """The address of a version, which stays when its name goes."""
    return URIRef(tk.url_for("metastore.version", id=dataset["id"], ref=revision_id, _external=True))
