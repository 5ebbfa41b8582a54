"""The plain sections of the page editor as forms. Each yields the fields of the page that it changes."""

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from awase.domain.limits import Limit, Per, from_json, to_json
from awase.models import BookingPage, WeeklySchedule
from awase.models.page import Approval, Drift, Visibility
from awase.web.lengths import DAY, HOUR, WEEK, LengthField, LengthsField, offer_lengths
from awase.web.shell import fingerprint

if TYPE_CHECKING:
    PageForm = forms.ModelForm[BookingPage]
else:
    PageForm = forms.ModelForm

THEMES = {"": _("Indigo"), "pine": _("Pine"), "plum": _("Plum"), "persimmon": _("Persimmon"), "slate": _("Slate")}


class SectionForm(PageForm):
    """One section: a heading, and the fields of the page. `changes` is what to keep."""

    heading: Promise
    explains: Promise | str = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.begin()
        offer_lengths(self)

    def begin(self) -> None:
        """Set what fields that are not the page's own begin with."""

    def changes(self) -> dict[str, Any]:
        """Field of the page → value, once the form is valid."""
        return {name: self.cleaned_data[name] for name in self._meta.fields or ()}

    def fingerprint(self) -> str:
        """Changes when somebody saves other values: what the form began with."""
        return fingerprint({name: str(self[name].initial) for name in self.fields})


def differences(stored: SectionForm, typed: SectionForm) -> list[dict[str, Any]]:
    """The fields whose stored value is not the one typed: label and what is stored now, as people read it."""
    found = []
    for name, field in stored.fields.items():
        before, after = stored[name].initial, typed[name].value()
        if field.has_changed(before, field.to_python(after) if after is not None else after):
            choices = dict(getattr(field, "choices", ()))
            said = choices.get(before, choices.get(str(before), before))
            found.append({"label": stored[name].label, "now": "–" if said in (None, "") else said})
    return found


class BasicsForm(SectionForm):
    heading = _("Basics")

    class Meta:
        model = BookingPage
        fields = ("title", "slug", "description", "internal_note", "language", "accent", "indexed", "thanks_url")

    title = forms.CharField(max_length=120, label=_("Title"))
    slug = forms.SlugField(max_length=80, label=_("Address"))
    description = forms.CharField(
        max_length=5000, required=False, label=_("Description"), widget=forms.Textarea(attrs={"rows": 4})
    )
    internal_note = forms.CharField(
        max_length=2000,
        required=False,
        label=_("Internal note"),
        help_text=_("Only your team sees it."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    language = forms.ChoiceField(
        required=False,
        label=_("Language"),
        choices=[("", _("The guest's own")), ("ja", "日本語"), ("en", "English")],
    )
    accent = forms.ChoiceField(required=False, label=_("Colour"), choices=list(THEMES.items()))
    indexed = forms.BooleanField(required=False, label=_("Search engines may list this page"))
    thanks_url = forms.URLField(
        max_length=500,
        required=False,
        assume_scheme="https",
        label=_("Address to go on to after a booking"),
        help_text=_("Left empty, guests see the confirmation here."),
    )

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        taken = BookingPage.objects.filter(workspace=self.instance.workspace, slug=slug).exclude(pk=self.instance.pk)
        if taken.exists():
            raise ValidationError(_("Another page of this workspace has this address. Choose another one."))
        return slug


class TimesForm(SectionForm):
    heading = _("Length and hours")

    class Meta:
        model = BookingPage
        fields = (
            "duration_minutes",
            "durations",
            "step_minutes",
            "buffer_before_minutes",
            "buffer_after_minutes",
            "schedule",
            "time_zone",
        )

    duration_minutes = LengthField((15, 20, 30, 45, 60, 90, 120, 180), label=_("Length"))
    durations = LengthsField(
        (15, 20, 30, 45, 60, 90, 120), label=_("Further lengths"), help_text=_("Guests choose among them.")
    )
    step_minutes = LengthField((5, 10, 15, 20, 30, 45, 60, 90, 120), label=_("A start every"))
    buffer_before_minutes = LengthField((0, 5, 10, 15, 30, 45, 60), none=_("None"), label=_("Time to prepare before"))
    buffer_after_minutes = LengthField((0, 5, 10, 15, 30, 45, 60), none=_("None"), label=_("Time to recover after"))
    schedule = forms.ModelChoiceField(
        WeeklySchedule.objects.none(),
        required=False,
        label=_("Hours"),
        empty_label=_("Each member's own hours"),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone of the page"),
        help_text=_("Period, notice and limits count days in it."),
        choices=[(name, name) for name in sorted(available_timezones())],
    )

    def begin(self) -> None:
        hours = WeeklySchedule.objects.filter(member__workspace=self.instance.workspace).select_related("member__user")
        field = self.fields["schedule"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = hours.order_by("member", "pk")
        field.label_from_instance = lambda obj: f"{obj.member.name} – {obj.name}"  # type: ignore[method-assign]

    def clean_durations(self) -> list[int]:
        chosen = set(self.cleaned_data["durations"]) - {self.cleaned_data.get("duration_minutes")}
        return sorted(chosen)


class PeriodForm(SectionForm):
    heading = _("Period and notice")

    class Meta:
        model = BookingPage
        fields = ("period_days", "period_first", "period_last", "notice_minutes", "notice_from_midnight")

    kind = forms.ChoiceField(
        label=_("How far ahead guests can book"),
        widget=forms.RadioSelect,
        choices=[
            ("rolling", _("A number of days from today")),
            ("fixed", _("Between two dates")),
            ("open", _("Without an end")),
        ],
    )
    period_days = forms.IntegerField(required=False, min_value=0, max_value=365, label=_("Days ahead"))
    period_first = forms.DateField(
        required=False, label=_("First date"), widget=forms.DateInput(attrs={"type": "date"})
    )
    period_last = forms.DateField(required=False, label=_("Last date"), widget=forms.DateInput(attrs={"type": "date"}))
    notice_minutes = LengthField(
        (0, 15, 30, 60, 2 * HOUR, 4 * HOUR, 12 * HOUR, DAY, 2 * DAY, 3 * DAY, WEEK), none=_("None"), label=_("Notice")
    )
    notice_from_midnight = forms.BooleanField(
        required=False,
        label=_("Count the notice from 0:00 of the day"),
        help_text=_("With two days' notice, everything from the day after tomorrow can be booked."),
    )

    def begin(self) -> None:
        fixed = self.instance.period_first or self.instance.period_last
        rolling = self.instance.period_days is not None
        self.initial["kind"] = "rolling" if rolling else "fixed" if fixed else "open"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = cleaned.get("kind")
        if kind == "rolling":
            cleaned["period_first"] = cleaned["period_last"] = None
            if cleaned.get("period_days") is None and "period_days" not in self.errors:
                self.add_error("period_days", _("Give a number of days."))
        elif kind:
            cleaned["period_days"] = None
            if kind == "open":
                cleaned["period_first"] = cleaned["period_last"] = None
            elif not cleaned.get("period_last"):
                self.add_error("period_last", _("Give the last date."))
            elif cleaned.get("period_first") and cleaned["period_first"] > cleaned["period_last"]:
                self.add_error("period_last", _("The last date lies before the first one."))
        return cleaned


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
    drift = forms.ChoiceField(
        label=_("If somebody moves or deletes the event in the calendar"),
        choices=[(Drift.REPAIR, _("Write it again")), (Drift.FOLLOW, _("Move or cancel the booking likewise"))],
    )


class MailsForm(SectionForm):
    heading = _("Reminders")

    class Meta:
        model = BookingPage
        fields = ("follow_up_minutes",)

    guest = LengthsField((15, HOUR, 3 * HOUR, DAY, 2 * DAY, WEEK), label=_("Remind guests before"))
    host = LengthsField((15, HOUR, 3 * HOUR, DAY), label=_("Remind hosts before"))
    follow_up_minutes = LengthField(
        (HOUR, 3 * HOUR, DAY, 2 * DAY, WEEK), required=False, none=_("None"), label=_("Thank guests afterwards")
    )

    def begin(self) -> None:
        self.initial["guest"] = self.instance.reminders.get("guest", [])
        self.initial["host"] = self.instance.reminders.get("host", [])

    def changes(self) -> dict[str, Any]:
        reminders = {whom: sorted(self.cleaned_data[whom], reverse=True) for whom in ("guest", "host")}
        return {**super().changes(), "reminders": {whom: found for whom, found in reminders.items() if found}}


class SharingForm(SectionForm):
    heading = _("Who can book")

    class Meta:
        model = BookingPage
        fields = ("visibility",)

    visibility = forms.ChoiceField(
        label=_("Who finds the page"),
        widget=forms.RadioSelect,
        choices=[
            (Visibility.PUBLIC, _("Everybody who knows the address")),
            (Visibility.SECRET, _("Only with the secret link or a one-time link")),
        ],
    )
    new_password = forms.CharField(
        required=False,
        max_length=100,
        label=_("New password for guests"),
        help_text=_("Left empty, nothing changes."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    no_password = forms.BooleanField(required=False, label=_("Ask for no password any more"))

    def begin(self) -> None:
        if not self.instance.password:
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
    "times": TimesForm,
    "period": PeriodForm,
    "limits": LimitsForm,
    "changes": ChangesForm,
    "mails": MailsForm,
    "sharing": SharingForm,
}
