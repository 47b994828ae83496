from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.documents.practised import Checkout, practise

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def practised(tmp_path_factory) -> Checkout:
    """Read only: who changes something takes a copy."""
    folder: Path = tmp_path_factory.mktemp("practised")
    return practise(folder)
