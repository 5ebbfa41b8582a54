"""Zoom: OAuth 2 and meetings (facts: `providers.md` section 5).

Every refresh rotates the refresh token, and only the newest works: whoever calls `refresh` saves the
result before anything else. Zoom takes no idempotency key, so a create that got no answer is followed by
a look at the upcoming meetings; each of ours carries a short reference in its agenda.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import httpx2

from awase.domain.errors import Capability, FailureClass, FailureScope, ProviderError
from awase.providers.calendars import MAX_PAGES
from awase.providers.failures import wrong_shape
from awase.providers.http import BearerWire, Clock, utc_now
from awase.providers.oauth import OAuthAdapter
from awase.providers.protocols import Account, AppConfig, Meeting, MeetingDraft, Tokens, TokenSource
from awase.providers.shape import Document, document, mappings, moment, number, optional_text, text
from awase.providers.zoom_failures import SCOPES, ZOOM


class Zoom(OAuthAdapter):
    """The Zoom service: connecting accounts, and sessions of one account."""

    service = "zoom"
    scopes = SCOPES
    required = frozenset(SCOPES)
    capabilities = frozenset({Capability.ZOOM})
    table = ZOOM
    already_ended = frozenset({"invalid token!"})
    client_auth = "client_secret_basic"

    def __init__(
        self,
        client: httpx2.Client,
        app: AppConfig,
        *,
        oauth_base: str = "https://zoom.us",
        api_base: str = "https://api.zoom.us",
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(
            client,
            app,
            authorize_address=f"{oauth_base}/oauth/authorize",
            token_address=f"{oauth_base}/oauth/token",
            revoke_address=f"{oauth_base}/oauth/revoke",
            clock=clock,
        )
        self._api = f"{api_base}/v2"

    def session(self, tokens: TokenSource) -> "ZoomMeetings":
        """The meetings of the user whose tokens these are."""
        return ZoomMeetings(BearerWire(self.wire, self._api, tokens))

    def _account(self, reply: Document, tokens: Tokens) -> Account:
        headers = {"Authorization": f"Bearer {tokens.access_token}"}
        user = document(self.wire.send("GET", f"{self._api}/users/me", headers=headers, fresh=True))
        return Account(text(user, "id"), text(user, "email"), optional_text(user, "display_name"))

    def revoke(self, tokens: Tokens) -> None:
        """End the grant. Zoom takes an access token for that, and one that ran out would end nothing."""
        now = self.wire.clock()
        if tokens.expires_at <= now:
            try:
                tokens = self.refresh(tokens, now=now)
            except ProviderError as error:
                if error.failure.kind is not FailureClass.RECONNECT:
                    raise
                return  # it has ended already
        super().revoke(tokens)

    def _revocable(self, tokens: Tokens) -> str:
        return tokens.access_token


class ZoomMeetings:
    """One user's meetings; implements `ConferenceProvider`."""

    def __init__(self, wire: BearerWire) -> None:
        self._wire = wire

    def check(self) -> None:
        """The user's own profile. Raises ProviderError."""
        text(document(self._wire.call("GET", "/users/me")), "id")

    def create_meeting(self, draft: MeetingDraft) -> Meeting:
        """Make the meeting; where the answer was lost, look whether it was made. Raises ProviderError."""
        try:
            answer = self._wire.call("POST", "/users/me/meetings", json=_content(draft), about=FailureScope.EVENT)
            return _meeting(document(answer))
        except ProviderError as error:
            if error.failure.kind is not FailureClass.RETRY:
                raise
            found = self.find_meeting(draft)
            if found is None:
                raise
            return found

    def find_meeting(self, draft: MeetingDraft) -> Meeting | None:
        """The upcoming meeting with the draft's topic, start and reference. Raises ProviderError."""
        params: dict[str, Any] = {"type": "upcoming", "page_size": 300}
        for _ in range(MAX_PAGES):
            page = document(self._wire.call("GET", "/users/me/meetings", params=params))
            for item in mappings(page, "meetings", required=True):
                if _is_of(item, draft):
                    return self._read(number(item, "id"))
            params["next_page_token"] = optional_text(page, "next_page_token")
            if not params["next_page_token"]:
                return None
        raise wrong_shape("endless pages")

    def update_meeting(self, meeting_id: str, draft: MeetingDraft) -> None:
        """Move or rename it; costs one of the 100 creates and updates a day. Raises ProviderError."""
        self._one("PATCH", meeting_id, json=_content(draft))

    def delete_meeting(self, meeting_id: str) -> None:
        """Delete it. Already gone is success. Raises ProviderError."""
        try:
            self._one("DELETE", meeting_id)
        except ProviderError as error:
            if error.failure.symptom != "Z12":
                raise

    def _read(self, meeting_id: int) -> Meeting:
        # The list leaves out the password.
        return _meeting(document(self._one("GET", str(meeting_id))))

    def _one(self, method: str, meeting_id: str, json: Mapping[str, Any] | None = None) -> Any:
        if not re.fullmatch(r"\d+", meeting_id):
            raise ValueError("a Zoom meeting's id is a number")
        return self._wire.call(method, f"/meetings/{meeting_id}", json=json, about=FailureScope.EVENT)


def _reference(draft: MeetingDraft) -> str:
    return f"Awase {draft.key[:12]}"


def _content(draft: MeetingDraft) -> dict[str, Any]:
    return {
        "topic": draft.title[:200],
        "type": 2,  # scheduled
        "start_time": draft.start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "duration": ceil((draft.end - draft.start) / timedelta(minutes=1)),
        "timezone": draft.time_zone,
        "agenda": _reference(draft),
    }


def _is_of(item: Document, draft: MeetingDraft) -> bool:
    agenda = optional_text(item, "agenda")  # the list may leave it out
    return (
        item.get("topic") == draft.title[:200]
        and _start(item) == draft.start
        and (not agenda or _reference(draft) in agenda)
    )


def _start(item: Document) -> datetime | None:
    value = optional_text(item, "start_time")
    return moment(value, "start_time") if value else None


def _meeting(item: Document) -> Meeting:
    return Meeting(str(number(item, "id")), text(item, "join_url"), optional_text(item, "password"))
