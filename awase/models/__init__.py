"""The only stored models. Services turn rows into domain values one way; nothing mirrors back."""

from awase.models.account import Member, Role, User, Workspace
from awase.models.api_key import ApiKey
from awase.models.booking import Booking, BookingChange, BookingState, CalendarEvent, HostTime
from awase.models.connection import Calendar, CalendarBusy, Connection, Credential
from awase.models.effect import Effect, EffectKind, EffectState
from awase.models.health import ConnectionChange, PageChange, PageHealth, ServiceAlarm
from awase.models.mail import SentMail
from awase.models.page import BookingPage, Condition, Location, PageMember
from awase.models.schedule import WeeklySchedule

__all__ = [
    "ApiKey",
    "Booking",
    "BookingChange",
    "BookingPage",
    "BookingState",
    "Calendar",
    "CalendarBusy",
    "CalendarEvent",
    "Condition",
    "Connection",
    "ConnectionChange",
    "Credential",
    "Effect",
    "EffectKind",
    "EffectState",
    "HostTime",
    "Location",
    "Member",
    "PageChange",
    "PageHealth",
    "PageMember",
    "Role",
    "SentMail",
    "ServiceAlarm",
    "User",
    "WeeklySchedule",
    "Workspace",
]
