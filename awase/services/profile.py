"""What members say of themselves: to us (name, language, zone, clock, which notices), and to their guests."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from awase.models import Member, User
from awase.services.health import pages_of_members, renew
from awase.services.notices import Kind
from awase.services.signals import Cause


@dataclass(frozen=True, slots=True)
class Person:
    """Theirs in every workspace. `language` "": the browser's; `clock` "12", "24", or "": as the language has it."""

    name: str
    language: str
    time_zone: str
    clock: str = ""


@dataclass(frozen=True, slots=True)
class ForGuests:
    """What guests of one workspace are told, where a page has no number or address of its own."""

    phone: str = ""
    address: str = ""


def save_person(user: User, person: Person) -> None:
    """Keep name, language, zone and clock. The hours of schedules keep the zones that they are in."""
    for name, value in asdict(person).items():
        setattr(user, name, value)
    user.save(update_fields=list(asdict(person)))


def save_for_guests(member: Member, shown: ForGuests, now: datetime) -> None:
    """Keep what guests are told. A number or an address may open pages that lacked it, and its end stop them, in this
    transaction."""
    with transaction.atomic():
        member.phone, member.address = shown.phone, shown.address
        member.save(update_fields=["phone", "address"])
        renew(pages_of_members([member.pk]), now, Cause.EDIT)


def save_notices(member: Member, wanted: Collection[Kind]) -> None:
    """Keep which of the notices that one may do without are wanted."""
    member.notices = {kind.value: False for kind in Kind if kind not in wanted}
    member.save(update_fields=["notices"])
