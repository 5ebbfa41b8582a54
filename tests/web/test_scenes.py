"""The pages and bookings that the browser tests look at can be made: seen here without a browser."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from tests.e2e.scenes import write


@pytest.mark.django_db
def test_every_scene_opens() -> None:
    addresses = write(datetime.now(UTC))
    browser = Client(SERVER_NAME="awase.test")
    for name, address in addresses.items():
        if name.startswith("token-"):
            continue
        expected = {"password": 403, "run-out": 410}.get(name, 200)
        assert browser.get(address).status_code == expected, name
