"""Every link between documents leads somewhere, and the README leads to every document."""

from __future__ import annotations

import re

import pytest

from tests.documents.blocks import ROOT, documents, text_of

LINK = re.compile(r"\]\((?!https?://)(?P<file>[^)#\s]*)(?:#(?P<part>[^)\s]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The names of its headings as GitHub makes them."""
    found = {re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text)}
    return {heading.strip().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("document", [*documents(), "CHANGELOG.md"])
def test_every_link_of_a_document_leads_somewhere(document):
    for link in LINK.finditer(text_of(document)):
        target = (ROOT / document).parent / link["file"] if link["file"] else ROOT / document
        assert target.exists(), link[0]
        if link["part"]:
            assert link["part"] in anchors(target.read_text(encoding="utf-8")), link[0]


def test_the_readme_leads_to_every_document():
    linked = {link["file"] for link in LINK.finditer(text_of("README.md"))}
    assert set(documents()) - {"README.md"} <= linked
