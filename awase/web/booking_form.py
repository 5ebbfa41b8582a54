"""The guest's details: the form for one start, and taking the booking."""

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from awase.domain.health import LocationKind
from awase.domain.intervals import epoch, moment
from awase.models import Booking, BookingPage, Hold
from awase.models.page import Ask
from awase.services import booking, dates, holds, words
from awase.services.booking import Refusal, Refused
from awase.services.slots import Offer, offer
from awase.web import guest, limits, manage
from awase.web.access import of_page
from awase.web.extra_fields import FurtherField, answers, file_tokens, keep_files, question_fields
from awase.web.guest import PREFILL, Context, Wish, link

SALT = "awase.book"
DAY = 24 * 3600
HOLDS_AN_HOUR = 120
BOOKINGS_AN_HOUR = 30  # of one client on one page
FRESH_TIMES = 6
MOST_BYTES = 32 * 1024 * 1024  # of one form with its files
GONE = "gone"
# Bidirectional overrides make a name read as another one in mails and calendars.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> None:
    """Names of every script pass; what could end a mail header or turn the text around does not."""
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} or sign in TURNING for sign in text):
        raise ValidationError(_("This contains a character that cannot be used here."))


class Line(forms.CharField):
    """One line of text."""

    def to_python(self, value: Any) -> str | None:
        # Before the text is stripped, which would hide a line end that stands last.
        one_line(str(value or ""))
        return super().to_python(value)


def mail_field() -> forms.EmailField:
    """A guest's mail address."""
    return forms.EmailField(
        label=gettext_lazy("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": gettext_lazy("Please enter your mail address."),
            "invalid": gettext_lazy("This is not a mail address. Please check it: name@example.com."),
        },
    )


class BookingForm(forms.Form):
    """What a guest enters. The places and people are those of the start that is being booked, so the choice of one
    that is no longer to be had is an error with the code `gone`."""

    host = forms.TypedChoiceField(label=pgettext_lazy("guest", "Host"), coerce=int, empty_value=None, required=False)
    place = forms.TypedChoiceField(label=gettext_lazy("Place"), coerce=int, empty_value=None, required=False)
    name = Line(
        label=pgettext_lazy("guest", "Name"),
        max_length=100,
        error_messages={"required": gettext_lazy("Please enter your name.")},
    )
    email = mail_field()
    company = Line(
        label=gettext_lazy("Company"),
        max_length=120,
        required=False,
        error_messages={"required": gettext_lazy("Please enter the name of your company.")},
    )
    phone = Line(
        label=gettext_lazy("Phone number"),
        max_length=40,
        required=False,
        error_messages={"required": gettext_lazy("Please enter the number at which you can be reached.")},
    )
    where = Line(
        label=gettext_lazy("Where shall we meet?"),
        max_length=300,
        required=False,
        error_messages={"required": gettext_lazy("Please say where to meet.")},
    )
    note = forms.CharField(
        label=pgettext_lazy("guest", "Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, answer: Offer, start: datetime | None, wish: Wish, **options: Any) -> None:
        super().__init__(**options)
        self.answer, self.start = answer, start
        self.fields |= question_fields(answer.page)
        if answer.page.ask_further:
            self.fields["further"] = FurtherField()
        names = {member.id: words.person(member.name) for member in answer.value.members}
        self.kinds = {place.id: place.kind for place in answer.value.locations}
        hosts = answer.hosts_at(start) if start and guest.guests_choose(answer.page) else ()
        # The wish for a person narrows the places only where there is nobody else to choose.
        places = guest.places_at(answer, start, hosts[0] if len(hosts) == 1 else None) if start else ()
        self._offer("host", {pk: names[pk] for pk in hosts}, wish.host_id)
        self._offer("place", {pk: words.location_name(self.kinds[pk]) for pk in places}, wish.place_id)
        # Before a start is chosen, whatever one of them may ask for: what was typed is not lost with its start.
        kinds = {self.kinds[pk] for pk in (places if start else answer.verdict.offered)}
        asked = {"company": answer.page.ask_company, "phone": answer.page.ask_phone, "where": Ask.NO}
        for name, kind in (("company", None), ("phone", LocationKind.PHONE), ("where", LocationKind.ASK_GUEST)):
            if not asked[name] and kind not in kinds:
                del self.fields[name]
            elif asked[name] == Ask.REQUIRED or kinds == {kind}:
                self.fields[name].required = True
        if LocationKind.PHONE in kinds and not self.fields["phone"].required:
            self.fields["phone"].help_text = _("Needed for a meeting by phone.")
        for name, purpose in (("name", "name"), ("email", "email"), ("company", "organization"), ("phone", "tel")):
            if name in self.fields:
                self.fields[name].widget.attrs["autocomplete"] = purpose
        self.fields["email"].help_text = _("The confirmation goes here.")
        if not self.start:
            self.use_required_attribute = False

    def _offer(self, name: str, labels: Mapping[int, str], wished: int | None) -> None:
        """A choice where there are several; the only one goes along unseen, so that it is known what was offered."""
        field = self.fields[name]
        assert isinstance(field, forms.TypedChoiceField)
        field.widget = forms.RadioSelect() if len(labels) > 1 else forms.HiddenInput()
        field.choices = list(labels.items()) or [("", "")]
        field.required = field.widget.is_required = bool(labels)
        field.error_messages["invalid_choice"] = _("This is no longer available at this time. Please choose again.")
        if labels and self.initial.get(name) not in {str(pk) for pk in labels}:
            self.initial[name] = wished if wished in labels else next(iter(labels))

    def only(self, name: str) -> int | None:
        """The one person or place that there is at this start; None if there is a choice, or none."""
        choices = list(self.fields[name].choices)  # type: ignore[attr-defined]
        return choices[0][0] or None if len(choices) == 1 else None

    def settle(self) -> None:
        """After a refusal: what there is no choice about any more is not asked again."""
        entries = {name: self.data[name] for name in self.data}
        unseen = [name for name in ("host", "place") if self.fields[name].widget.is_hidden]
        self.data = entries | {name: str(self.only(name) or "") for name in unseen}

    def clean(self) -> dict[str, Any]:
        entries: dict[str, Any] = self.cleaned_data
        place, host = entries.get("place"), entries.get("host")
        if place and host and self.start and place not in guest.places_at(self.answer, self.start, host):
            self.add_error("place", ValidationError(_("Your host cannot be met this way at this time."), code=GONE))
        for name, kind in (("phone", LocationKind.PHONE), ("where", LocationKind.ASK_GUEST)):
            if place and self.kinds[place] is kind and not entries.get(name) and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])
        return entries

    @property
    def choice_gone(self) -> bool:
        """Whether a person or place was chosen that is no longer to be had."""
        codes = {error.code for name in ("host", "place") for error in self.errors.as_data().get(name, [])}
        return bool(codes & {GONE, "invalid_choice"})

    def guest(self, zone: str) -> booking.Guest:
        entries = self.cleaned_data
        return booking.Guest(
            name=entries["name"],
            email=entries["email"],
            language=get_language() or "en",
            time_zone=zone,
            note=entries["note"],
            phone=entries.get("phone", ""),
            place=entries.get("where", ""),
            company=entries.get("company", ""),
            further=entries.get("further", ()),
        )


def sign(page: BookingPage, start: datetime, key: str) -> str:
    """What the form carries: page and start as they were offered, and a key of its own."""
    return signing.dumps([page.pk, epoch(start), key], salt=SALT)


def signed(page: BookingPage, token: str) -> tuple[datetime, str] | None:
    """Start and key of a form of this page; None if it is not ours, or older than a day."""
    try:
        page_id, start, key = signing.loads(token, salt=SALT, max_age=DAY)
    except signing.BadSignature:
        return None
    return (moment(start), key) if page_id == page.pk else None


def entered(posted: QueryDict) -> dict[str, Any]:
    """What of a request belongs to the form: answers to questions may have several values."""
    return {
        name: posted.getlist(name) if name.startswith(PREFILL) and len(posted.getlist(name)) > 1 else posted[name]
        for name in posted
        if name in BookingForm.base_fields or name.startswith(PREFILL) or name == "further"
    }


# No cookie is set for guests, so there is none to check a form against: the form carries a signed token instead.
# It would protect nothing here to do more, since a guest's request has no rights that another site could borrow.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@of_page
def book(request: HttpRequest, page: BookingPage) -> HttpResponse:
    """The form for one start, and its answer."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        text = _("The files are too large together. Please go back and choose smaller ones; your entries are kept.")
        return guest.show(request, "public/closed.html", {"page": guest.title(page), "text": text}, status=413)
    sheet = Sheet(request, page, timezone.now())
    if request.method == "POST" and "again" not in request.POST:
        return sheet.take()
    return sheet.fill_in(guest.start_of(request.POST.get("again", request.GET.get("start", ""))))


@csrf_exempt
@require_POST
@of_page
def hold(request: HttpRequest, page: BookingPage) -> HttpResponse:
    """Hold the time of this form for its guest. The form asks for it by script; without, it is booked as ever."""
    token = signed(page, request.POST.get("token", ""))
    if token is None or limits.exceeded(request, f"hold:{page.pk}", HOLDS_AN_HOUR):
        return HttpResponse(status=204)
    now = timezone.now()
    start, key = token
    mine = guest.held(request, page, now, key)
    try:
        held = (
            mine
            if mine and mine.start == start
            else holds.hold(
                page,
                start,
                now,
                token=key,
                client=limits.client_address(request),
                minutes=guest.asked_minutes(request, page),
            )
        )
    except Refused:
        return HttpResponse(status=204)
    response = guest.show(request, "public/_held.html", {"held": _held(held, guest.zone_of(request, page.time_zone))})
    response.set_cookie(
        guest.HOLD_COOKIE,
        held.token,
        max_age=int(holds.LASTS.total_seconds()),
        path=guest.address("booking_page", page).rstrip("/"),
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
    )
    return response


def _held(hold: Hold, zone: str) -> Context:
    return {"token": hold.token, "until": dates.clock(hold.expires_at.astimezone(ZoneInfo(zone)))}


class Sheet:
    """One request for the form of a page."""

    def __init__(self, request: HttpRequest, page: BookingPage, now: datetime) -> None:
        self.request, self.page, self.now = request, page, now
        self.zone = guest.zone_of(request, page.time_zone)
        self.minutes = guest.asked_minutes(request, page)
        self.once = request.GET.get("once", "")
        self.signed = signed(page, request.POST.get("token", ""))
        self.hold = guest.held(request, page, now, self.signed[1] if self.signed else "")
        self.posted: QueryDict = request.POST
        self.wrong_files: dict[str, str] = {}
        if self.signed and request.FILES:
            self.posted, self.wrong_files = keep_files(request, page, now)

    def fill_in(self, start: datetime | None) -> HttpResponse:
        """The form for this start, with whatever was typed before; or fresh times if it cannot be had."""
        answer = self.offered(start)
        if not answer.accepting:
            return self.stopped(start)
        if start is None or not answer.hosts_at(start):
            return self.gone(start)
        return self.show(answer, start, self.form(answer, start))

    def take(self) -> HttpResponse:
        """Take the booking, or say what is in its way; nothing that was typed is lost."""
        if self.signed is None:
            return self.run_out()
        start, key = self.signed
        if earlier := self.earlier(key):
            return self.to_booking(earlier)
        answer = self.offered(start)
        if not answer.accepting:
            return self.stopped(start)
        if not answer.hosts_at(start):
            return self.gone(start)
        form = self.form(answer, start, bound=True)
        if not form.is_valid():
            status = 409 if form.choice_gone else 422
            form.settle()
            return self.show(answer, start, form, key=key, status=status)
        if limits.exceeded(self.request, f"book:{self.page.pk}", BOOKINGS_AN_HOUR):
            return limits.too_many(self.request)
        wish = booking.Request(
            start=start,
            guest=form.guest(self.zone),
            location_id=form.cleaned_data["place"],
            host_id=form.cleaned_data["host"],
            idempotency_key=key,
            minutes=self.minutes,
            answers=answers(form.fields, form.cleaned_data),
            files=file_tokens(form.fields),
            tracking={name: self.request.GET[name][:200] for name in guest.TRACKED if self.request.GET.get(name)},
            hold=self.hold.token if self.hold else "",
            once=self.once,
        )
        try:
            return self.to_booking(booking.book(self.page, wish, self.now))
        except Refused as refused:
            # The same form sent twice at once: the other one has been taken meanwhile.
            if earlier := self.earlier(key):
                return self.to_booking(earlier)
            # The time was being held for this very form at the same moment.
            if self.hold is None and (held := guest.held(self.request, self.page, self.now, key)):
                self.hold = held
                return self.take()
            return self.refused(refused.refusal, start, key)

    def refused(self, refusal: Refusal, start: datetime, key: str) -> HttpResponse:
        if refusal is Refusal.NOT_ACCEPTING:
            return self.stopped(start)
        answer = self.offered(start)
        if refusal is Refusal.LOCATION_GONE and answer.hosts_at(start):
            form = self.form(answer, start, bound=True)
            form.add_error("place", form.fields["place"].error_messages["invalid_choice"])
            form.settle()
            return self.show(answer, start, form, key=key, status=409)
        return self.gone(start)

    def run_out(self) -> HttpResponse:
        """The form is too old, or was not ours: the same again with a fresh token."""
        start = guest.start_of(self.request.GET.get("start", ""))
        answer = self.offered(start)
        if not answer.accepting:
            return self.stopped(start)
        if start is None or not answer.hosts_at(start):
            return self.gone(start)
        form = self.form(answer, start, bound=True)
        form.add_error(None, _("This form has run out. Please send it once more."))
        return self.show(answer, start, form, status=422)

    def earlier(self, key: str) -> Booking | None:
        return Booking.objects.filter(page=self.page, idempotency_key=key).first()

    def offered(self, start: datetime | None) -> Offer:
        """The page's offer for this single start."""
        start = start or self.now
        return offer(self.page, start, start.replace(second=1), self.now, minutes=self.minutes, hold=self.hold)

    def form(self, answer: Offer, start: datetime | None, *, bound: bool = False) -> BookingForm:
        entries = entered(self.request.GET) | entered(self.posted)
        wish = Wish.of(self.request, answer)
        form = BookingForm(answer, start, wish, initial=entries, data=self.posted if bound else None)
        for name, error in self.wrong_files.items() if bound else ():
            form.add_error(name, error)
        return form

    def stopped(self, start: datetime | None) -> HttpResponse:
        """The page has stopped. Whoever has typed something may go on with it once bookings are taken again."""
        posted = self.posted
        if not posted:
            return guest.stopped(self.request, self.page)
        known = entered(posted)
        entries = [(name, value) for name in known for value in posted.getlist(name) if value]
        entries += [("hold", self.hold.token)] if self.hold else []
        again = guest.start_text(start) if start else ""
        retry = {"url": self.request.get_full_path(), "entries": [("again", again), *entries]}
        return guest.stopped(self.request, self.page, status=409, retry=retry)

    def gone(self, start: datetime | None) -> HttpResponse:
        """This start is not to be had: fresh times around it, as buttons of the same form."""
        answer, _end = guest.whole_offer(self.page, self.now, self.minutes, self.hold)
        wish = Wish.of(self.request, answer)
        wanted = epoch(start or self.now)
        nearest = sorted(sorted(wish.starts(answer), key=lambda at: abs(at - wanted))[:FRESH_TIMES])
        there = ZoneInfo(self.zone)
        fresh = [moment(at).astimezone(there) for at in nearest]
        return self.show(
            answer,
            None,
            self.form(answer, None),
            status=409,
            gone={
                "text": _("This time is no longer available."),
                "slots": [
                    {"time": dates.clock(at), "day": dates.day_name(at.date()), "value": guest.start_text(at)}
                    for at in fresh
                ],
                "kept": self.request.method == "POST",
                "more_url": link(self.request, guest.address("booking_page", self.page)),
            },
        )

    def show(
        self,
        answer: Offer,
        start: datetime | None,
        form: BookingForm,
        *,
        key: str = "",
        status: int = 200,
        gone: Context | None = None,
    ) -> HttpResponse:
        context = self.context(answer, start, form, key=key) | {"gone": gone}
        return guest.show(self.request, "public/form.html", context, status=status)

    def context(self, answer: Offer, start: datetime | None, form: BookingForm, *, key: str = "") -> Context:
        """What the template of the form reads."""
        when = self.when(start) if start else None
        points = [when] if when else []
        held = self.hold if self.hold and self.hold.start == start else None
        wish = Wish(form.only("host"), form.only("place"), self.minutes) if start else Wish.of(self.request, answer)
        day = f"{start.astimezone(ZoneInfo(self.zone)):%Y-%m-%d}" if start else None
        return {
            "page": guest.summary(self.page, answer, wish, *points),
            "notice": guest.notice(answer),
            "back_url": link(
                self.request, guest.address("booking_page", self.page), month=day[:7] if day else None, day=day
            ),
            "post_url": link(self.request, self.request.path, start=guest.start_text(start) if start else None),
            "form": form,
            "token": sign(self.page, start, key or uuid4().hex) if start else "",
            "recap": when,
            "button": (_("Send the request") if self.page.approval else _("Book")) if start else "",
            "hold_url": link(self.request, guest.address("hold", self.page)) if start and not held else "",
            "held": _held(held, self.zone) if held else None,
            **guest.manner(self.request, self.page),
        }

    def when(self, start: datetime) -> Context:
        end = start + timedelta(minutes=self.minutes or self.page.duration_minutes)
        return {
            "icon": "calendar",
            "text": dates.when(start, end, self.zone),
            "strong": True,
            "detail": dates.zone_name(self.zone, start),
        }

    def to_booking(self, taken: Booking) -> HttpResponse:
        """On to the booking's own page, which can be reloaded without sending the form again."""
        return manage.see(self.request, taken)
