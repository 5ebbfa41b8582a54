"""The sections of the page editor about limits, requests, reminders and who can book; and all plain sections."""

from typing import Any

from django import forms
from django.contrib.auth.hashers import make_password
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from awase.domain.limits import Limit, Per, from_json, to_json
from awase.models import BookingPage
from awase.models.page import Approval, Drift, Visibility
from awase.web.lengths import DAY, HOUR, WEEK, LengthField, LengthsField, length
from awase.web.page_forms import BasicsForm, DesignForm, PeriodForm, SectionForm, TimesForm

LIMITS: dict[str, tuple[Any, tuple[Per, ...]]] = {
    "page": (_("On the page"), (Per.DAY, Per.WEEK, Per.MONTH)),
    "host": (_("Each host"), (Per.DAY, Per.WEEK, Per.MONTH)),
    "guest": (_("Each guest"), (Per.DAY, Per.WEEK, Per.MONTH, Per.TOTAL)),
}
PER_NAMES = {Per.DAY: _("a day"), Per.WEEK: _("a week"), Per.MONTH: _("a month"), Per.TOTAL: _("in total")}


class LimitsForm(SectionForm):
    heading = _("Limits and seats")
    explains = _("Empty fields do not limit anything. A guest is told apart by their mail address.")

    class Meta:
        model = BookingPage
        fields = ("seats",)

    seats = forms.IntegerField(
        min_value=1,
        max_value=1000,
        label=_("Seats in each slot"),
        help_text=_("With more than one, several guests book the same time."),
    )

    def begin(self) -> None:
        for whose, (label, spans) in LIMITS.items():
            stored = {limit.per: limit for limit in from_json(self.instance.limits.get(whose, []))}
            for per in spans:
                limit = stored.get(per)
                words = {"whose": label, "per": PER_NAMES[per]}
                self._number(
                    f"{whose}-{per}-bookings",
                    _("%(whose)s: bookings %(per)s") % words,
                    limit.bookings if limit else None,
                )
                if per in (Per.DAY, Per.WEEK) and whose != "guest":
                    self._number(
                        f"{whose}-{per}-minutes",
                        _("%(whose)s: minutes %(per)s") % words,
                        limit.minutes if limit else None,
                    )

    def summary(self) -> list[Any]:
        seats = ngettext("%(count)d seat", "%(count)d seats", self.instance.seats) % {"count": self.instance.seats}
        limited = [LIMITS[whose][0] for whose in LIMITS if self.instance.limits.get(whose)]
        return [seats, *(limited or [_("No limits")])]

    def table(self) -> list[dict[str, Any]]:
        """The limits as a table: a row for page, host and guest, a cell for each span with its fields."""
        return [
            {
                "label": label,
                "cells": [
                    [
                        {"unit": unit, "field": self[f"{whose}-{per}-{name}"]}
                        for name, unit in (("bookings", _("bookings")), ("minutes", _("minutes")))
                        if f"{whose}-{per}-{name}" in self.fields
                    ]
                    for per in PER_NAMES
                ],
            }
            for whose, (label, _spans) in LIMITS.items()
        ]

    def _number(self, name: str, label: Any, stored: int | None) -> None:
        self.fields[name] = forms.IntegerField(required=False, min_value=0, max_value=100000, label=label)
        self.initial[name] = stored

    def changes(self) -> dict[str, Any]:
        limits = {}
        for whose, (_label, spans) in LIMITS.items():
            found = [
                Limit(
                    per,
                    bookings=self.cleaned_data.get(f"{whose}-{per}-bookings"),
                    minutes=self.cleaned_data.get(f"{whose}-{per}-minutes"),
                )
                for per in spans
            ]
            limits[whose] = to_json([limit for limit in found if (limit.bookings, limit.minutes) != (None, None)])
        return {**super().changes(), "limits": {whose: found for whose, found in limits.items() if found}}


AHEAD = (0, 30, HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, WEEK)


class ChangesForm(SectionForm):
    heading = _("Requests, cancelling and moving")

    class Meta:
        model = BookingPage
        fields = (
            "approval",
            "answer_hours",
            "guests_cancel",
            "cancel_until_minutes",
            "guests_move",
            "move_until_minutes",
            "reason_required",
            "drift",
        )

    approval = forms.ChoiceField(
        required=False,
        label=_("Approval"),
        widget=forms.RadioSelect,
        choices=[
            (Approval.NONE, _("Bookings stand at once")),
            (Approval.HELD, _("By request; the time is held until you answer")),
            (Approval.UNHELD, _("By request; the time stays open to others")),
        ],
    )
    answer_hours = forms.IntegerField(
        min_value=1, max_value=720, label=_("Hours to answer a request"), help_text=_("It lapses afterwards.")
    )
    guests_cancel = forms.BooleanField(required=False, label=_("Guests may cancel"))
    cancel_until_minutes = LengthField(AHEAD, none=_("Until the start"), label=_("Cancelling possible until before"))
    guests_move = forms.BooleanField(required=False, label=_("Guests may choose another time"))
    move_until_minutes = LengthField(AHEAD, none=_("Until the start"), label=_("Moving possible until before"))
    reason_required = forms.BooleanField(required=False, label=_("Guests must give a reason"))

    def summary(self) -> list[Any]:
        may = [
            words
            for allowed, words in (
                (self.instance.guests_cancel, _("Guests may cancel")),
                (self.instance.guests_move, _("Guests may choose another time")),
            )
            if allowed
        ]
        return [self.said("approval"), *may]

    drift = forms.ChoiceField(
        label=_("If somebody moves or deletes the event in the calendar"),
        choices=[(Drift.REPAIR, _("Write it again")), (Drift.FOLLOW, _("Move or cancel the booking likewise"))],
    )


class MailsForm(SectionForm):
    heading = _("Mails")

    class Meta:
        model = BookingPage
        fields = ("follow_up_minutes", "tell_when_open")

    field_order = ("guest", "host", "follow_up_minutes", "tell_when_open")
    guest = LengthsField((15, HOUR, 3 * HOUR, DAY, 2 * DAY, WEEK), label=_("Remind guests before"))
    host = LengthsField((15, HOUR, 3 * HOUR, DAY), label=_("Remind hosts before"))
    follow_up_minutes = LengthField(
        (HOUR, 3 * HOUR, DAY, 2 * DAY, WEEK), required=False, none=_("None"), label=_("Thank guests afterwards")
    )
    tell_when_open = forms.BooleanField(
        required=False,
        label=_("While the page is stopped, guests may leave their address and are told once when it opens"),
    )

    def begin(self) -> None:
        self.initial["guest"] = self.instance.reminders.get("guest", [])
        self.initial["host"] = self.instance.reminders.get("host", [])

    def summary(self) -> list[Any]:
        found = [
            f"{label}: {', '.join(length(minutes) for minutes in self.initial[whom])}"
            for whom, label in (("guest", _("Guests")), ("host", _("Hosts")))
            if self.initial[whom]
        ]
        return found or [_("No reminders")]

    def changes(self) -> dict[str, Any]:
        reminders = {whom: sorted(self.cleaned_data[whom], reverse=True) for whom in ("guest", "host")}
        return {**super().changes(), "reminders": {whom: found for whom, found in reminders.items() if found}}


class SharingForm(SectionForm):
    heading = _("Who can book")

    class Meta:
        model = BookingPage
        fields = ("visibility", "indexed")

    visibility = forms.ChoiceField(
        label=_("Who finds the page"),
        widget=forms.RadioSelect,
        choices=[
            (Visibility.PUBLIC, _("Everybody who knows the address")),
            (Visibility.SECRET, _("Only with the secret link or a one-time link")),
        ],
    )
    indexed = forms.BooleanField(required=False, label=_("Search engines may list this page"))
    new_password = forms.CharField(
        required=False,
        max_length=100,
        label=_("New password for guests"),
        help_text=_("Left empty, nothing changes."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    no_password = forms.BooleanField(required=False, label=_("Ask for no password any more"))

    @property
    def has_password(self) -> bool:
        return bool(self.instance.password)

    def summary(self) -> list[Any]:
        return [self.said("visibility"), *([_("With a password")] if self.has_password else [])]

    def begin(self) -> None:
        if not self.has_password:
            del self.fields["no_password"]

    def changes(self) -> dict[str, Any]:
        kept = super().changes()
        if self.cleaned_data["new_password"]:
            kept["password"] = make_password(self.cleaned_data["new_password"])
        elif self.cleaned_data.get("no_password"):
            kept["password"] = ""
        return kept


SECTION_FORMS: dict[str, type[SectionForm]] = {
    "basics": BasicsForm,
    "design": DesignForm,
    "times": TimesForm,
    "period": PeriodForm,
    "limits": LimitsForm,
    "changes": ChangesForm,
    "mails": MailsForm,
    "sharing": SharingForm,
}
