"""Drives the sandbox as a product and its user would: consent screens, tokens, control calls."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from sandbox.app import Sandbox, wsgi

REDIRECT = "http://127.0.0.1/callback"
SECRET = "sandbox-secret"
VERIFIER = "v" * 43
START = datetime(2026, 12, 1, tzinfo=UTC)
GOOGLE = "https://www.googleapis.com/auth/"
SCOPES = {
    "google": (
        f"openid email {GOOGLE}calendar.freebusy {GOOGLE}calendar.calendarlist.readonly {GOOGLE}calendar.events"
    ),
    "microsoft": "offline_access openid email User.Read Calendars.ReadWrite OnlineMeetings.ReadWrite",
    "zoom": "",
}
AUTHORIZE = {
    "google": "/google/o/oauth2/v2/auth",
    "microsoft": "/microsoft/common/oauth2/v2.0/authorize",
    "zoom": "/zoom/oauth/authorize",
}
TOKEN = {
    "google": "/google/token",
    "microsoft": "/microsoft/common/oauth2/v2.0/token",
    "zoom": "/zoom/oauth/token",
}


class NoAnswer(Exception):
    """Raised in place of a wait for an answer that never comes."""


def no_answer(seconds: float) -> None:
    raise NoAnswer


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@dataclass
class World:
    """A sandbox, a client that talks to it in this process, and its clock."""

    clock: Clock = field(default_factory=Clock)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sandbox = Sandbox(clock=self.clock, sleep=self.slept.append, hold=no_answer)
        transport = httpx2.WSGITransport(wsgi(self.sandbox))
        self.http = httpx2.Client(transport=transport, base_url="http://localhost:8765")

    def control(self, method: str, path: str, **body: Any) -> Any:
        answer = self.http.request(method, f"/control/api/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def add(self, service: str, email: str, **options: Any) -> Any:
        return self.control("POST", "accounts", service=service, email=email, **options)

    def fault(self, service: str, email: str, fault: str, **options: Any) -> Any:
        return self.control("POST", f"accounts/{service}/{email}/fault", fault=fault, **options)

    def question(self, service: str, **options: str) -> dict[str, str]:
        return {
            "client_id": f"awase-{service}",
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": SCOPES[service],
            "state": "s",
            "access_type": "offline",
            "prompt": "consent",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        } | options

    def consent(
        self,
        service: str,
        email: str,
        *,
        decision: str = "allow",
        untick: tuple[str, ...] = (),
        **options: str,
    ) -> dict[str, str]:
        """Fill in the consent screen; the parameters with which the person comes back."""
        screen = self.http.get(AUTHORIZE[service], params=self.question(service, **options))
        assert screen.status_code == 200, screen.headers.get("location", screen.text)
        request = re.search(r'name="request" value="([^"]*)"', screen.text)
        assert request is not None
        ticked = re.findall(r'type="checkbox" name="scope" value="([^"]*)" checked', screen.text)
        answer = self.http.post(
            AUTHORIZE[service],
            data={
                "request": unescape(request[1]),
                "account": email,
                "decision": decision,
                "scope": [scope for scope in ticked if not scope.endswith(untick)] if untick else ticked,
            },
        )
        assert answer.status_code == 302, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    def token(self, service: str, **form: str) -> httpx2.Response:
        if service == "zoom":
            return self.http.post(TOKEN[service], data=form, auth=(form.pop("client_id", "awase-zoom"), SECRET))
        return self.http.post(TOKEN[service], data={"client_id": f"awase-{service}", "client_secret": SECRET} | form)

    def redeem(self, service: str, code: str, **form: str) -> httpx2.Response:
        given = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
        }
        return self.token(service, **(given | form))

    def refresh(self, service: str, refresh_token: str) -> httpx2.Response:
        return self.token(service, grant_type="refresh_token", refresh_token=refresh_token)

    def connect(self, service: str, email: str, **options: Any) -> Linked:
        """An account with a finished authorisation."""
        if self.sandbox.account(service, email) is None:
            self.add(service, email)
        code = self.consent(service, email, **options)["code"]
        answer = self.redeem(service, code)
        assert answer.status_code == 200, answer.text
        return Linked(self, service, email, answer.json())


@dataclass
class Linked:
    """One connected account."""

    world: World
    service: str
    email: str
    tokens: dict[str, Any]

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"} | options.pop("headers", {})
        return self.world.http.request(method, f"/{self.service}{path}", headers=headers, **options)

    def refresh(self) -> httpx2.Response:
        answer = self.world.refresh(self.service, self.tokens["refresh_token"])
        if answer.status_code == 200:
            self.tokens |= answer.json()
        return answer

    def fault(self, fault: str, **options: Any) -> Any:
        return self.world.fault(self.service, self.email, fault, **options)


def challenge() -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
