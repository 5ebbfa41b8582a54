"""Making and changing booking pages. Each change renews the gate's stored answer and the check intervals in its own
transaction, `by` somebody who may (else PermissionDenied); `preview_*` show beforehand what a change would stop or
open."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from awase.domain.changes import Preview, preview
from awase.domain.health import Group, LocationKind, LocationValue, PageValue
from awase.domain.permissions import Act
from awase.models import (
    BookingPage,
    Condition,
    Connection,
    Location,
    Member,
    PageCover,
    PageGroup,
    PageMember,
    PageShare,
    Room,
)
from awase.models.page import Assignment
from awase.services import checks
from awase.services.health import condition_groups, member_values, page_values, renew, room_values
from awase.services.permissions import require
from awase.services.signals import Cause
from awase.services.use import renew_use


@dataclass(frozen=True, slots=True)
class People:
    """The members section: who is on the page, under which condition, and who owns it. `weights` and `levels`
    by member where they are not 1; `groups` are those of an assignment list."""

    condition: Condition
    assignment: Assignment
    calendar_required: bool
    owner_id: int
    member_ids: tuple[int, ...]
    weights: Mapping[int, int] = field(default_factory=dict)
    levels: Mapping[int, int] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()

    @property
    def people_groups(self) -> tuple[Group, ...]:
        """Who must take part, as the gate reads it."""
        return condition_groups(self.condition, self.member_ids) or self.groups


def touched(page: BookingPage) -> set[int]:
    """The members whose accounts this page uses, those included who may read its rooms."""
    services = Room.objects.filter(page_groups__page=page).values("service")
    readers = Connection.objects.filter(member__workspace=page.workspace_id, credential__service__in=services)
    return {
        page.owner_id,
        *page.page_members.values_list("member", flat=True),
        *readers.values_list("member", flat=True),
    }


def saved(page: BookingPage, before: Collection[int], now: datetime) -> None:
    """After any change to a page, in its transaction: the accounts in use, and the gate's answer."""
    renew_use({*before, *touched(page)}, now)
    checks.reach(page, now)
    renew([page], now, Cause.EDIT)


def _takes_bookings(page: BookingPage) -> bool:
    return page.accepting and page.archived_at is None


def create(owner: Member, *, title: str, slug: str, now: datetime, **fields: object) -> BookingPage:
    """A new page of one member with condition `all`, taking bookings as far as health allows."""
    require(owner, Act.CREATE_PAGES, owner.workspace)
    with transaction.atomic():
        page = BookingPage.objects.create(
            workspace=owner.workspace,
            owner=owner,
            title=title,
            slug=slug,
            time_zone=owner.user.time_zone,
            **fields,
        )
        PageMember.objects.create(page=page, member=owner)
        saved(page, (), now)
    return page


def set_accepting(page: BookingPage, accepting: bool, now: datetime, *, by: Member) -> None:
    """The owner's own switch; it never touches the system's. Switched on, the accounts are read at once."""
    require(by, Act.EDIT_PAGE, page)
    if accepting and page.archived_at is None:
        checks.before_use(touched(page), now)
    with transaction.atomic():
        BookingPage.objects.filter(pk=page.pk).update(accepting=accepting)
        page.accepting = accepting
        saved(page, (), now)


def with_people(value: PageValue, people: People, now: datetime) -> PageValue:
    """The page's values with these people in place of those that it has."""
    ids = tuple(dict.fromkeys([people.owner_id, *people.member_ids]))
    found = member_values(ids, now)
    return replace(
        value,
        owner_id=people.owner_id,
        members=tuple(found[pk] for pk in ids),
        groups=(*people.people_groups, *(group for group in value.groups if group.rooms)),
        calendar_required=people.calendar_required,
    )


def preview_people(page: BookingPage, people: People, now: datetime) -> Preview:
    """What the page would answer with these people."""
    value = page_values([page], now)[page.pk]
    return preview(value, with_people(value, people, now))


def set_people(page: BookingPage, people: People, now: datetime, *, by: Member) -> None:
    """Keep the members section. Places in the list are kept for those who stay. Another owner takes more than
    editing."""
    require(by, Act.EDIT_PAGE if people.owner_id == page.owner_id else Act.GIVE_PAGE, page)
    if _takes_bookings(page):
        checks.before_use({people.owner_id, *people.member_ids}, now)
    with transaction.atomic():
        before = touched(page)
        page.condition, page.assignment = people.condition, people.assignment
        page.calendar_required, page.owner_id = people.calendar_required, people.owner_id
        page.save(update_fields=["condition", "assignment", "calendar_required", "owner"])
        page.page_members.exclude(member__in=people.member_ids).delete()
        for position, member_id in enumerate(people.member_ids):
            PageMember.objects.update_or_create(
                page=page,
                member_id=member_id,
                defaults={
                    "position": position,
                    "weight": people.weights.get(member_id, 1),
                    "level": people.levels.get(member_id, 1),
                },
            )
        page.groups.filter(of_rooms=False).delete()
        for position, group in enumerate(people.groups if people.condition == Condition.LIST else ()):
            kept = PageGroup.objects.create(page=page, position=position, needed=group.needed)
            kept.members.set(group.ids)
        saved(page, before, now)


def people_of(page: BookingPage) -> People:
    """The members section as stored."""
    links = list(page.page_members.all())
    groups = page.groups.filter(of_rooms=False).prefetch_related("members")
    return People(
        condition=Condition(page.condition),
        assignment=Assignment(page.assignment),
        calendar_required=page.calendar_required,
        owner_id=page.owner_id,
        member_ids=tuple(link.member_id for link in links),
        weights={link.member_id: link.weight for link in links},
        levels={link.member_id: link.level for link in links},
        groups=tuple(Group(tuple(member.pk for member in row.members.all()), row.needed) for row in groups),
    )


def rooms_of(page: BookingPage) -> Group | None:
    """The rooms section as stored: one group of rooms, or none."""
    row = page.groups.filter(of_rooms=True).prefetch_related("rooms").first()
    return Group(tuple(room.pk for room in row.rooms.all()), row.needed, rooms=True) if row else None


def with_rooms(value: PageValue, rooms: Group | None, now: datetime) -> PageValue:
    """The page's values with these rooms in place of those that it has."""
    found = room_values(rooms.ids if rooms else (), now)
    people = tuple(group for group in value.groups if not group.rooms)
    return replace(value, groups=(*people, *([rooms] if rooms else [])), rooms=tuple(found.values()))


def preview_rooms(page: BookingPage, rooms: Group | None, now: datetime) -> Preview:
    """What the page would answer with these rooms."""
    value = page_values([page], now)[page.pk]
    return preview(value, with_rooms(value, rooms, now))


def set_rooms(page: BookingPage, rooms: Group | None, now: datetime, *, by: Member) -> None:
    """Keep the rooms section: rooms of the workspace, all of them or so many."""
    require(by, Act.EDIT_PAGE, page)
    if rooms is not None and _takes_bookings(page):
        services = Room.objects.filter(pk__in=rooms.ids).values("service")
        readers = Connection.objects.filter(member__workspace=page.workspace_id, credential__service__in=services)
        checks.before_use(readers.values_list("member", flat=True), now)
    with transaction.atomic():
        page.groups.filter(of_rooms=True).delete()
        if rooms is not None:
            row = PageGroup.objects.create(page=page, of_rooms=True, needed=rooms.needed)
            row.rooms.set(Room.objects.filter(workspace=page.workspace_id, pk__in=rooms.ids))
        saved(page, (), now)


def duplicate(page: BookingPage, owner: Member, title: str, slug: str, now: datetime) -> BookingPage:
    """A copy of the page with members, groups and locations, owned by whoever made it; it does not take bookings
    yet, and it has a secret link and password of its own only when somebody sets them."""
    require(owner, Act.EDIT_PAGE, page)
    with transaction.atomic():
        copy = BookingPage.objects.get(pk=page.pk)
        copy.pk = None
        copy._state.adding = True
        copy.title, copy.slug, copy.owner, copy.accepting = title, slug, owner, False
        copy.link_key, copy.password, copy.archived_at = "", "", None
        copy.save()
        for hours in page.own_schedules.all():
            hours.pk, hours.for_page = None, copy
            hours.save()
            copy.schedule = hours if copy.schedule_id else None
            copy.save(update_fields=["schedule"])
        for picture in PageCover.objects.filter(page=page):
            picture.pk, picture.page = None, copy
            picture.save()
        for link in page.page_members.all():
            link.pk, link.page = None, copy
            link.save()
        for place in page.locations.all():
            place.pk, place.page = None, copy
            place.save()
        for group in page.groups.all():
            members, rooms = list(group.members.all()), list(group.rooms.all())
            group.pk, group.page = None, copy
            group.save()
            group.members.set(members)
            group.rooms.set(rooms)
        saved(copy, (), now)
    return copy


def set_shares(page: BookingPage, shares: Mapping[int, bool], *, by: Member) -> None:
    """Who besides the owner and the admins sees the page, by member, and whether they edit it too. Only members of
    the workspace are kept."""
    require(by, Act.GIVE_PAGE, page)
    known = Member.objects.filter(pk__in=shares, workspace=page.workspace_id, left_at=None).values_list("pk", flat=True)
    with transaction.atomic():
        PageShare.objects.filter(page=page).delete()
        PageShare.objects.bulk_create(PageShare(page=page, member_id=pk, editor=shares[pk]) for pk in known)


def set_archived(page: BookingPage, archived: bool, now: datetime, *, by: Member) -> None:
    """An archived page leaves the lists and takes no bookings; those that stand are kept."""
    require(by, Act.EDIT_PAGE, page)
    if page.accepting and not archived:
        checks.before_use(touched(page), now)
    with transaction.atomic():
        page.archived_at = now if archived else None
        page.save(update_fields=["archived_at"])
        saved(page, (), now)


def save_fields(page: BookingPage, fields: Mapping[str, object], now: datetime, *, by: Member) -> None:
    """Keep plain fields of the page, already validated."""
    require(by, Act.EDIT_PAGE, page)
    with transaction.atomic():
        for name, value in fields.items():
            setattr(page, name, value)
        page.save(update_fields=list(fields))
        saved(page, (), now)


def set_cover(page: BookingPage, content: bytes, kind: str, *, by: Member) -> None:
    """Keep the picture at the head of the page, already looked at; `kind` is its media type."""
    require(by, Act.EDIT_PAGE, page)
    digest = sha256(content).hexdigest()
    with transaction.atomic():
        PageCover.objects.update_or_create(page=page, defaults={"content": content, "kind": kind, "digest": digest})
        page.cover = digest
        page.save(update_fields=["cover"])


def remove_cover(page: BookingPage, *, by: Member) -> None:
    """The page has no picture any more."""
    require(by, Act.EDIT_PAGE, page)
    with transaction.atomic():
        PageCover.objects.filter(page=page).delete()
        page.cover = ""
        page.save(update_fields=["cover"])


@dataclass(frozen=True, slots=True)
class Places:
    """The locations section: details by id, ids to remove, ids in the order in which guests read them (those not
    named keep theirs, behind), and one to add, which comes last."""

    details: dict[int, str]
    remove: frozenset[int] = frozenset()
    add: LocationKind | None = None
    add_detail: str = ""
    order: tuple[int, ...] = ()

    def place(self, location_id: int) -> int:
        """Where a location stands among the others, for sorting; those not named stay as they are."""
        return self.order.index(location_id) if location_id in self.order else len(self.order)


def with_places(value: PageValue, places: Places) -> PageValue:
    """The page's values with these locations in place of those that it has."""
    kept = [
        LocationValue(place.id, place.kind, places.details.get(place.id, place.detail))
        for place in sorted(value.locations, key=lambda place: places.place(place.id))
        if place.id not in places.remove
    ]
    if places.add:
        kept.append(LocationValue(-1, places.add, places.add_detail))
    return replace(value, locations=tuple(kept))


def preview_places(page: BookingPage, places: Places, now: datetime) -> Preview:
    """What the page would answer with these locations."""
    value = page_values([page], now)[page.pk]
    return preview(value, with_places(value, places))


def set_places(page: BookingPage, places: Places, now: datetime, *, by: Member) -> None:
    """Keep the locations section."""
    require(by, Act.EDIT_PAGE, page)
    if places.add and _takes_bookings(page):
        checks.before_use(touched(page), now)
    with transaction.atomic():
        page.locations.filter(pk__in=places.remove).delete()
        kept = sorted(page.locations.all(), key=lambda place: places.place(place.pk))
        for position, place in enumerate(kept):
            place.position, place.detail = position, places.details.get(place.pk, place.detail)
            place.save(update_fields=["position", "detail"])
        if places.add:
            Location.objects.create(page=page, kind=places.add, detail=places.add_detail, position=len(kept))
        saved(page, (), now)
