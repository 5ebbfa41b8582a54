"""Booking pages: what they are, whether they take bookings, and which times they offer."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import Query, Router
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from awase.api.access import CallerRequest, needs
from awase.api.fields import Asked, Cursor, Listed, Moment, Paged, Zone
from awase.api.problems import private
from awase.domain import parts
from awase.domain.cures import Cure, cures
from awase.domain.errors import Reason
from awase.domain.gate import evaluate
from awase.domain.health import Lack, LocationKind, PageValue, Service, StopKind, Verdict
from awase.domain.permissions import Act
from awase.domain.schedule import local_texts
from awase.models import BookingPage, Member, PageHealth
from awase.models.page import Assignment, Condition
from awase.services import dashboard, words
from awase.services.health import page_values
from awase.services.keys import Scope
from awase.services.permissions import may
from awase.services.placing import length_of
from awase.services.slots import offer
from awase.web.cures import Cures

router = Router(tags=["Pages"])
CURSOR = Cursor("pages", "slug")
MOST_DAYS = timedelta(days=62)
MOST_CURES = 10


class Person(BaseModel):
    """A member of the workspace."""

    id: int
    name: str


class PageSummary(BaseModel):
    """A page in the list. It takes bookings if both switches are on."""

    slug: str
    title: str
    url: str
    owner: Person
    accepting: bool = Field(description="both switches are on: the page takes bookings")
    accepting_manually: bool = Field(description="the owner's own switch")
    open: bool = Field(description="the system's switch: connection health")
    stopped: list[StopKind] = Field(description="why health stops the page; empty if it does not")
    in_error: bool = Field(description="something is broken; false: it is not connected, or set so")
    since: datetime | None = Field(description="of the system's switch; null if it changed only just now")


class Sentence(BaseModel):
    """One thing that is broken or missing: for programs by its kind and ids, for people as sentences."""

    kind: StopKind
    member: Person | None
    connection_id: int | None
    service: Service | None
    account: str
    reason: Reason | None
    calendar: str
    location_id: int | None
    in_error: bool
    what: str = Field(description="names person and account; never show it to guests")
    why: str = Field(description="what happened and what to do; may be empty")


class Place(BaseModel):
    """A location of the page, and whether guests can choose it now."""

    id: int
    kind: LocationKind
    name: str
    offered: bool


class CureKind(StrEnum):
    """What can be done. Each part of the gate's cures has its kind here."""

    WAIT = "wait"
    RECONNECT = "reconnect"
    CHECK_NOW = "check_now"
    CONNECT = "connect"
    CHOOSE_CALENDAR = "choose_calendar"
    UNTICK_CALENDAR = "untick_calendar"
    GO_ON_WITHOUT = "go_on_without"
    CHOOSE_MEET_ACCOUNT = "choose_meet_account"
    DISCONNECT = "disconnect"
    ADD_LOCATION = "add_location"
    ENTER_DETAIL = "enter_detail"
    ENTER_OWN_DETAIL = "enter_own_detail"
    REMOVE_ALL_LOCATIONS = "remove_all_locations"
    CHANGE_OWNER = "change_owner"
    STOP_REQUIRING_CALENDAR = "stop_requiring_calendar"
    TAKE_OFF = "take_off"
    ADD_MEMBER = "add_member"
    ADD_ROOM = "add_room"
    REMOVE_ROOM = "remove_room"
    REDUCE_GROUP = "reduce_group"
    REMOVE_GROUP = "remove_group"


class CurePart(BaseModel):
    """One change. “only” is the member who alone may make it; null: whoever may edit the page."""

    kind: CureKind
    only: Person | None
    member_id: int | None
    connection_id: int | None
    calendar_id: int | None
    location_id: int | None
    service: Service | None
    location_kind: LocationKind | None


class CureOut(BaseModel):
    """Changes that together open the page again, tried before they are listed."""

    sentence: str
    url: str | None = Field(description="where it can be done in a browser")
    parts: list[CurePart]


class PageDetails(PageSummary):
    """A page with the gate's whole answer."""

    description: str
    condition: Condition
    assignment: Assignment
    time_zone: str
    duration_minutes: int
    durations: list[int] = Field(description="further lengths that guests may choose")
    step_minutes: int
    notice_minutes: int
    period_days: int | None
    members: list[Person]
    locations: list[Place]
    place_missing: bool = Field(description="open, but no location can be offered: guests are told so")
    stops: list[Sentence]
    warnings: list[Sentence] = Field(description="broken, but it does not stop the page")
    left_out: list[Sentence] = Field(description="members that the page goes on without")
    cures: list[CureOut] = Field(description="what would open the page, the smallest first")


class SlotsAsked(Asked):
    """Which starts: from ≤ start < to, at most 62 days."""

    from_: Moment = Field(alias="from")
    to: Moment
    zone: Zone | None = Field(default=None, description="in which starts are given; the page's own if left out")
    minutes: int | None = Field(default=None, description="one of the page's durations; the first if left out")

    @model_validator(mode="after")
    def in_reach(self) -> Self:
        if not timedelta() < self.to - self.from_ <= MOST_DAYS:
            raise PydanticCustomError("window", _("Let “to” be after “from”, and at most 62 days later."))
        return self


class Slot(BaseModel):
    """A start that can be booked now."""

    start: datetime
    end: datetime
    location_ids: list[int] = Field(description="choose one of these; empty: the host tells the place")
    host_ids: list[int] | None = Field(description="the guest may choose one of these; null: assigned by the page")


class SlotsOut(BaseModel):
    """Empty while the page takes no bookings, and where nothing is known of the calendars."""

    accepting: bool
    zone: str
    read_until: datetime | None = Field(description="the calendars are known until here; null: not at all")
    slots: list[Slot]


class PageList(Listed[PageSummary]):
    """A part of the pages."""


@router.get("", response=PageList, **needs(Scope.PAGES_READ, "invalid"))
def list_pages(request: CallerRequest, asked: Query[Paged]) -> PageList:
    """The pages that the member sees, by address, each with the gate's answer of this moment."""
    rows = dashboard.visible_pages(request.auth.member).select_related("health")
    pages, following = CURSOR.part(rows, asked)
    values = page_values(pages, datetime.now(UTC))
    return PageList(items=[_summary(page, evaluate(values[page.pk])) for page in pages], next=following)


@router.get("{slug:slug}", response=PageDetails, **needs(Scope.PAGES_READ, "not_found"))
def read_page(request: CallerRequest, slug: str) -> PageDetails:
    """A page with the gate's answer: whether it takes bookings, if not why, and what would cure it."""
    member = request.auth.member
    page = dashboard.visible_pages(member).select_related("health").get(slug=slug)
    value = page_values([page], datetime.now(UTC))[page.pk]
    verdict = evaluate(value)
    names = {person.id: person.name for person in value.members}
    editor = may(member, Act.EDIT_PAGE, page)
    return PageDetails(
        **_summary(page, verdict).model_dump(),
        description=page.description,
        condition=Condition(page.condition),
        assignment=Assignment(page.assignment),
        time_zone=page.time_zone,
        duration_minutes=page.duration_minutes,
        durations=page.durations,
        step_minutes=page.step_minutes,
        notice_minutes=page.notice_minutes,
        period_days=page.period_days,
        members=[Person(id=id, name=names[id]) for id in value.everybody],
        locations=[
            Place(
                id=place.id, kind=place.kind, name=words.location_name(place.kind), offered=place.id in verdict.offered
            )
            for place in value.locations
        ],
        place_missing=verdict.place_missing,
        stops=_sentences(verdict.stops, names),
        warnings=_sentences(verdict.warnings, names),
        left_out=_sentences(verdict.left_out, names),
        cures=[_cure(page, value, cure, member, editor=editor) for cure in cures(value, verdict, limit=MOST_CURES)],
    )


@router.get("{slug:slug}/slots", response=SlotsOut, **needs(Scope.PAGES_READ, "not_found", "invalid", "length_unknown"))
def read_slots(request: CallerRequest, slug: str, asked: Query[SlotsAsked]) -> HttpResponse:
    """The starts that can be booked now, computed by the function that takes the bookings."""
    page = dashboard.visible_page(request.auth.member, slug)
    minutes = length_of(page, asked.minutes)
    answer = offer(page, asked.from_, asked.to, datetime.now(UTC), minutes=minutes)
    zone = asked.zone or page.time_zone
    length = minutes * 60
    chosen_by_guest = page.condition == Condition.ANY and page.assignment == Assignment.GUEST
    starts = answer.slots.starts
    moments = sorted({*starts, *(start + length for start in starts)})
    texts = dict(zip(moments, local_texts(moments, zone), strict=True))
    # A month has hundreds of slots: they are written straight into the form that SlotsOut describes.
    body = {
        "accepting": answer.accepting,
        "zone": zone,
        "read_until": answer.read_until,
        "slots": [
            {
                "start": texts[start],
                "end": texts[start + length],
                "location_ids": locations,
                "host_ids": answer.slots.free(start) if chosen_by_guest else None,
            }
            for start, locations in zip(starts, answer.locations(), strict=True)
        ],
    }
    return private(HttpResponse(DjangoJSONEncoder().encode(body), content_type="application/json; charset=utf-8"))


def _summary(page: BookingPage, verdict: Verdict) -> PageSummary:
    health: PageHealth | None = getattr(page, "health", None)
    return PageSummary(
        slug=page.slug,
        title=page.title,
        url=f"{settings.AWASE_URL}/{page.workspace.slug}/{page.slug}",
        owner=Person(id=page.owner_id, name=page.owner.name),
        accepting=page.accepting and verdict.open,
        accepting_manually=page.accepting,
        open=verdict.open,
        stopped=list(verdict.stop_kinds),
        in_error=verdict.in_error,
        since=health.since if health and health.open == verdict.open else None,
    )


def _sentences(lacks: Iterable[Lack], names: dict[int, str]) -> list[Sentence]:
    return [
        Sentence(
            kind=lack.kind,
            member=_person(lack.member_id, names),
            connection_id=lack.connection_id,
            service=lack.service,
            account=lack.account,
            reason=lack.reason,
            calendar=lack.calendar_name,
            location_id=lack.location_id,
            in_error=lack.error,
            what=words.lack(lack, names),
            why=words.why(lack),
        )
        for lack in lacks
    ]


def _person(member_id: int | None, names: dict[int, str]) -> Person | None:
    return Person(id=member_id, name=names.get(member_id, "")) if member_id is not None else None


def _cure(page: BookingPage, value: PageValue, cure: Cure, viewer: Member, *, editor: bool) -> CureOut:
    """In the words of the screens, with the address to which their button leads."""
    names = {member.id: member.name for member in value.members}
    steps = Cures(page, value, viewer, editor=editor).steps(cure)
    places = [step["url"] for step in steps if step["url"] and step["method"] == "get"]
    return CureOut(
        sentence=_(" and ").join(step["label"] or step["note"] for step in steps),
        url=f"{settings.AWASE_URL}{places[0]}" if places else None,
        parts=[
            CurePart(
                kind=kind_of(type(part)),
                only=_person(part.needs, names),
                member_id=getattr(part, "member_id", None),
                connection_id=getattr(part, "connection_id", None),
                calendar_id=getattr(part, "calendar_id", None),
                location_id=getattr(part, "location_id", None),
                service=getattr(part, "service", None),
                location_kind=getattr(part, "kind", None),
            )
            for part in cure.parts
        ],
    )


def kind_of(part: type[parts.Part]) -> CureKind:
    """`GoOnWithout` is `go_on_without`."""
    return CureKind(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", part.__name__).lower())
