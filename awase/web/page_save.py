"""Saving the sections of the page editor one by one: what would stop the page is shown before it is done."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from awase.domain.permissions import Act
from awase.domain.questions import from_json, to_json
from awase.models import BookingPage
from awase.services import links, pages
from awase.services.health import page_values
from awase.services.permissions import may, require
from awase.web.page_access import access_facts, access_section, stored_access, typed_access
from awase.web.page_consequences import of_address, of_health, of_people
from awase.web.page_edit import done, form_section, whole
from awase.web.page_forms import differences as form_differences
from awase.web.page_people import (
    members_section,
    people_facts,
    rooms_facts,
    rooms_section,
    typed_people,
    typed_rooms,
)
from awase.web.page_places import places_facts, places_section, typed_places
from awase.web.page_questions import FieldsForm, questions_facts, questions_section, typed_questions
from awase.web.page_rules import SECTION_FORMS
from awase.web.page_sections import Facts, differences, seen
from awase.web.pages import editable
from awase.web.shell import Context, MemberRequest, for_members, utcnow


@require_POST
@for_members
def save_form(request: MemberRequest, pk: int, section: str) -> HttpResponse:
    """A plain section. Where somebody else saved it meanwhile, what is stored now is shown beside what was typed,
    and kept until it is saved again. Another address is asked about once more."""
    page = editable(request.member, pk)
    form_type = SECTION_FORMS[section]
    seen, stored = request.POST.get("seen"), form_type(instance=page)
    form = form_type(request.POST, request.FILES, instance=editable(request.member, pk))
    conflict = form_differences(stored, form) if seen and seen != stored.fingerprint() else []
    question = None
    if form.is_valid() and not conflict:
        question = of_address(page, form.cleaned_data.get("slug", page.slug))
        if not question or "confirmed" in request.POST:
            form.keep(page, utcnow(), by=request.member)
            return done(page, section)
    shown = {**form_section(page, section, form), "seen": stored.fingerprint()}
    return whole(request, page, {**shown, "conflict": conflict, "confirm": question})


def _keep(
    request: MemberRequest, page: BookingPage, shown: Context, stored: Facts, typed: Facts, question: Context | None
) -> HttpResponse | None:
    """What to answer before a section is kept: that somebody else saved it meanwhile, and how what is stored now
    differs from what was typed; or what it would do. None: keep it."""
    seen_then = request.POST.get("seen")
    if seen_then and seen_then != seen(stored) and (conflict := differences(stored, typed)):
        return whole(request, page, {**shown, "conflict": conflict})
    if question and "confirmed" not in request.POST:
        return whole(request, page, {**shown, "confirm": question})
    return None


@require_POST
@for_members
def save_members(request: MemberRequest, pk: int) -> HttpResponse:
    """参加メンバー: asks once more if the page would stop, bookings stay behind, or the owner changes."""
    page = editable(request.member, pk)
    people, now = typed_people(page, request.POST), utcnow()
    value = pages.with_people(page_values([page], now)[pk], people, now)
    answer = _keep(
        request,
        page,
        members_section(page, people, value, request.member, now),
        people_facts(pages.people_of(page)),
        people_facts(people),
        of_people(page, people, request.member, now),
    )
    if answer:
        return answer
    pages.set_people(page, people, now, by=request.member)
    return done(page, "members") if may(request.member, Act.EDIT_PAGE, page) else redirect("/app/pages")


@require_POST
@for_members
def save_rooms(request: MemberRequest, pk: int) -> HttpResponse:
    """Rooms: asks once more if the page would stop."""
    page = editable(request.member, pk)
    rooms, now = typed_rooms(page, request.POST, request.POST.getlist("room")), utcnow()
    value = pages.with_rooms(page_values([page], now)[pk], rooms, now)
    answer = _keep(
        request,
        page,
        rooms_section(page, rooms, value),
        rooms_facts(pages.rooms_of(page)),
        rooms_facts(rooms),
        of_health(page, pages.preview_rooms(page, rooms, now)),
    )
    if answer:
        return answer
    pages.set_rooms(page, rooms, now, by=request.member)
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
    messages.success(request, _("This is the copy. It takes no bookings until you switch it on."))
    return redirect(f"/app/pages/{copy.pk}")


@require_POST
@for_members
def secret_link(request: MemberRequest, pk: int) -> HttpResponse:
    """A new secret link; the old one leads nowhere from now on."""
    links.renew_secret(editable(request.member, pk), by=request.member)
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
    pages.set_archived(page, request.POST.get("archived") == "yes", utcnow(), by=request.member)
    messages.success(
        request, _("The page is in the archive.") if page.archived_at else _("The page is out of the archive.")
    )
    return redirect("/app/pages?show=archived" if page.archived_at else f"/app/pages/{page.pk}")


@require_POST
@for_members
def save_locations(request: MemberRequest, pk: int) -> HttpResponse:
    """ロケーション: asks once more if the page would stop."""
    page = editable(request.member, pk)
    places, now = typed_places(page, request.POST), utcnow()
    value = page_values([page], now)[pk]
    answer = _keep(
        request,
        page,
        places_section(page, value, places),
        places_facts(value),
        places_facts(pages.with_places(value, places)),
        of_health(page, pages.preview_places(page, places, now)),
    )
    if answer:
        return answer
    pages.set_places(page, places, now, by=request.member)
    return done(page, "locations")


@require_POST
@for_members
def save_questions(request: MemberRequest, pk: int) -> HttpResponse:
    """Keep the questions; what was typed comes back with what is wrong."""
    page = editable(request.member, pk)
    rows, questions = typed_questions(request.POST)
    form = FieldsForm(request.POST, instance=editable(request.member, pk))
    shown = questions_section(page, rows, form)
    if not form.is_valid() or any(row["error"] for row in rows):
        return whole(request, page, shown)
    stored = FieldsForm(instance=page).facts() | questions_facts(from_json(page.questions))
    if answer := _keep(request, page, shown, stored, form.facts() | questions_facts(questions), None):
        return answer
    pages.save_fields(page, {**form.changes(), "questions": to_json(questions)}, utcnow(), by=request.member)
    return done(page, "form")


@require_POST
@for_members
def save_access(request: MemberRequest, pk: int) -> HttpResponse:
    """Keep who sees and who changes the page, besides those on it."""
    page, levels = editable(request.member, pk), typed_access(request.POST)
    require(request.member, Act.GIVE_PAGE, page)
    shown, stored = access_section(page, levels), access_facts(page, stored_access(page))
    if answer := _keep(request, page, shown, stored, access_facts(page, levels), None):
        return answer
    shares = {member: level == "editor" for member, level in levels.items() if level}
    pages.set_shares(page, shares, by=request.member)
    return done(page, "access")
