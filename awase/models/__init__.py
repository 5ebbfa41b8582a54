"""The only stored models. Services turn rows into domain values one way; nothing mirrors back."""

from awase.models.account import Invitation, Member, Role, User, Workspace, WorkspaceLogo
from awase.models.api_key import ApiKey
from awase.models.booking import (
    Booking,
    BookingChange,
    BookingState,
    CalendarEvent,
    GuestFile,
    Hold,
    HostTime,
    RoomTime,
)
from awase.models.connection import Calendar, CalendarBusy, Connection, Credential, PushChannel
from awase.models.effect import Effect, EffectKind, EffectState
from awase.models.health import ConnectionChange, PageChange, PageHealth, ServiceAlarm
from awase.models.mail import SentMail
from awase.models.page import (
    BookingPage,
    Condition,
    Location,
    OneTimeLink,
    OpeningWish,
    PageCover,
    PageGroup,
    PageMember,
    PageShare,
    RefusedBooking,
)
from awase.models.room import Room, RoomBusy
from awase.models.schedule import Absence, WeeklySchedule
from awase.models.webhook import WebhookAttempt, WebhookEndpoint

__all__ = [
    "Absence",
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
    "GuestFile",
    "Hold",
    "HostTime",
    "Invitation",
    "Location",
    "Member",
    "OneTimeLink",
    "OpeningWish",
    "PageChange",
    "PageCover",
    "PageGroup",
    "PageHealth",
    "PageMember",
    "PageShare",
    "PushChannel",
    "RefusedBooking",
    "Role",
    "Room",
    "RoomBusy",
    "RoomTime",
    "SentMail",
    "ServiceAlarm",
    "User",
    "WebhookAttempt",
    "WebhookEndpoint",
    "WeeklySchedule",
    "Workspace",
    "WorkspaceLogo",
]
