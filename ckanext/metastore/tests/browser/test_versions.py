"""The "Versions" tab."""

from __future__ import annotations


def test_the_tab_leads_to_the_list(site, visit, look):
    dataset = site.dataset()
    page = visit(f"/dataset/{dataset['name']}/versions", role="editor")
    look(page, "versions-editor-desktop")
