"""Versions in RDF, as ckanext-dcat serves it."""

from __future__ import annotations

import re

import ckan.plugins as p
import pytest
from ckanext.dcat.profiles import ADMS, DCAT, DCT, SCHEMA
from rdflib import RDF, Graph, Literal, URIRef

PLUGINS = ("dcat", "structured_data")
PROFILES = "ckanext.dcat.rdf.profiles"


@pytest.fixture
def catalogue(portal, ckan_config, monkeypatch):
    """A portal with ckanext-dcat."""
    monkeypatch.setitem(ckan_config, "ckan.plugins", ["metastore", *PLUGINS])
    p.load(*PLUGINS)
    monkeypatch.setitem(ckan_config, PROFILES, "euro_dcat_ap_3 metastore")
    monkeypatch.setitem(ckan_config, "ckanext.dcat.structured_data.profiles", ["schemaorg", "metastore"])
    yield
    p.unload(*PLUGINS)


@pytest.fixture
def named(catalogue, dataset, act):
    """A dataset with two public versions, of which the first has a name, and a private one with a name between."""
    act("dataset_tag_create", id=dataset["id"], name="v1", description="As surveyed")
    act("package_patch", id=dataset["id"], private=True)
    act("dataset_tag_create", id=dataset["id"], name="not-yours")
    return act("package_patch", id=dataset["id"], private=False, version="2")


def test_rdf_names_the_versions(named, dataset, act, app, ckan_config, monkeypatch):
    address = f"/dataset/{named['id']}.ttl"
    text = app.get(address).text
    assert "not-yours" not in text
    graph = Graph().parse(data=text, format="turtle")
    ((about, first),) = graph.subject_objects(DCAT.hasVersion)
    assert str(first).endswith(dataset["revision_id"])
    assert app.get(str(first)).status_code == 200
    assert set(graph.objects(first, DCAT.version)) == {Literal("v1")}
    assert set(graph.objects(first, ADMS.versionNotes)) == {Literal("As surveyed")}
    assert set(graph.objects(first, DCAT.isVersionOf)) == {about}
    assert len(list(graph.objects(first, DCT.issued))) == 1
    (current,) = graph.objects(about, DCAT.hasCurrentVersion)
    assert str(current).endswith(named["revision_id"])
    assert list(graph.subjects(RDF.type, DCAT.Dataset)) == [about]
    monkeypatch.setitem(ckan_config, PROFILES, "euro_dcat_ap_3")
    assert "hasVersion" not in app.get(address).text
    act("package_patch", id=named["id"], private=True)
    assert app.get(address).status_code == 403


def test_schema_org_names_the_versions(named, dataset, app):
    page = app.get(f"/dataset/{named['name']}").text
    assert "not-yours" not in page
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert found
    graph = Graph().parse(data=found[1], format="json-ld")
    (version,) = graph.objects(predicate=SCHEMA.workExample)
    assert isinstance(version, URIRef)
    assert version.endswith(dataset["revision_id"])
    assert set(graph.objects(version, SCHEMA.version)) == {Literal("v1")}
