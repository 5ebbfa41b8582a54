"""予約ページ編集: sections saved one by one; what would stop a page is shown before it is done."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from awase.domain.changes import Preview
from awase.domain.gate import location_lack
from awase.domain.health import LocationKind, PageValue
from awase.models import BookingPage, Condition, Member, PageChange
from awase.models.page import Assignment
from awase.services import pages, words
from awase.services.dashboard import visible_pages
from awase.services.health import standing_of
from awase.web.cards import PageCards
from awase.web.connection_cards import cause, state_badge
from awase.web.page_forms import AvailabilityForm, BasicsForm, NewPageForm, PageForm
from awase.web.pages import editable
from awase.web.shell import Context, MemberRequest, for_members, local, utcnow

FORMS: dict[str, type[PageForm]] = {"basics": BasicsForm, "availability": AvailabilityForm}
ICONS = {
    LocationKind.MEET: "video",
    LocationKind.ZOOM: "video",
    LocationKind.TEAMS: "video",
    LocationKind.IN_PERSON: "place",
    LocationKind.PHONE: "phone",
    LocationKind.LINK: "link",
    LocationKind.ASK_GUEST: "person",
}
SECTIONS = ("basics", "members", "locations", "availability", "switch")


@for_members
def new_page(request: MemberRequest) -> HttpResponse:
    """A new page of the viewer's own."""
    form = NewPageForm(request.POST or None, member=request.member)
    if request.method == "POST" and form.is_valid():
        page = pages.create(
            request.member, title=form.cleaned_data["title"], slug=form.cleaned_data["slug"], now=utcnow()
        )
        return redirect(f"/app/pages/{page.pk}")
    section = {
        "id": "new",
        "heading": _("New booking page"),
        "url": "/app/pages/new",
        "form": form,
        "template": "dashboard/_section_form.html",
    }
    return render(
        request,
        "dashboard/page_new.html",
        {"section": "pages", "sections": [section], "back_url": "/app/pages"},
        status=400 if form.errors else 200,
    )


@require_GET
@for_members
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    """The whole editor."""
    return _whole(request, editable(request.member, pk))


def _whole(request: MemberRequest, page: BookingPage, shown: Context | None = None) -> HttpResponse:
    """The editor with one section as just answered (with its errors or its question), the others as stored."""
    now = utcnow()
    cards = PageCards(visible_pages(request.member).filter(pk=page.pk), request.member, now)
    card = {**cards.card(cards.pages[0]), "problems": cards.problems(cards.pages[0])}
    fresh = {name: _section(page, name, cards.values[page.pk], now) for name in SECTIONS}
    if shown:
        fresh[shown["id"]] = shown
    elif request.GET.get("saved") in fresh:
        fresh[request.GET["saved"]]["saved"] = True
    context = {
        "section": "pages",
        "back_url": "/app/pages",
        "page": {**card, "public_url": f"{settings.AWASE_URL}/{page.workspace.slug}/{page.slug}"},
        "sections": list(fresh.values()),
        "history": _history(page, request.member),
    }
    return render(request, "dashboard/page_edit.html", context, status=400 if shown else 200)


def _section(page: BookingPage, name: str, value: PageValue, now: datetime) -> Context:
    common: Context = {"id": name, "url": f"/app/pages/{page.pk}/{name}", "saved": False, "confirm": None}
    match name:
        case "basics":
            return _form_section(common, _("Basics"), BasicsForm(instance=page))
        case "availability":
            return _form_section(common, _("Availability"), AvailabilityForm(instance=page))
        case "members":
            people = pages.People(
                condition=Condition(page.condition),
                assignment=Assignment(page.assignment),
                calendar_required=page.calendar_required,
                owner_id=page.owner_id,
                member_ids=value.everybody,
            )
            return _members_section(common, page, people, now)
        case "locations":
            return _locations_section(common, page, value)
        case _:
            return {
                **common,
                "heading": _("Taking bookings"),
                "template": "dashboard/_section_switch.html",
                "on": page.accepting,
                "button": _("Stop taking bookings") if page.accepting else _("Take bookings"),
            }


def _form_section(common: Context, heading: str, form: PageForm) -> Context:
    return {**common, "heading": heading, "form": form, "template": "dashboard/_section_form.html"}


def _members_section(common: Context, page: BookingPage, people: pages.People, now: datetime) -> Context:
    team = list(
        Member.objects.filter(workspace=page.workspace)
        .select_related("user")
        .prefetch_related("connections__credential")
        .order_by("pk")
    )
    chosen = {member_id: place for place, member_id in enumerate(people.member_ids)}
    team.sort(key=lambda member: (member.pk not in chosen, chosen.get(member.pk, 0), member.pk))
    return {
        **common,
        "heading": _("Members"),
        "template": "dashboard/_section_members.html",
        "condition": people.condition.value,
        "automatic": people.assignment is not Assignment.GUEST,
        "method": people.assignment.value,
        "calendar_required": people.calendar_required,
        "owners": [
            {"value": member.pk, "label": member.name, "selected": member.pk == people.owner_id} for member in team
        ],
        "members": [
            {
                "id": member.pk,
                "name": member.name,
                "checked": member.pk in chosen,
                "facts": [
                    f"{words.service_name(link.credential.service)} – "
                    f"{state_badge(standing_of(link.credential, now)[0])['label']}"
                    for link in member.connections.all()
                ],
                "badges": [],
            }
            for member in team
        ],
    }


def _locations_section(
    common: Context, page: BookingPage, value: PageValue, typed: pages.Places | None = None
) -> Context:
    typed = typed or pages.Places({})
    owner = next(member for member in value.members if member.id == page.owner_id)
    free = {
        LocationKind.IN_PERSON: _("Address"),
        LocationKind.PHONE: _("Phone number"),
        LocationKind.LINK: _("Link or text"),
    }
    shown = []
    for place in value.locations:
        broken = location_lack(owner, place) if value.by_owner else None
        badge = {"kind": "danger", "label": _("Connection error")} if broken and broken.error else None
        if broken and not broken.error:
            badge = {"kind": "warn", "label": _("Not connected")}
        shown.append(
            {
                "id": place.id,
                "icon": ICONS[place.kind],
                "label": words.location_name(place.kind),
                "badges": [badge] if badge else [],
                "detail_label": free.get(place.kind, ""),
                "detail": typed.details.get(place.id, place.detail),
                "removing": place.id in typed.remove,
            }
        )
    return {
        **common,
        "heading": _("Locations"),
        "help": _("Guests choose among those that work. Without a location you tell guests the place yourself."),
        "template": "dashboard/_section_locations.html",
        "locations": shown,
        "kinds": [
            {"value": kind.value, "label": words.location_name(kind), "selected": kind is typed.add}
            for kind in LocationKind
        ],
        "add_detail": typed.add_detail,
    }


def _history(page: BookingPage, viewer: Member) -> list[Context]:
    return [
        {
            "kind": "ok" if change.opened else "danger",
            "when": local(change.at, viewer),
            "text": _("Opened by itself") if change.opened else _("Stopped by itself"),
            "cause": cause(change.cause),
        }
        for change in PageChange.objects.filter(page=page)[:20]
    ]


def _done(page: BookingPage, section: str) -> HttpResponse:
    return redirect(f"/app/pages/{page.pk}?saved={section}#{section}")


@require_POST
@for_members
def save_form(request: MemberRequest, pk: int, section: str) -> HttpResponse:
    """A plain section: basics or availability."""
    page = editable(request.member, pk)
    form = FORMS[section](request.POST, instance=page)
    if form.is_valid():
        pages.save_fields(page, form.cleaned_data, utcnow())
        return _done(page, section)
    page.refresh_from_db()
    heading = _("Basics") if section == "basics" else _("Availability")
    return _whole(request, page, _form_section({"id": section, "url": f"/app/pages/{pk}/{section}"}, heading, form))


@require_POST
@for_members
def save_members(request: MemberRequest, pk: int) -> HttpResponse:
    """参加メンバー: asks once more if the page would stop."""
    page = editable(request.member, pk)
    data = request.POST
    team = set(Member.objects.filter(workspace=page.workspace).values_list("pk", flat=True))
    chosen = [int(value) for value in data.getlist("member") if value.isdecimal() and int(value) in team]
    owner = data.get("owner", "")
    method = data.get("method", "even")
    automatic = "automatic" in data
    people = pages.People(
        condition=Condition.ANY if data.get("condition") == "any" else Condition.ALL,
        assignment=Assignment(method) if automatic and method in Assignment.values else Assignment.GUEST,
        calendar_required="calendar_required" in data,
        owner_id=int(owner) if owner.isdecimal() and int(owner) in team else page.owner_id,
        member_ids=tuple(dict.fromkeys(chosen)),
    )
    now = utcnow()
    change = pages.preview_people(page, people, now)
    if change.stops and "confirmed" not in data:
        common = {"id": "members", "url": f"/app/pages/{pk}/members", "confirm": _confirm(page, change)}
        return _whole(request, page, _members_section(common, page, people, now))
    pages.set_people(page, people, now)
    return _done(page, "members")


def _confirm(page: BookingPage, change: Preview) -> Context:
    names: dict[int, str] = {}
    first = change.after.stops[0]
    if first.member_id:
        names[first.member_id] = Member.objects.select_related("user").get(pk=first.member_id).name
    return {
        "text": _("With this change the page would take no bookings."),
        "effects": [{"kind": "danger", "text": words.lack(first, names)}],
    }


@require_POST
@for_members
def save_locations(request: MemberRequest, pk: int) -> HttpResponse:
    """ロケーション: asks once more if the page would stop."""
    page = editable(request.member, pk)
    data: Any = request.POST
    ids = list(page.locations.values_list("pk", flat=True))
    kind = data.get("add", "")
    places = pages.Places(
        details={pk_: data[f"detail-{pk_}"].strip()[:500] for pk_ in ids if f"detail-{pk_}" in data},
        remove=frozenset(pk_ for pk_ in ids if str(pk_) in data.getlist("remove")),
        add=LocationKind(kind) if kind in set(LocationKind) else None,
        add_detail=data.get("add_detail", "").strip()[:500],
    )
    now = utcnow()
    change = pages.preview_places(page, places, now)
    if change.stops and "confirmed" not in data:
        cards = PageCards(visible_pages(request.member).filter(pk=page.pk), request.member, now)
        common = {"id": "locations", "url": f"/app/pages/{pk}/locations", "confirm": _confirm(page, change)}
        return _whole(request, page, _locations_section(common, page, cards.values[page.pk], places))
    pages.set_places(page, places, now)
    return _done(page, "locations")
