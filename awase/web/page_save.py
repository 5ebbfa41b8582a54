"""Saving the sections of the page editor one by one: what would stop the page is shown before it is done."""

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from awase.domain.health import LocationKind
from awase.domain.questions import to_json
from awase.models import BookingPage
from awase.services import links, pages
from awase.services.health import page_values
from awase.web.page_edit import confirm, done, form_section, whole
from awase.web.page_forms import differences
from awase.web.page_people import members_section, rooms_section, typed_people, typed_rooms
from awase.web.page_places import places_section
from awase.web.page_questions import questions_section, typed_questions
from awase.web.page_rules import SECTION_FORMS
from awase.web.pages import editable
from awase.web.shell import MemberRequest, for_members, utcnow


@require_POST
@for_members
def save_form(request: MemberRequest, pk: int, section: str) -> HttpResponse:
    """A plain section. Where somebody else saved it meanwhile, what is stored now is shown beside what was typed,
    and kept until it is saved again."""
    page = editable(request.member, pk)
    form_type = SECTION_FORMS[section]
    seen, stored = request.POST.get("seen"), form_type(instance=page)
    form = form_type(request.POST, instance=editable(request.member, pk))
    conflict = differences(stored, form) if seen and seen != stored.fingerprint() else []
    if form.is_valid() and not conflict:
        pages.save_fields(page, form.changes(), utcnow())
        return done(page, section)
    return whole(
        request, page, {**form_section(page, section, form), "seen": stored.fingerprint(), "conflict": conflict}
    )


@require_POST
@for_members
def save_members(request: MemberRequest, pk: int) -> HttpResponse:
    """参加メンバー: asks once more if the page would stop."""
    page = editable(request.member, pk)
    people, now = typed_people(page, request.POST), utcnow()
    change = pages.preview_people(page, people, now)
    if change.stops and "confirmed" not in request.POST:
        return whole(request, page, {**members_section(page, people, now), "confirm": confirm(change)})
    pages.set_people(page, people, now)
    return done(page, "members")


@require_POST
@for_members
def save_rooms(request: MemberRequest, pk: int) -> HttpResponse:
    """Rooms: asks once more if the page would stop."""
    page = editable(request.member, pk)
    rooms, now = typed_rooms(page, request.POST, request.POST.getlist("room")), utcnow()
    change = pages.preview_rooms(page, rooms, now)
    if change.stops and "confirmed" not in request.POST:
        return whole(request, page, {**rooms_section(page, rooms), "confirm": confirm(change)})
    pages.set_rooms(page, rooms, now)
    return done(page, "rooms")


@require_POST
@for_members
def duplicate(request: MemberRequest, pk: int) -> HttpResponse:
    """A copy of the page, which takes no bookings until it is switched on."""
    page = editable(request.member, pk)
    taken = set(BookingPage.objects.filter(workspace=page.workspace).values_list("slug", flat=True))
    number = 2
    while f"{page.slug[:70]}-{number}" in taken:
        number += 1
    title = _("%(title)s (copy)") % {"title": page.title[:110]}
    copy = pages.duplicate(page, request.member, title, f"{page.slug[:70]}-{number}", utcnow())
    return redirect(f"/app/pages/{copy.pk}")


@require_POST
@for_members
def secret_link(request: MemberRequest, pk: int) -> HttpResponse:
    """A new secret link; the old one leads nowhere from now on."""
    links.renew_secret(editable(request.member, pk))
    return redirect(f"/app/pages/{pk}?saved=sharing#sharing")


@require_POST
@for_members
def one_time_link(request: MemberRequest, pk: int) -> HttpResponse:
    """A link that takes one booking, shown this once."""
    page = editable(request.member, pk)
    note = request.POST.get("note", "").strip()[:120]
    _made, address = links.make_one_time(page, request.member, utcnow(), note=note)
    section = form_section(page, "sharing", SECTION_FORMS["sharing"](instance=page))
    return whole(request, page, {**section, "new_link": address}, status=200)


@require_POST
@for_members
def archive(request: MemberRequest, pk: int) -> HttpResponse:
    """Into the archive, or out of it."""
    page = editable(request.member, pk)
    pages.set_archived(page, request.POST.get("archived") == "yes", utcnow())
    return redirect("/app/pages?show=archived" if page.archived_at else f"/app/pages/{page.pk}")


@require_POST
@for_members
def save_locations(request: MemberRequest, pk: int) -> HttpResponse:
    """ロケーション: asks once more if the page would stop."""
    page = editable(request.member, pk)
    data: QueryDict = request.POST
    ids = list(page.locations.values_list("pk", flat=True))
    kind = data.get("add", "")
    places = pages.Places(
        details={pk_: data.get(f"detail-{pk_}", "").strip()[:500] for pk_ in ids if f"detail-{pk_}" in data},
        remove=frozenset(pk_ for pk_ in ids if str(pk_) in data.getlist("remove")),
        add=LocationKind(kind) if kind in set(LocationKind) else None,
        add_detail=data.get("add_detail", "").strip()[:500],
    )
    now = utcnow()
    change = pages.preview_places(page, places, now)
    if change.stops and "confirmed" not in data:
        value = page_values([page], now)[page.pk]
        return whole(request, page, {**places_section(page, value, places), "confirm": confirm(change)})
    pages.set_places(page, places, now)
    return done(page, "locations")


@require_POST
@for_members
def save_questions(request: MemberRequest, pk: int) -> HttpResponse:
    """Keep the questions; what was typed comes back with what is wrong."""
    page = editable(request.member, pk)
    rows, questions = typed_questions(request.POST)
    if any(row["error"] for row in rows):
        return whole(request, page, questions_section(page, rows))
    pages.save_fields(page, {"questions": to_json(questions)}, utcnow())
    return done(page, "form")
