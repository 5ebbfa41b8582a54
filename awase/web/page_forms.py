"""The plain sections of the page editor as forms. Each yields the fields of the page that it changes."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from awase.models import BookingPage, Member, WeeklySchedule
from awase.services import dates, pages, rich_text
from awase.web.lengths import DAY, HOUR, WEEK, LengthField, LengthsField, length, offer_lengths
from awase.web.pictures import Picture, PictureField
from awase.web.shell import Context, fingerprint
from awase.web.zone_field import ZoneField

if TYPE_CHECKING:
    PageForm = forms.ModelForm[BookingPage]
else:
    PageForm = forms.ModelForm

THEMES = {
    "": _("The workspace's own"),
    "indigo": _("Indigo"),
    "pine": _("Pine"),
    "plum": _("Plum"),
    "persimmon": _("Persimmon"),
    "slate": _("Slate"),
}


LENGTHS = (5, 10, 15, 20, 25, 30, 40, 45, 50, 60, 75, 90, 120, 150, 180, 240, 300, 360, 480, 720, DAY)


class RichText(forms.Textarea):
    """Text with bold, lists and links. `rich-text.js` makes an editor of it; without script it is HTML."""

    template_name = "dashboard/_rich_text.html"

    def __init__(self) -> None:
        super().__init__({"rows": 6, "data-rich": "yes"})

    def format_value(self, value: Any) -> str:
        return rich_text.clean(value or "")


class Swatches(forms.RadioSelect):
    """Theme colours, each shown beside its name."""

    def create_option(self, name: str, value: Any, *args: Any, **more: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **more)
        option["attrs"]["class"] = f"swatch theme-{value}" if value else ""
        return option


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

    def keep(self, page: BookingPage, now: datetime, *, by: Member) -> None:
        """Save the section, once the form is valid."""
        pages.save_fields(page, self.changes(), now, by=by)

    def summary(self) -> list[Any]:
        """The section in a few words, as stored."""
        raise NotImplementedError

    def said(self, name: str) -> str:
        """What is stored in a field of choices, as people read it."""
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return said(field, self[name].initial)

    def fingerprint(self) -> str:
        """Changes when somebody saves other values: what the form began with."""
        return fingerprint({name: str(self[name].initial) for name in self.fields})


def said(field: Any, stored: Any) -> str:
    """A value of a field as people read it; "" for none."""
    if isinstance(stored, bool):
        return str(_("Yes") if stored else _("No"))
    if isinstance(stored, list | tuple):
        return pgettext("list of names", ", ").join(said(field, one) for one in stored)
    if isinstance(stored, date):
        return dates.full_day_name(stored)
    choices: dict[Any, Any] = dict(getattr(field, "choices", ()))
    found = choices.get(stored, choices.get(str(stored), stored))
    return "" if found is None else str(found)


def differences(stored: SectionForm, typed: SectionForm) -> list[Context]:
    """The fields whose stored value is not the one typed: label, what is stored now and what was typed, as people
    read them."""
    found = []
    for name, field in stored.fields.items():
        before, after = stored[name].initial, typed[name].value()
        if field.has_changed(before, after):
            now, yours = said(field, before), said(field, _read(field, after))
            found.append({"label": stored[name].label, "now": now or "–", "yours": yours or "–"})
    return found


def _read(field: forms.Field, typed: Any) -> Any:
    """What was typed, as the field reads it; what it cannot read stays as it is."""
    try:
        value = field.to_python(typed)
    except ValidationError:
        return typed
    return value.pk if isinstance(value, Model) else value


class BasicsForm(SectionForm):
    heading = _("Basics")

    class Meta:
        model = BookingPage
        fields = ("title", "slug", "description", "internal_note", "language")

    title = forms.CharField(max_length=120, label=_("Title"))
    slug = forms.SlugField(max_length=80, label=_("Address"))
    description = forms.CharField(max_length=10_000, required=False, label=_("Description"), widget=RichText())
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

    def begin(self) -> None:
        self.initial["description"] = rich_text.clean(self.instance.description)

    def summary(self) -> list[Any]:
        return [f"/{self.instance.slug}", self.said("language")]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        taken = BookingPage.objects.filter(workspace=self.instance.workspace, slug=slug).exclude(pk=self.instance.pk)
        if taken.exists():
            raise ValidationError(_("Another page of this workspace has this address. Choose another one."))
        return slug

    def clean_description(self) -> str:
        return rich_text.clean(self.cleaned_data["description"])


class DesignForm(SectionForm):
    """Colour and picture. The picture is shown once it is saved."""

    heading = _("Design")

    class Meta:
        model = BookingPage
        fields = ("accent",)

    accent = forms.ChoiceField(required=False, label=_("Colour"), choices=list(THEMES.items()), widget=Swatches)
    picture = PictureField(
        label=_("Picture at the head of the page"),
        help_text=_("JPEG, PNG or WebP of at most 1 MB; a strip of 16 to 6 of it is shown."),
    )
    no_picture = forms.BooleanField(required=False, label=_("Show no picture any more"))

    def begin(self) -> None:
        if not self.instance.cover:
            del self.fields["no_picture"]

    def summary(self) -> list[Any]:
        return [self.said("accent"), *([_("With a picture")] if self.instance.cover else [])]

    def fingerprint(self) -> str:
        return fingerprint([self.instance.accent, self.instance.cover])

    def keep(self, page: BookingPage, now: datetime, *, by: Member) -> None:
        picture: Picture | None = self.cleaned_data["picture"]
        if picture is None and self.cleaned_data.get("no_picture"):
            pages.remove_cover(page, by=by)
        elif picture is not None:
            pages.set_cover(page, picture.content, picture.kind, by=by)
        super().keep(page, now, by=by)


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

    duration_minutes = LengthField(LENGTHS, label=_("Length"))
    durations = LengthsField(
        (15, 20, 30, 45, 60, 90, 120, 180, 240), label=_("Further lengths"), help_text=_("Guests choose among them.")
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
    time_zone = ZoneField(label=_("Time zone of the page"), help_text=_("Period, notice and limits count days in it."))

    def begin(self) -> None:
        ours = Q(for_page=None) | Q(for_page=self.instance)
        hours = WeeklySchedule.objects.filter(ours, member__workspace=self.instance.workspace)
        hours = hours.select_related("member__user")
        field = self.fields["schedule"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = hours.order_by("member", "pk")
        field.label_from_instance = lambda obj: f"{obj.member.name} – {obj.name}"  # type: ignore[method-assign]

    def summary(self) -> list[Any]:
        lengths = [self.instance.duration_minutes, *self.instance.durations]
        every = _("a start every %(length)s") % {"length": length(self.instance.step_minutes)}
        return [*map(length, lengths), every, self.instance.time_zone]

    def clean_durations(self) -> list[int]:
        chosen = set(self.cleaned_data["durations"]) - {self.cleaned_data.get("duration_minutes")}
        return sorted(chosen)


class PeriodForm(SectionForm):
    heading = _("Period and notice")

    class Meta:
        model = BookingPage
        fields = ("period_days", "period_first", "period_last", "notice_minutes", "notice_from_midnight")

    field_order = ("kind", "period_days", "period_first", "period_last", "notice_minutes", "notice_from_midnight")
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

    def summary(self) -> list[Any]:
        page = self.instance
        match self.initial["kind"]:
            case "rolling":
                days = page.period_days or 0
                until: Any = ngettext("%(count)d day ahead", "%(count)d days ahead", days) % {"count": days}
            case "fixed":
                until = f"{page.period_first or ''} – {page.period_last or ''}"
            case _:
                until = _("Without an end")
        return [until, _("notice %(length)s") % {"length": length(page.notice_minutes)}]

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
