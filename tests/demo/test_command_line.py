"""The command line as an operator meets it: one sentence where something is missing, never a traceback."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from awase.models import Member, Role, User

REPOSITORY = Path(__file__).parents[2]
GOOD_PASSWORD = "kaze-to-nami-7"


def awase(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m awase` with no setting but those given."""
    around = {name: value for name, value in os.environ.items() if not name.startswith(("AWASE_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-m", "awase", *arguments],
        cwd=REPOSITORY,
        env=around | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def instance(folder: Path) -> dict[str, str]:
    return {
        "AWASE_STATE": str(folder),
        "AWASE_URL": "https://awase.test",
        "AWASE_SECRET_KEY": "secret",
        "AWASE_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    }


def test_without_a_verb_the_commands_are_listed():
    answer = awase()
    assert answer.returncode == 0
    for verb in ("demo", "prepare", "serve", "worker", "doctor", "create-admin", "new-key"):
        assert f"  {verb} " in answer.stdout


def test_a_new_key_needs_no_settings_and_encrypts():
    answer = awase("new-key")
    assert answer.returncode == 0
    Fernet(answer.stdout.strip())


@pytest.mark.parametrize("verb", ["serve", "worker", "migrate", "doctor"])
def test_a_missing_setting_is_one_sentence(verb: str):
    answer = awase(verb)
    assert answer.returncode == 1
    assert answer.stderr.startswith("AWASE_URL is not set")
    assert answer.stderr.count("\n") == 1
    assert answer.stdout == ""


def test_an_unusable_encryption_key_is_one_sentence(tmp_path: Path):
    settings = instance(tmp_path) | {"AWASE_ENCRYPTION_KEYS": "short"}
    answer = awase("serve", **settings)
    assert answer.returncode == 1
    assert "AWASE_ENCRYPTION_KEYS" in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", ["serve", "worker"])
def test_an_unprepared_database_is_one_sentence_with_the_next_step(tmp_path: Path, verb: str):
    answer = awase(verb, **instance(tmp_path))
    assert answer.returncode == 1
    assert "awase prepare" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_an_instance_is_prepared_twice_and_then_found_healthy_but_for_mail(tmp_path: Path):
    settings = instance(tmp_path) | {"AWASE_SMTP_PORT": "1", "AWASE_SECRET_KEY": "s" * 50}
    for _ in range(2):
        prepared = awase("prepare", **settings)
        assert (prepared.returncode, prepared.stdout, prepared.stderr) == (0, "Ready.\n", "")
    assert (tmp_path / "static" / "staticfiles.json").exists()
    found = awase("doctor", **settings)
    assert found.returncode == 1
    assert "Database and encryption keys: ok" in found.stdout
    assert "Worker: ok" in found.stdout
    assert "check AWASE_SMTP_HOST" in found.stdout
    assert "1 thing to mend" in found.stderr


def create_admin(monkeypatch: pytest.MonkeyPatch, *arguments: str, password: str = GOOD_PASSWORD) -> str:
    monkeypatch.setattr("sys.stdin", StringIO(f"{password}\n"))
    said = StringIO()
    call_command("create_admin", *arguments, stdout=said)
    return said.getvalue()


def test_the_first_admin_owns_a_new_workspace(db: None, monkeypatch: pytest.MonkeyPatch):
    assert "can log in" in create_admin(monkeypatch, "Root@Awase.test", "--name", "根岸")
    member = Member.objects.get()
    assert (member.user.email, member.user.name, member.role) == ("root@awase.test", "根岸", Role.OWNER)
    assert member.user.check_password(GOOD_PASSWORD)


def test_a_further_admin_joins_a_workspace(owner: Member, monkeypatch: pytest.MonkeyPatch):
    create_admin(monkeypatch, "root@awase.test", "--workspace", "minato")
    assert owner.workspace.members.get(user__email="root@awase.test").role == Role.ADMIN


@pytest.mark.parametrize(
    ("arguments", "password", "complaint"),
    [
        (["root@awase.test", "--workspace", "nowhere"], GOOD_PASSWORD, "no workspace"),
        (["tanaka@minato.example"], GOOD_PASSWORD, "already"),
        (["no-address"], GOOD_PASSWORD, "valid email"),
        (["root@awase.test"], "short", "too short"),
    ],
)
def test_an_admin_that_cannot_be_created_is_explained(
    owner: Member, monkeypatch: pytest.MonkeyPatch, arguments: list[str], password: str, complaint: str
):
    with pytest.raises(CommandError, match=complaint):
        create_admin(monkeypatch, *arguments, password=password)
    assert User.objects.count() == 1


def test_sample_data_never_reach_a_real_instance(db: None):
    with pytest.raises(CommandError, match="demo only"):
        call_command("demo_data", "--sandbox", "http://localhost:1")
    assert not User.objects.exists()
