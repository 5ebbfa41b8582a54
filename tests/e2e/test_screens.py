"""Every screen opens, fits its window sideways, speaks the reader's language and bars nobody; its picture is kept.

`make test` looks at them with two readers; `make photos` takes them in both languages, widths and colours, and puts
them side by side in `.artifacts/screens/index.html`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Response, StorageState

from awase.demo.people import Person
from tests.e2e.axe import violations
from tests.e2e.conftest import ENGLISH, JAPANESE, PICTURES, Demo, Reader, windows
from tests.e2e.screens import SCREENS, Screen

PHOTOS = bool(os.environ.get("PHOTOS"))
READERS = (
    [
        Reader(*speaks, width=width, height=height, dark=dark)
        for speaks in (("ja", "ja-JP", "Asia/Tokyo"), ("en", "en-US", "America/New_York"))
        for width, height in ((375, 812), (1280, 900))
        for dark in (False, True)
    ]
    if PHOTOS
    else [JAPANESE, ENGLISH]
)
FAULTS = """() => {
    const root = document.documentElement, faults = [];
    if (root.scrollWidth > root.clientWidth) faults.push(`wider than the window: ${root.scrollWidth}`);
    if (document.querySelectorAll('h1').length !== 1) faults.push('not exactly one h1');
    if (!document.title.trim()) faults.push('no title');
    for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
        if (!field.labels.length && !field.ariaLabel) faults.push(`no label: ${field.outerHTML}`);
    for (const button of document.querySelectorAll('button, a[href]'))
        if (!button.textContent.trim() && !button.ariaLabel) faults.push(`no words: ${button.outerHTML}`);
    for (const part of document.querySelectorAll('[src], link[href]'))
        if (new URL(part.src || part.href).origin !== location.origin) faults.push(`another host: ${part.outerHTML}`);
    return faults;
}"""


@pytest.fixture(scope="module")
def logged_in(demo: Demo, chromium: Browser) -> Callable[[Person], StorageState]:
    """What a browser keeps of somebody who has logged in; each logs in once."""
    known: dict[Person, StorageState] = {}

    def enter(person: Person) -> StorageState:
        if person not in known:
            with windows(chromium, demo, JAPANESE, PICTURES) as visit:
                window = visit()
                window.log_in(person)
                known[person] = window.context.storage_state()
        return known[person]

    return enter


@pytest.fixture(scope="module", autouse=True)
def album() -> Iterator[None]:
    """The pictures of an earlier run go; those of this run get a page that shows them side by side."""
    for reader in READERS:
        for old in (PICTURES / reader.name).glob("*.png"):
            old.unlink()
    yield
    write_index(PICTURES)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name, indirect=True)
@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_screen(
    demo: Demo,
    chromium: Browser,
    scenes: dict[str, str],
    logged_in: Callable[[Person], StorageState],
    reader: Reader,
    screen: Screen,
) -> None:
    state = logged_in(screen.who) if screen.who else None
    with windows(chromium, demo, reader, PICTURES / reader.name, state) as visit:
        page = visit().page
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))
        page.goto(demo.url + screen.path.format_map(scenes | {"language": reader.language}))
        for selector in screen.follow:
            page.locator(selector).first.click()
        if screen.then:
            screen.then(page)
        page.wait_for_load_state("load")
        page.locator(".htmx-request").wait_for(state="detached")
        page.screenshot(path=PICTURES / reader.name / f"{screen.name}.png", full_page=True)
        assert page.evaluate(FAULTS) == []
        assert violations(page) == []
        assert page.locator("html").get_attribute("lang") == reader.language
        assert [answer.status for answer in answers if answer.request.is_navigation_request()][-1] == screen.status


def write_index(folder: Path) -> None:
    """A page with a row for each screen and a picture for each reader; what has no picture is left out."""
    readers = [reader for reader in READERS if (folder / reader.name).is_dir()]
    rows = "".join(
        f'<h2 id="{escape(screen.name)}">{escape(screen.name)}</h2><div>'
        + "".join(
            f'<figure><a href="{reader.name}/{screen.name}.png">'
            f'<img loading="lazy" src="{reader.name}/{screen.name}.png" alt=""></a>'
            f"<figcaption>{reader.name}</figcaption></figure>"
            for reader in readers
            if (folder / reader.name / f"{screen.name}.png").exists()
        )
        + "</div>"
        for screen in SCREENS
    )
    style = (
        "body{font:14px system-ui;margin:24px;background:#888}div{display:flex;gap:16px;overflow-x:auto}"
        "figure{margin:0;flex:none}img{height:420px;max-width:640px;object-fit:cover;object-position:top}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Screens</title><style>{style}</style>'
        f"<h1>Screens</h1>{rows}</html>",
        encoding="utf-8",
    )
