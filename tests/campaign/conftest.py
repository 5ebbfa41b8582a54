"""A world for the campaign, outside the database that other tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.campaign import world as campaign


@pytest.fixture
def world(django_db_blocker: Any) -> Iterator[campaign.World]:
    with django_db_blocker.unblock(), campaign.world() as found:
        found.restore()
        yield found
