"""The sentences of connection health, for screens, mails and the API, in the language in force.

Each reason says what happened and what to do (connection-health.md section 2); a lack names person and account.
"""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from awase.domain.errors import Reason
from awase.domain.health import BACKED_BY, Lack, LocationKind, Service, StopKind, Verdict

MEETING_SERVICE = {kind: service for kind, (service, _capability) in BACKED_BY.items() if not service.calendars}


def service_name(service: str) -> str:
    """The name of a service as people know it."""
    translated = {
        Service.GOOGLE: _("Google Calendar"),
        Service.MICROSOFT: _("Microsoft (Outlook calendar)"),
    }
    known = Service(service)
    return translated.get(known) or known.label


def location_name(kind: str, *, to_guest: bool = False) -> str:
    """The name of a kind of location, as hosts or guests call it."""
    if to_guest and kind == LocationKind.ASK_GUEST:
        return pgettext("to the guest", "Place of your choice")
    if kind in MEETING_SERVICE:
        return MEETING_SERVICE[LocationKind(kind)].label
    return {
        LocationKind.MEET: _("Google Meet"),
        LocationKind.IN_PERSON: _("In person"),
        LocationKind.PHONE: _("Phone"),
        LocationKind.LINK: _("Online (link)"),
        LocationKind.ASK_GUEST: _("Place of your choice"),
    }[LocationKind(kind)]


def person(name: str) -> str:
    """A person's name as one writes it in a sentence."""
    return pgettext("person", "%(name)s") % {"name": name}


def sentences(*texts: str) -> str:
    """Sentences after each other, as the language sets them; empty ones are left out."""
    said, *others = [text for text in texts if text] or [""]
    for text in others:
        said = pgettext("two sentences", "%(first)s %(second)s") % {"first": said, "second": text}
    return said


def happened(reason: Reason) -> str:
    """What happened to the account, in one sentence."""
    return {
        Reason.REVOKED: _("Access was withdrawn at the service."),
        Reason.EXPIRED: _("The permission has run out."),
        Reason.PASSWORD_CHANGED: _("The password of the account was changed."),
        Reason.MFA_REQUIRED: _("The service asks for another sign-in with a second step."),
        Reason.CONSENT_MISSING: _("The consent to use the account is missing."),
        Reason.SCOPE_MISSING: _("A permission that is needed was not given."),
        Reason.ACCOUNT_DISABLED: _("The account has been disabled."),
        Reason.ACCOUNT_GONE: _("The account no longer exists."),
        Reason.ADMIN_BLOCKED: _("The organisation's administrator does not allow access."),
        Reason.NO_MAILBOX: _("The account has no calendar that can be used."),
        Reason.LICENCE_MISSING: _("The account has no licence for online meetings, or may not create them."),
        Reason.APP_PASSWORD_INVALID: _("The app password is not accepted any more."),
        Reason.APP_DEAUTHORIZED: _("Awase was removed from the account's apps."),
        Reason.ROTATED_ELSEWHERE: _("The account was connected anew somewhere else, which ended this connection."),
        Reason.STORAGE_FULL: _("The account's storage is full."),
        Reason.UNREACHABLE: _("The service cannot be reached at the moment."),
        Reason.OPERATOR: _("This instance cannot use the service at the moment, through no fault of yours."),
    }[reason]


def remedy(reason: Reason) -> str:
    """What to do about it, in one sentence."""
    return {
        Reason.ACCOUNT_DISABLED: _("Have the account enabled again by its administrator, then reconnect."),
        Reason.ACCOUNT_GONE: _("Connect another account, or disconnect this one."),
        Reason.ADMIN_BLOCKED: _("Ask the administrator of the account to allow Awase, then reconnect."),
        Reason.NO_MAILBOX: _("Have a calendar set up for the account, or connect another account."),
        Reason.LICENCE_MISSING: _("Have a licence given to the account, then check now, or use another location."),
        Reason.APP_PASSWORD_INVALID: _("Create a new app password and reconnect."),
        Reason.SCOPE_MISSING: _("Reconnect and tick every box on the consent screen."),
        Reason.STORAGE_FULL: _("Free some storage at the service, then check now."),
        Reason.UNREACHABLE: _("You need not do anything: this ends by itself as soon as the service answers."),
        Reason.OPERATOR: _("The operator must repair this; you need not do anything."),
    }.get(reason, _("Please reconnect the account."))


def cannot_use(service: str, account: str, name: str = "") -> str:
    """The headline of a broken account; `name` for somebody else's."""
    values = {"service": service_name(service), "account": account, "name": person(name) if name else ""}
    if name:
        return _("Cannot connect to %(service)s of %(name)s (%(account)s).") % values
    return _("Cannot connect to %(service)s (%(account)s).") % values


def lack(item: Lack, names: Mapping[int, str]) -> str:
    """The headline of one reason why a page stops, or goes on without somebody; names person and account."""
    name = names.get(item.member_id or 0, "")
    values = {
        "name": person(name) if name else "",
        "service": service_name(item.service) if item.service else "",
        "account": item.account,
        "calendar": item.calendar_name,
        "location": location_name(item.location_kind) if item.location_kind else "",
    }
    if item.room_id is not None:
        return _of_room(item, name, values)
    if item.calendar_missing and item.calendar_name:
        return _("The calendar “%(calendar)s” of %(name)s (%(account)s) cannot be found.") % values
    if item.calendar_missing:
        return _("%(name)s has no calendar that bookings are added to, which %(location)s needs.") % values
    if item.service and item.error:
        return _of_account(item, name, values)
    if item.location_kind and not item.location_kind.account_backed:
        return _("The location “%(location)s” has no number or address.") % values
    if item.location_kind:
        return _("%(name)s has not connected %(location)s.") % values
    if item.kind is StopKind.NO_MEMBERS:
        return _("The page has no members.")
    if name:
        return _("%(name)s has not connected a calendar.") % values
    return _("A group of members or rooms cannot be filled.")


def _of_room(item: Lack, name: str, values: dict[str, str]) -> str:
    if item.calendar_missing:
        return _("The room “%(calendar)s” cannot be found.") % values
    if not item.service:
        return _("No connected account can read the room “%(calendar)s” any more.") % values
    room = _("The room “%(calendar)s” cannot be read.") % values
    return sentences(room, cannot_use(item.service, item.account, name))


def _of_account(item: Lack, name: str, values: dict[str, str]) -> str:
    """What of an account does not work: all of it, or one thing that it should be able to do."""
    assert item.service is not None
    if item.reason is Reason.STORAGE_FULL:
        return _("Bookings cannot be added to the calendar of %(name)s (%(account)s).") % values
    if item.reason is Reason.LICENCE_MISSING:
        return _("%(location)s of %(name)s (%(account)s) cannot be used for meetings.") % values
    return cannot_use(item.service, item.account, name)


def why(item: Lack) -> str:
    """What happened and what to do, after the headline; "" where the headline says it all."""
    if item.calendar_missing:
        return _("It was deleted at the service, or is no longer shared.") if item.calendar_name else ""
    return reason(item.reason) if item.reason else ""


def reason(why_so: Reason) -> str:
    """What happened and what to do about it."""
    return sentences(happened(why_so), remedy(why_so))


def stopped_by(cause: str) -> str:
    """Why a page was stopped, from what its history holds: a reason or a kind of stop; "" for neither."""
    if cause in set(Reason):
        return happened(Reason(cause))
    return {
        "": "",
        StopKind.NO_MEMBERS: _("The page has no members."),
        StopKind.CALENDAR: _("A calendar cannot be used."),
        StopKind.LOCATION: _("No location can be used."),
        StopKind.HOST: _("No member has both a calendar and a location that work."),
        StopKind.GROUP: _("A group of members or rooms cannot be filled."),
        StopKind.ROOM: _("A room cannot be used."),
    }.get(cause, cause)


def stop_badge(verdict: Verdict) -> str:
    """The badge of a page stopped by health."""
    if verdict.in_error:
        return _("Stopped by a connection error")
    return _("Stopped by its settings") if verdict.by_setting else _("Stopped: not connected")
