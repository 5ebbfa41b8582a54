"""What brings an instance up to date may be repeated."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_an_instance_is_prepared_any_number_of_times(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    for arguments in ([], [], ["--no-static"]):
        said = StringIO()
        call_command("prepare", *arguments, stdout=said)
        assert said.getvalue() == "Ready.\n"
    assert list(tmp_path.rglob("*.css"))
