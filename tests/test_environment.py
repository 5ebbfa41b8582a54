"""The product's settings: the database's address, and how passwords are kept."""

from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.test import override_settings

from awase import settings
from awase.environment import ConfigurationError, database

KEEP_PLANS = "-c plan_cache_mode=force_generic_plan"


def read(monkeypatch: pytest.MonkeyPatch, address: str) -> dict[str, object]:
    monkeypatch.setenv("DATABASE_URL", address)
    return database("DATABASE_URL", "sqlite:///default.sqlite3")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_every_part_of_a_postgresql_address_is_read(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    found = read(monkeypatch, f"{scheme}://awase:p%40ss%2Fword@db.example:6432/book%20ing?sslmode=verify-full")
    assert found["ENGINE"] == "django.db.backends.postgresql"
    parts = (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"])
    assert parts == ("awase", "p@ss/word", "db.example", 6432, "book ing")
    assert found["OPTIONS"] == {"connect_timeout": "10", "options": KEEP_PLANS, "sslmode": "verify-full"}


def test_a_socket_is_named_after_the_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, "postgresql:///awase?host=/run/postgresql")
    assert (found["NAME"], found["HOST"], found["PORT"]) == ("awase", "", "")
    assert found["OPTIONS"] == {"connect_timeout": "10", "options": KEEP_PLANS, "host": "/run/postgresql"}


def test_three_slashes_are_a_relative_file_and_four_an_absolute_one(monkeypatch: pytest.MonkeyPatch) -> None:
    relative, absolute = read(monkeypatch, "sqlite:///some/awase.db"), read(monkeypatch, "sqlite:////srv/a%20b.db")
    assert relative["NAME"] == str(Path("some/awase.db").resolve())
    assert absolute["NAME"] == "/srv/a b.db"
    assert absolute["ENGINE"] == "django.db.backends.sqlite3"


def test_without_an_address_the_default_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert database("DATABASE_URL", "sqlite:////srv/awase.db")["NAME"] == "/srv/awase.db"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "awase.sqlite3",
        "mysql://root:hush@db/awase",
        "postgresql://hush@db",
        "postgresql://a:hush@db:port/awase",
        "postgresql://[hush/awase",
        "sqlite://hush/awase.db",
        "sqlite:///",
    ],
)
def test_any_other_address_is_refused_without_repeating_it(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(monkeypatch, address)
    assert str(refused.value).startswith("DATABASE_URL ") and "hush" not in str(refused.value)


def test_passwords_are_kept_with_argon2() -> None:
    with override_settings(PASSWORD_HASHERS=settings.PASSWORD_HASHERS):
        kept = make_password("kaze-to-nami-7")
        assert kept.startswith("argon2$argon2id$")
        assert check_password("kaze-to-nami-7", kept) and not check_password("kaze-to-nami-8", kept)
