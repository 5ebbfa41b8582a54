"""The form for one start, and taking the booking."""

from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from awase.models import Booking, BookingPage, Hold
from awase.models.page import Visibility
from awase.services import booking, dates, holds, links
from awase.services.booking import Refusal, Refused
from awase.services.quotas import COUNTED
from awase.services.slots import Offer, offer
from awase.web import guest, limits, manage
from awase.web.access import link_used, of_page
from awase.web.booking_form import BookingForm, entered, sign, signed
from awase.web.extra_fields import answers, file_tokens, keep_files
from awase.web.guest import Context, Wish, link

HOLDS_AN_HOUR = 120
BOOKINGS_AN_HOUR = 30  # of one client on one page
LIMIT_REACHED = gettext_lazy(
    "No more bookings can be made with this mail address for this time. Please choose another day, or write to your"
    " host."
)
MOST_BYTES = 32 * 1024 * 1024  # of one form with its files


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
        if page.visibility == Visibility.PUBLIC and not links.one_time_link(page, self.once, now):
            self.once = ""  # everybody may book here, whatever became of their link
        self.signed = signed(page, request.POST.get("token", ""))
        self.hold = guest.held(request, page, now, self.signed[1] if self.signed else "")
        self.posted, self.wrong_files = keep_files(request, page, now, ours=self.signed is not None)

    def fill_in(self, start: datetime | None) -> HttpResponse:
        """The form for this start, with whatever was typed before; or fresh times if it cannot be had."""
        answer = self.offered(start)
        if not answer.accepting:
            return self.stopped(start)
        if start is None or not answer.hosts_at(start):
            return self.to_booking(mine) if (mine := self.booked_here(start)) else self.gone(start)
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
            return self.take() if self.held_meanwhile(key) else self.gone(start)
        form = self.form(answer, start, bound=True)
        if not form.is_valid():
            status = 409 if form.choice_gone else 422
            form.settle()
            return self.show(answer, start, form, key=key, status=status)
        if limits.exceeded(self.request, f"book:{self.page.pk}", BOOKINGS_AN_HOUR):
            form.add_error(None, _("Too many bookings were sent from here. Please try again in an hour."))
            response = self.show(answer, start, form, key=key, status=429)
            response["Retry-After"] = str(limits.HOUR)
            return response
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
            return (
                self.take() if self.held_meanwhile(key) else self.refused(refused.refusal, start, key, wish.guest.email)
            )

    def held_meanwhile(self, key: str) -> bool:
        """Whether the time came to be held for this very form since this request began to look."""
        held = holds.live_token(self.page, key, self.now)
        if held is None or held == self.hold:
            return False
        self.hold = held
        return True

    def refused(self, refusal: Refusal, start: datetime, key: str, email: str) -> HttpResponse:
        if refusal is Refusal.NOT_ACCEPTING:
            return self.stopped(start)
        if refusal is Refusal.LINK_USED:
            return link_used(self.request, self.page)
        answer = self.offered(start)
        if answer.hosts_at(start) and not self.offered(start, email).hosts_at(start):
            form = self.form(answer, start, bound=True)
            form.add_error("email", str(LIMIT_REACHED))
            return self.show(answer, start, form, key=key, status=409)
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

    def booked_here(self, start: datetime | None) -> Booking | None:
        """The booking of this start that this very browser has made, if its answer was lost or it came back to the
        form: known by the hold, whose token is the form's key."""
        taken = self.earlier(key) if (key := self.request.COOKIES.get(guest.HOLD_COOKIE)) else None
        return taken if taken and taken.start == start and taken.state in COUNTED else None

    def offered(self, start: datetime | None, email: str = "") -> Offer:
        """The page's offer for this single start; to whoever has this mail address, if one is given."""
        start = start or self.now
        end = start.replace(second=1)
        return offer(self.page, start, end, self.now, minutes=self.minutes, hold=self.hold, guest=email)

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
        fresh = guest.fresh_times(self.request, self.page.time_zone, wish.starts(answer), start or self.now)
        fresh |= {
            "kept": self.request.method == "POST",
            "more_url": link(self.request, guest.address("booking_page", self.page)),
        }
        return self.show(answer, None, self.form(answer, None), status=409, gone=fresh)

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
            "post_url": link(
                self.request, self.request.path, start=guest.start_text(start) if start else None, send=self.sending()
            ),
            "form": form,
            "token": sign(self.page, start, key or self.key(held)) if start else "",
            "recap": when,
            "button": (_("Send the request") if self.page.approval else _("Book")) if start else "",
            "hold_url": link(self.request, guest.address("hold", self.page)) if start and not held else "",
            "held": _held(held, self.zone) if held else None,
            **guest.manner(self.request, self.page),
        }

    def key(self, held: Hold | None) -> str:
        """A key for this form. The form that is opened anew while its time is held is the same one, except where
        somebody may well take several seats."""
        return held.token if held and self.page.seats == 1 else uuid4().hex

    def sending(self) -> str:
        """Which sending of the form it will be. So its address is another one than that of the form, and a browser that
        loses the connection meanwhile keeps the form, with all that was typed, one step back."""
        sent = self.request.GET.get("send", "")[:3]
        return str(int(sent) + 1) if sent.isascii() and sent.isdigit() else "1"

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
