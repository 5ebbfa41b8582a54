"""Which bookings a member asks for: by guest, page, host, date and state; for the list, the calendar and the file."""

from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q, QuerySet

from awase.domain.permissions import Act
from awase.models import Booking, BookingState, Effect, EffectState, HostTime, Member
from awase.services import dashboard
from awase.services.permissions import by_role
from awase.services.quotas import COUNTED
from awase.web.guest import FIRST_YEAR, LAST_YEAR
from awase.web.numbers import whole_number
from awase.web.shell import Context, MemberRequest, utcnow

TABS = ("coming", "requests", "past", "cancelled")
ENDED = (BookingState.CANCELLED, BookingState.DECLINED, BookingState.EXPIRED)


def with_hosts(found: QuerySet[Booking]) -> QuerySet[Booking]:
    """With hosts and with what of their work waits, in a constant number of queries."""
    hosts = HostTime.objects.select_related("member__user").order_by("id")
    waiting = Effect.objects.filter(state__in=[EffectState.PARKED, EffectState.FAILED])
    return found.select_related("session").prefetch_related(
        Prefetch("host_times", queryset=hosts),
        Prefetch("session__host_times", queryset=hosts),
        Prefetch("effects", queryset=waiting, to_attr="troubled"),
        Prefetch("session__effects", queryset=waiting, to_attr="trouble_of_all"),
    )


def troubled(booking: Booking) -> list[Effect]:
    """What of a booking's work waits or was given up, that of its group session too; of those `with_hosts`."""
    of_session = booking.session.trouble_of_all if booking.session else []  # type: ignore[attr-defined]
    return [*booking.troubled, *of_session]  # type: ignore[attr-defined]


def day_of(text: str) -> date | None:
    """A date as a browser sends it; anything else, and days at the ends of all calendars, asks for nothing."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year < LAST_YEAR else None


def midnight(day: date, zone: str) -> datetime:
    """The moment at which a date begins in a zone."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone))


def searched(request: MemberRequest) -> tuple[QuerySet[Booking], dict[str, str]]:
    """The bookings by guest, page and host, and what was asked."""
    kept = {name: request.GET.get(name, "").strip()[:100] for name in ("q", "of", "by")}
    found = with_hosts(dashboard.visible_bookings(request.member))
    if kept["q"]:
        found = found.filter(Q(guest_name__icontains=kept["q"]) | Q(guest_email__icontains=kept["q"]))
    if of := whole_number(kept["of"]):
        found = found.filter(page=of)
    if by := whole_number(kept["by"]):
        hosted = HostTime.objects.filter(member=by).values("booking")
        found = found.filter(Q(pk__in=hosted) | Q(session__in=hosted))
    return found, kept


def filtered(request: MemberRequest) -> tuple[QuerySet[Booking], dict[str, str]]:
    """The same by state and date too, in the order in which people look for them."""
    now, zone = utcnow(), request.member.user.time_zone
    found, kept = searched(request)
    tab = request.GET.get("tab", "coming")
    kept["tab"] = tab = tab if tab in TABS else "coming"
    first, last = day_of(request.GET.get("from", "")), day_of(request.GET.get("to", ""))
    kept |= {"from": first.isoformat() if first else "", "to": last.isoformat() if last else ""}
    if first:
        found = found.filter(start__gte=midnight(first, zone))
    if last:
        found = found.filter(start__lt=midnight(last + timedelta(days=1), zone))
    match tab:
        case "coming":
            return found.filter(state__in=COUNTED, end__gt=now).order_by("start", "pk"), kept
        case "requests":
            return found.filter(state=BookingState.REQUESTED).order_by("start", "pk"), kept
        case "past":
            return found.filter(state=BookingState.CONFIRMED, end__lte=now).order_by("-start", "-pk"), kept
        case _:
            return found.filter(state__in=ENDED).order_by("-start", "-pk"), kept


def search_fields(member: Member, kept: dict[str, str], hidden: tuple[str, ...] = ()) -> Context:
    """The search form (templates/dashboard/_booking_search.html). `hidden`: what goes along unseen."""
    pages = dashboard.visible_pages(member).order_by("title").values_list("pk", "title")
    hosts = Member.objects.filter(workspace=member.workspace_id, left_at=None).select_related("user")
    if not by_role(member, Act.SEE_BOOKING):
        hosts = hosts.filter(
            Q(pk=member.pk) | Q(page_memberships__page__in=dashboard.visible_pages(member).values("pk"))
        )
    people = sorted({host.pk: host.name for host in hosts}.items(), key=lambda one: (one[0] != member.pk, one[1]))
    return {
        **kept,
        "dates": "from" in kept,
        "narrowed": any(kept.get(name) for name in ("of", "by", "from", "to")),
        "hidden": [{"name": name, "value": kept[name]} for name in hidden],
        "pages": [{"value": pk, "label": title, "selected": str(pk) == kept["of"]} for pk, title in pages],
        "hosts": [{"value": pk, "label": name, "selected": str(pk) == kept["by"]} for pk, name in people],
    }


def views(kept: dict[str, str], current: str, labels: dict[str, str]) -> list[Context]:
    """List, week and month of the same search, as chips."""
    query = urlencode({name: kept[name] for name in ("q", "of", "by") if kept[name]})
    return [
        {
            "label": label,
            "url": f"/app/bookings?{query}" if name == "list" else f"/app/bookings/calendar?view={name}&{query}",
            "current": name == current,
        }
        for name, label in labels.items()
    ]
