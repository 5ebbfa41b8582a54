"""A person at a service's consent screen, in code: opens the screen, picks an account, allows or denies."""

from collections.abc import Collection
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2


class ConsentRefused(Exception):
    """The consent screen did not send the person back; says what it showed instead."""


class Form(HTMLParser):
    """The first form of a page that has a field called `holding`: its address, and its fields as a browser
    would send them untouched. Ticked boxes are sent, others not; nor are buttons."""

    def __init__(self, page: str, holding: str = "") -> None:
        super().__init__()
        self.action = ""
        self.fields: list[tuple[str, str]] = []
        self._open = self._done = False
        self._holding = holding
        self.feed(page)
        if not self._done:
            raise LookupError(f"The page has no form with a field called {holding!r}.")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if self._done:
            return
        if tag == "form":
            self._open, self.fields, self.action = True, [], attributes.get("action") or ""
        elif tag == "input" and self._open and (name := attributes.get("name")):
            kind = attributes.get("type") or "text"
            if kind not in {"checkbox", "radio"} or "checked" in attributes:
                self.fields.append((name, attributes.get("value") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._open:
            self._open = False
            self._done = not self._holding or self._holding in dict(self.fields)


def answer_consent(
    client: httpx2.Client, address: str, email: str, *, allow: bool = True, without: Collection[str] = ()
) -> str:
    """Open the consent screen at `address`, choose the account `email`, untick the scopes `without`, decide.

    Returns the address of the product to which the screen sends the person back. Raises ConsentRefused.
    """
    screen = client.get(address)
    if screen.status_code != 200:
        raise ConsentRefused(f"the consent screen answered {screen.status_code}")
    form = Form(screen.text, holding="request")
    kept = [
        (name, value)
        for name, value in form.fields
        if name not in {"account", "new_account"} and not (name == "scope" and value in without)
    ]
    answer = client.post(
        urljoin(address, form.action) if form.action else address,
        data=as_data([*kept, ("account", email), ("decision", "allow" if allow else "deny")]),
    )
    if not answer.has_redirect_location:
        raise ConsentRefused(f"the consent screen answered {answer.status_code}")
    return answer.headers["Location"]


def as_data(fields: Collection[tuple[str, str]]) -> dict[str, list[str]]:
    """Pairs, some with the same name, in the shape in which a client sends them as a form."""
    data: dict[str, list[str]] = {}
    for name, value in fields:
        data.setdefault(name, []).append(value)
    return data
