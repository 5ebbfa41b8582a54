"""The live preview in the page editor: the public page as a section stands typed, before anything is saved.

The editor shows it in a frame of its own that runs no script and sends no form; `editor.js` has it follow what is
typed. Nothing is written, and nobody but editors of the page sees it.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods

from awase.domain.health import PageValue
from awase.domain.intervals import moment
from awase.domain.questions import to_json
from awase.models import BookingPage
from awase.services import pages
from awase.services.health import page_values
from awase.services.slots import Offer
from awase.web import guest
from awase.web.booking import Sheet
from awase.web.page_edit import SECTIONS
from awase.web.page_people import typed_people, typed_rooms
from awase.web.page_places import typed_places
from awase.web.page_questions import FieldsForm, typed_questions
from awase.web.page_rules import SECTION_FORMS
from awase.web.pages import editable
from awase.web.public import month_page
from awase.web.shell import Context, MemberRequest, for_members

ON_THE_FORM = ("form", "changes")  # what these settings do is seen on the form, not on the month
NO_LANGUAGES: Context = {"languages": []}  # the switch would turn the editor's own language

View = Callable[[MemberRequest, BookingPage, str, datetime], HttpResponse]


def _framed(view: View) -> Callable[..., HttpResponse]:
    """Hand the view the page as typed, in its own language; the answer may stand in a frame of this site."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @for_members
    @wraps(view)
    def inside(request: MemberRequest, pk: int, section: str) -> HttpResponse:
        if section not in SECTIONS:
            raise Http404
        page = editable(request.member, pk)
        with translation.override(page.language or translation.get_language()):
            response = view(request, page, section, timezone.now())
        response._csp_replace = {"frame-ancestors": ["'self'"]}  # type: ignore[attr-defined]
        return response

    return xframe_options_sameorigin(inside)


@_framed
def month(request: MemberRequest, page: BookingPage, section: str, now: datetime) -> HttpResponse:
    """The month; or the form, for what is seen only there."""
    answer, end = _offer(request, page, section, now)
    if section in ON_THE_FORM and answer.accepting and answer.slots.starts:
        return _form(request, answer, moment(answer.slots.starts[0]), section, now)
    return month_page(request, answer, end, f"{_address(page, section)}/book", **NO_LANGUAGES)


@_framed
def book(request: MemberRequest, page: BookingPage, section: str, now: datetime) -> HttpResponse:
    """The form for the time that was chosen in the preview."""
    answer, end = _offer(request, page, section, now)
    start = guest.start_of(request.GET.get("start", ""))
    if start is None or not answer.accepting or not answer.hosts_at(start):
        return month_page(request, answer, end, f"{_address(page, section)}/book", **NO_LANGUAGES)
    return _form(request, answer, start, section, now)


def _address(page: BookingPage, section: str) -> str:
    return f"/app/pages/{page.pk}/preview/{section}"


def _offer(request: HttpRequest, page: BookingPage, section: str, now: datetime) -> tuple[Offer, datetime]:
    value = _typed(request, page, section, now) if request.method == "POST" else None
    return guest.whole_offer(page, now, guest.asked_minutes(request, page), value=value)


def _typed(request: HttpRequest, page: BookingPage, section: str, now: datetime) -> PageValue | None:
    """Take over what was typed: plain fields on `page`, which is not saved; the rest as the gate's values. Whatever
    cannot be kept stays as it is stored."""
    data = request.POST
    match section:
        case "members":
            people = typed_people(page, data)
            value = pages.with_people(page_values([page], now)[page.pk], people, now)
            page.condition, page.assignment = people.condition, people.assignment
            return value
        case "locations":
            return pages.with_places(page_values([page], now)[page.pk], typed_places(page, data))
        case "rooms":
            rooms = typed_rooms(page, data, data.getlist("room"))
            return pages.with_rooms(page_values([page], now)[page.pk], rooms, now)
        case "form":
            rows, questions = typed_questions(data)
            if not any(row["error"] for row in rows):
                page.questions = to_json(questions)
    if section in SECTION_FORMS or section == "form":
        form = SECTION_FORMS.get(section, FieldsForm)(data, instance=page)
        if form.is_valid():
            for name, kept in form.changes().items():
                setattr(page, name, kept)
        else:
            page.refresh_from_db()
    return None


def _form(request: HttpRequest, answer: Offer, start: datetime, section: str, now: datetime) -> HttpResponse:
    sheet = Sheet(request, answer.page, now)
    context = sheet.context(answer, start, sheet.form(answer, start))
    back = guest.link(request, _address(answer.page, "basics" if section in ON_THE_FORM else section))
    return guest.show(
        request,
        "public/form.html",
        context | {"back_url": back, "post_url": "", "hold_url": "", "gone": None, **NO_LANGUAGES},
    )
