"""The operators' guides say what the adapters really ask for, in both languages."""

import re
from pathlib import Path

import pytest

from awase import registry
from awase.domain.health import Service
from awase.providers.google import Google
from awase.providers.microsoft import Microsoft, Teams
from awase.providers.oauth import OAuthAdapter
from awase.providers.zoom import Zoom
from tests.judges.test_contracts import DISAGREEMENTS
from tests.providers.symptoms import CASES

GUIDES = Path(__file__).parents[2] / "docs/providers"
ADAPTERS: dict[str, tuple[type[OAuthAdapter], ...]] = {
    "google": (Google,),
    "microsoft": (Microsoft, Teams),
    "zoom": (Zoom,),
}
LANGUAGES = ("", ".ja")


def guide(name: str, language: str) -> str:
    return (GUIDES / f"{name}{language}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ADAPTERS)
def test_every_scope_that_is_asked_for_is_explained(name: str, language: str) -> None:
    text = guide(name, language)
    for adapter in ADAPTERS[name]:
        for scope in (*adapter.scopes, *adapter.room_scopes, *adapter.organisation_scopes):
            assert f"`{scope.replace('https://www.googleapis.com', '…')}`" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ADAPTERS)
def test_every_redirect_address_is_named_exactly(name: str, language: str) -> None:
    named = set(re.findall(r"`AWASE_URL(/connect/\w+/callback)`", guide(name, language)))
    services = [service for service in registry.ENTRIES if service.registration == name]
    assert named == {f"/connect/{service}/callback" for service in services}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("service", [*ADAPTERS, Service.CALDAV.value])
def test_the_rows_in_a_guide_are_rows_of_the_table(service: str, language: str) -> None:
    rows = set(re.findall(r"\b[GMZDX]\d\d[a-e]?\b", guide(service, language)))
    known = {case.row for case in CASES} | {"M10b", "M10e", "D02b", "Z18"}  # the last need memory, or a webhook
    assert rows and rows <= known


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("microsoft", "innerError"),
        ("microsoft", "getSchedule"),
        ("microsoft", "startDateTime"),
        ("zoom", "display_name"),
        ("zoom", "host_id"),
    ],
)
def test_disagreements_with_the_descriptions_are_told(name: str, word: str, language: str) -> None:
    assert any(word in says for _, says, _ in DISAGREEMENTS)
    assert word in guide(name, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_never_called_is_said(language: str) -> None:
    for name in ("iCloud", "Fastmail", "Nextcloud"):
        assert re.search(rf"\*\*[^*]*{name}[^*]*\*\*", guide("caldav", language))
