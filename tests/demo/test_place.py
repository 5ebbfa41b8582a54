"""The demo's folder: what is kept for the next start, and which ports are taken."""

import json
import socket
import stat
from pathlib import Path

import pytest

from awase.demo import place
from awase.demo.place import Trouble


def test_keys_and_ports_are_the_same_at_the_next_start(tmp_path: Path):
    first = place.settle(tmp_path, None)
    assert place.settle(tmp_path, None) == first


def test_the_file_with_the_keys_is_for_its_owner_only(tmp_path: Path):
    place.settle(tmp_path, None)
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600


def test_a_taken_port_is_replaced_by_a_free_one(tmp_path: Path):
    first = place.settle(tmp_path, None)
    with socket.create_server(("127.0.0.1", first.port)):
        second = place.settle(tmp_path, None)
    assert second.port != first.port
    assert second.secret_key == first.secret_key


def test_the_sandbox_never_gets_the_port_of_the_product(tmp_path: Path):
    product = place.settle(tmp_path, None).sandbox_port
    moved = place.settle(tmp_path, product)
    assert moved.port == product
    assert moved.sandbox_port != product


def test_a_port_that_was_asked_for_and_is_taken_is_refused(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(Trouble, match="is taken"):
        place.settle(tmp_path, other.getsockname()[1])


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path: Path):
    with place.lock(tmp_path), pytest.raises(Trouble, match="running"):
        place.lock(tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(Trouble, match="AWASE_STATE"):
        place.lock(tmp_path / "file" / "below")


def test_starting_over_forgets_everything(tmp_path: Path):
    with place.lock(tmp_path):
        first = place.settle(tmp_path, None)
        (tmp_path / "logs").mkdir()
        (tmp_path / "awase.sqlite3").touch()
        place.forget(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["lock"]
        assert place.settle(tmp_path, None).secret_key != first.secret_key


def test_starting_over_deletes_nothing_in_a_folder_of_something_else(tmp_path: Path):
    (tmp_path / "letters.txt").touch()
    with place.lock(tmp_path), pytest.raises(Trouble, match="nothing was deleted"):
        place.forget(tmp_path)
    assert (tmp_path / "letters.txt").exists()


def test_the_demo_takes_nothing_over_from_another_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWASE_SMTP_HOST", "mail.example.jp")
    monkeypatch.setenv("AWASE_CHECK_SECONDS", "7")
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.jp/awase")
    environment = place.settle(tmp_path, None).environment()
    assert "AWASE_SMTP_HOST" not in environment
    assert environment["AWASE_CHECK_SECONDS"] == "7"
    assert environment["DATABASE_URL"] == f"sqlite:///{tmp_path / 'awase.sqlite3'}"


def test_product_and_services_go_by_different_host_names(tmp_path: Path):
    here = place.settle(tmp_path, None)
    environment = here.environment()
    assert environment["AWASE_URL"] == f"http://127.0.0.1:{here.port}"
    assert environment["AWASE_ZOOM_BASE"] == f"http://localhost:{here.sandbox_port}/zoom"
    remembered = json.loads((tmp_path / "demo.json").read_text())
    assert environment["AWASE_ENCRYPTION_KEYS"] == remembered["encryption_key"]
