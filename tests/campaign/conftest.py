"""A world for the campaign, outside the database that other tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.campaign import world as campaign


@pytest.fixture
def world(django_db_blocker: Any, new_database: Callable[[Path], str], tmp_path: Path) -> Iterator[campaign.World]:
    with django_db_blocker.unblock(), campaign.world(new_database(tmp_path)) as found:
        found.restore()
        yield found
