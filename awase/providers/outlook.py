"""Outlook calendars over Microsoft Graph (facts: `providers.md` section 4).

How calendars are read is in `outlook_reading`. An event's `transactionId` is the booking's key, by which Graph
recognises a repeated create.
"""

from datetime import datetime, timedelta
from typing import Any

from awase.domain.errors import FailureClass, FailureScope, ProviderError
from awase.providers.outlook_reading import KEY_PROPERTY, OutlookReading, calendar_path, edge, utc_moment, utc_text
from awase.providers.protocols import Channel, EventDraft, WrittenEvent
from awase.providers.shape import Document, document, mapping, mappings, moment, optional_text, text

CHANNEL_LIFE = timedelta(minutes=4200)  # the older of the two documented limits is 4230


class OutlookCalendars(OutlookReading):
    """One account's calendars; implements `CalendarProvider`, `PushProvider` and `RoomProvider`."""

    def put_event(self, calendar_id: str, draft: EventDraft, event_id: str = "") -> WrittenEvent:
        """Create or update by key. Raises ProviderError."""
        try:
            if event_id:
                try:
                    return self._patch(calendar_id, event_id, draft)
                except ProviderError as error:
                    if error.failure.symptom != "M22":
                        raise
            return self._create(calendar_id, draft)
        except ProviderError as error:
            raise self._narrowed(error, calendar_id) from error

    def delete_event(self, calendar_id: str, key: str, event_id: str = "") -> None:
        """Delete by id or by key. Already gone is success. Raises ProviderError."""
        try:
            event_id = event_id or self._find(calendar_id, key)
            if event_id:
                self._event_call("DELETE", calendar_id, event_id)
        except ProviderError as error:
            if error.failure.symptom != "M22":
                raise self._narrowed(error, calendar_id) from error

    def watch(self, calendar_id: str, address: str, secret: str, *, channel_id: str, now: datetime) -> Channel:
        """Subscribe to a calendar's events; `secret` (128 characters at most) is the `clientState`.

        Graph calls the address before it answers (see `push.validation_reply`) and chooses the id itself. See
        `PushProvider`.
        """
        body = {
            "changeType": "created,updated,deleted",
            "notificationUrl": address,
            "lifecycleNotificationUrl": address,
            "resource": f"/me/calendars/{calendar_id}/events",
            "clientState": secret,
            "expirationDateTime": utc_text(now + CHANNEL_LIFE) + "Z",
        }
        made = self._wire.call(
            "POST", "/subscriptions", json=body, about=FailureScope.CALENDAR, calendar_id=calendar_id
        )
        return _channel(document(made))

    def renew(self, channel: Channel, *, now: datetime) -> Channel | None:
        """The subscription with a later end, which also answers `reauthorizationRequired`; None if it is gone."""
        body = {"expirationDateTime": utc_text(now + CHANNEL_LIFE) + "Z"}
        path = f"/subscriptions/{channel.id}"
        try:
            return _channel(document(self._wire.call("PATCH", path, json=body, about=FailureScope.EVENT)))
        except ProviderError as error:
            if error.failure.kind is FailureClass.NOT_FOUND:
                return None
            raise

    def stop(self, channel: Channel) -> None:
        """End the subscription. Already ended is success. Raises ProviderError."""
        try:
            self._wire.call("DELETE", f"/subscriptions/{channel.id}", about=FailureScope.EVENT)
        except ProviderError as error:
            if error.failure.kind is not FailureClass.NOT_FOUND:
                raise

    def _create(self, calendar_id: str, draft: EventDraft) -> WrittenEvent:
        body = {
            **_content(draft),
            "attendees": _rooms(draft),
            "transactionId": draft.key,
            "singleValueExtendedProperties": [{"id": KEY_PROPERTY, "value": draft.key}],
        }
        try:
            event = document(
                self._wire.call(
                    "POST",
                    f"{calendar_path(calendar_id)}/events",
                    json=body,
                    about=FailureScope.CALENDAR,
                    calendar_id=calendar_id,
                )
            )
        except ProviderError as error:
            found = self._find(calendar_id, draft.key) if error.failure.symptom == "M35" else ""
            if not found:
                raise
            return self._patch(calendar_id, found, draft)
        if not _is_of(event, draft):  # a repeat of an older draft with the same key
            return self._patch(calendar_id, text(event, "id"), draft)
        return _written(event)

    def _patch(self, calendar_id: str, event_id: str, draft: EventDraft) -> WrittenEvent:
        """Bring an event to the draft's state, keeping whomever people invited by hand."""
        old = document(self._event_call("GET", calendar_id, event_id))
        people = [guest for guest in mappings(old, "attendees") if guest.get("type") != "resource"]
        body = {**_content(draft), "attendees": [*people, *_rooms(draft)]}
        return _written(document(self._event_call("PATCH", calendar_id, event_id, json=body)))


def _channel(subscription: Document) -> Channel:
    return Channel(
        text(subscription, "id"),
        "",
        moment(text(subscription, "expirationDateTime"), "expirationDateTime"),
    )


def _content(draft: EventDraft) -> dict[str, Any]:
    location = {"displayName": draft.location}
    if draft.room_addresses:
        location["locationEmailAddress"] = draft.room_addresses[0]
    return {
        "subject": draft.title,
        "body": {"contentType": "text", "content": draft.description},
        "start": edge(draft.start),
        "end": edge(draft.end),
        "location": location,
    }


def _rooms(draft: EventDraft) -> list[dict[str, Any]]:
    return [{"emailAddress": {"address": address}, "type": "resource"} for address in draft.room_addresses]


def _is_of(event: Document, draft: EventDraft) -> bool:
    return (
        utc_moment(mapping(event, "start")) == draft.start
        and utc_moment(mapping(event, "end")) == draft.end
        and optional_text(event, "subject") == draft.title
    )


def _written(event: Document) -> WrittenEvent:
    return WrittenEvent(id=text(event, "id"), etag=optional_text(event, "@odata.etag"))
