"""What CKAN, or another pull, does while somebody's commit is on its way into CKAN."""

from __future__ import annotations

import ckantoolkit as tk
import pytest

from ckanext.metastore import pulling

pytestmark = pytest.mark.usefixtures("pulls")


def test_another_pull_between_the_look_and_the_save(act, dataset, stranger, monkeypatch):
    """What validation has changed in theirs since is no clash with theirs."""
    sha = stranger.edit(lambda document: document["resources"][0].update(path=" https://example.org/t.csv "))
    look = pulling._look

    def slowly(*given):
        monkeypatch.setattr(pulling, "_look", look)
        found = look(*given)
        assert act("dataset_pull", id=dataset["id"])["commit"] == sha
        return found

    monkeypatch.setattr(pulling, "_look", slowly)
    assert act("dataset_pull", id=dataset["id"])["commit"] is None
    assert len(act("dataset_revision_list", id=dataset["id"])) == 3
    assert act("dataset_publish", id=dataset["id"])["diverged"] is None


def test_a_file_was_uploaded_meanwhile(act, dataset, stranger):
    """Not even who decides for theirs gives it another address, as no file would be there."""
    (resource,) = dataset["resources"]
    stranger.edit(lambda document: document["resources"][0].update(path="https://example.org/evil.exe"))
    act("package_patch", id=dataset["id"], resources=[{**resource, "url": "trees.csv", "url_type": "upload"}])
    act("dataset_pull", id=dataset["id"], strategy="theirs")
    (now,) = act("package_show", id=dataset["id"])["resources"]
    assert (now["url_type"], now["url"].rsplit("/")[-1]) == ("upload", "trees.csv")


def test_what_only_looks_like_an_address_comes_in(act, dataset, stranger):
    sha = stranger.edit(lambda document: document.update(title="Data: all street trees"))
    assert act("dataset_pull", id=dataset["id"])["commit"] == sha


def test_so_many_extras_are_refused(act, dataset, stranger):
    many = [{"key": f"x{number}", "value": "1"} for number in range(1_001)]
    stranger.edit(lambda document: document["ckan"].update(extras=many))
    with pytest.raises(tk.ValidationError) as caught:
        act("dataset_pull", id=dataset["id"])
    assert "1,001 extras" in caught.value.error_dict["strategy"][0]
