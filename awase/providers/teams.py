"""Teams meetings over Microsoft Graph, apart from any calendar (facts: `providers.md` section 4, Teams).

A host with a Google calendar can use them too. `createOrGet` takes the booking's key as externalId, so that a
repeat yields the same meeting (Graph v1.0, onlineMeeting: createOrGet). An account without a licence, or a
personal one, may get a 201 without a link: if a second look shows none either, that is the missing licence (M32),
never a meeting.
"""

from datetime import UTC, datetime
from urllib.parse import quote

from awase.domain.errors import FailureScope, ProviderError
from awase.providers.failures import Answer, Marks
from awase.providers.http import BearerWire
from awase.providers.protocols import Meeting, MeetingDraft
from awase.providers.shape import document, optional_text, text


class TeamsMeetings:
    """One account's meetings; implements `ConferenceProvider`."""

    def __init__(self, wire: BearerWire) -> None:
        self._wire = wire

    def check(self) -> None:
        """The person's own profile. It proves the account, not the licence. Raises ProviderError."""
        text(document(self._wire.call("GET", "/me", params={"$select": "id"})), "id")

    def create_meeting(self, draft: MeetingDraft) -> Meeting:
        """Make the meeting, or get the one made with this key. Raises ProviderError, M32 without a link."""
        body = {**_content(draft), "externalId": draft.key}
        made = document(
            self._wire.call("POST", "/me/onlineMeetings/createOrGet", json=body, about=FailureScope.CAPABILITY)
        )
        meeting_id, link = optional_text(made, "id"), optional_text(made, "joinWebUrl")
        if meeting_id and not link:
            link = optional_text(document(self._one("GET", meeting_id)), "joinWebUrl")
        if not link:
            marks = Marks(frozenset({"no_teams_link"}))
            raise ProviderError(self._wire.table.in_reply(marks, about=FailureScope.CAPABILITY, status=201))
        return Meeting(text(made, "id"), link)

    def find_meeting(self, draft: MeetingDraft) -> Meeting | None:
        """None: there is nothing to look for, since `create_meeting` with the same key gets the same meeting."""
        return None

    def update_meeting(self, meeting_id: str, draft: MeetingDraft) -> None:
        """Move or rename it. Raises ProviderError."""
        self._one("PATCH", meeting_id, _content(draft))

    def delete_meeting(self, meeting_id: str) -> None:
        """Delete it. Already gone is success. Raises ProviderError."""
        try:
            self._one("DELETE", meeting_id)
        except ProviderError as error:
            if error.failure.symptom != "M22":
                raise

    def _one(self, method: str, meeting_id: str, json: dict[str, str] | None = None) -> Answer:
        return self._wire.call(
            method,
            f"/me/onlineMeetings/{quote(meeting_id, safe='')}",
            json=json,
            about=FailureScope.EVENT,
        )


def _content(draft: MeetingDraft) -> dict[str, str]:
    return {"startDateTime": _utc(draft.start), "endDateTime": _utc(draft.end), "subject": draft.title}


def _utc(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
