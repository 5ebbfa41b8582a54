import pytest

from tests.sandbox.driver import World


@pytest.fixture
def world() -> World:
    return World()
