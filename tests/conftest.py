"""The people and the stand-in services that tests share."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import settings

from awase.management.commands.compile_messages import compile_catalogues

# What a test asks for, itself or by what it asks for, that runs on the database.
ON_DATABASE = {"db", "transactional_db", "new_database"}


# A busy machine makes any example slow: speed is for the benchmarks.
settings.register_profile("awase", deadline=None)
settings.load_profile("awase")


def pytest_configure(config: pytest.Config) -> None:
    compile_catalogues()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what touches the database: it runs on SQLite and on PostgreSQL."""
    for item in items:
        if item.get_closest_marker("django_db") or ON_DATABASE.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.database)


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """new_database(folder): the address (`DATABASE_URL`) of a database that has every table and no row, of the kind
    that this run is about. They are copies of one, since making the tables takes seconds."""
    from tests import settings

    built = tmp_path_factory.mktemp("built")
    address = settings.new_database(built)
    prepare = [sys.executable, "-m", "awase", "prepare", "--no-static"]
    own = {"DJANGO_SETTINGS_MODULE": "awase.settings", "DATABASE_URL": address}
    subprocess.run(prepare, env=os.environ | own, check=True, stdout=subprocess.DEVNULL)

    def another(folder: Path) -> str:
        if settings.database_server:
            return settings.database_server.new_database(like=address.rpartition("/")[2])
        copied = shutil.copy(built / settings.DATABASE_FILE, folder)
        return f"sqlite:///{quote(str(copied))}"

    return another


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Rate limits and other things remembered end with the test."""
    from django.core.cache import caches

    caches["default"].clear()
    caches["process"].clear()
    yield
    caches["default"].clear()
    caches["process"].clear()


@pytest.fixture
def sandbox() -> Iterator[Any]:
    """Google, Microsoft and Zoom in this process: every call of the adapters goes there, none to a network.
    An answer that never comes (fault `timeout`) is the client's time-out at once."""
    from awase import registry
    from sandbox.app import Sandbox, wsgi

    def hold(seconds: float) -> NoReturn:
        raise httpx2.ReadTimeout("no answer from the sandbox")

    stand_in = Sandbox(sleep=lambda seconds: None, hold=hold)
    with registry.use_transport(httpx2.WSGITransport(app=wsgi(stand_in))):
        yield stand_in


@pytest.fixture
def sandbox_client(sandbox: Any) -> Iterator[httpx2.Client]:
    """A browser on the sandbox's own pages: consent screens, control API."""
    from sandbox.app import wsgi

    with httpx2.Client(transport=httpx2.WSGITransport(app=wsgi(sandbox)), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def consent(sandbox_client: httpx2.Client) -> Callable[..., str]:
    """consent(address, email, allow=True, without=()) walks a consent screen; returns the address back."""
    from awase.demo.consent import answer_consent

    def walk(address: str, email: str, **choices: Any) -> str:
        return answer_consent(sandbox_client, address, email, **choices)

    return walk


@pytest.fixture
def new_member(db: None) -> Callable[..., Any]:
    """new_member(name, workspace=None, role=…) adds a person, to a workspace of their own without one.
    Their address is name@minato.example; everybody's password is `password`."""
    from awase.models import Member, Role, User, Workspace
    from awase.services import accounts

    def add(name: str, workspace: Workspace | None = None, role: Role = Role.MEMBER) -> Member:
        user = User.objects.create_user(f"{name.lower()}@minato.example", "password", name=name)
        if workspace is None:
            return accounts.found_workspace(user, name=f"{name} & Co.", slug=name.lower())
        return accounts.add_member(workspace, user, role)

    return add


@pytest.fixture
def owner(new_member: Callable[..., Any]) -> Any:
    """Owns the workspace `minato`, whose members the others are (or are not)."""
    member = new_member("Tanaka")
    member.workspace.name, member.workspace.slug = "Minato", "minato"
    member.workspace.save()
    return member


@pytest.fixture
def workspace(owner: Any) -> Any:
    return owner.workspace


@pytest.fixture
def teammate(new_member: Callable[..., Any], workspace: Any) -> Any:
    """A plain member of the owner's workspace."""
    return new_member("Sato", workspace)


@pytest.fixture
def stranger(new_member: Callable[..., Any]) -> Any:
    """Somebody with a workspace of their own, who must see nothing of the owner's."""
    return new_member("Stranger")


@pytest.fixture
def log_in(db: None) -> Callable[[Any], Any]:
    """log_in(member) gives a browser (Django's test client) in which that member is logged in."""
    from django.test import Client

    def enter(member: Any) -> Client:
        client = Client(SERVER_NAME="awase.test")
        client.force_login(member.user)
        return client

    return enter


@pytest.fixture
def unused_port() -> int:
    """A port of this machine that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
