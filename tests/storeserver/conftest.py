"""What the tests of the store's core share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.storecore import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A database with the users alice and bob."""
    world = World(tmp_path)
    yield world
    world.database.close()
