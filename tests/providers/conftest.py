"""Every adapter against its service: the sandbox in this process, or a Radicale server on loopback."""

from collections.abc import Iterator

import pytest
import stamina

from tests.providers.radicale import RadicaleWorld, running
from tests.providers.worlds import SandboxWorld


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Repeats happen, but without their pauses."""
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
def google() -> SandboxWorld:
    return SandboxWorld("google")


@pytest.fixture
def microsoft() -> SandboxWorld:
    return SandboxWorld("microsoft")


@pytest.fixture
def teams() -> SandboxWorld:
    return SandboxWorld("teams")


@pytest.fixture
def zoom() -> SandboxWorld:
    return SandboxWorld("zoom")


@pytest.fixture(scope="module")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Radicale server of this module's own."""
    with running(tmp_path_factory.mktemp("radicale")) as address:
        yield address


@pytest.fixture
def caldav(radicale: str) -> Iterator[RadicaleWorld]:
    world = RadicaleWorld(radicale)
    yield world
    world.close()
