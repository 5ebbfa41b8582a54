"""Better than a quick cure is no break: permissions are kept alive, and what has a known end is told ahead of it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from awase import registry
from awase.domain.health import Service, Standing
from awase.domain.transition import Cause
from awase.models import Credential, PushChannel
from awase.providers.protocols import Tokens
from awase.services import alarms, checks, notices
from awase.services.notices import Template

LEADS = (timedelta(days=7), timedelta(days=1))  # how long ahead of an end people are told
TESTING_LIFE = timedelta(days=7)  # of a permission given to a Google registration in testing
# Unused, permissions lapse after 90 days at Zoom and Microsoft and after 6 months at Google.
KEPT_ALIVE = timedelta(days=30)
CHANNEL_LEAD = timedelta(hours=1)  # channels are renewed long before
MOST = 50


def look_ahead(now: datetime) -> None:
    """Everything of this module that has to be done from time to time. Periodic."""
    warn_of_ends(now)
    warn_operators(now)
    keep_alive(now)


def known_end(service: Service, tokens: Tokens, now: datetime) -> dict[str, Any]:
    """The fields of a credential that say when a permission given at `now` runs out, if the service has such an
    end. At Microsoft and Zoom each use moves the end on, so that there is none."""
    if service is not Service.GOOGLE:
        return {"ends_at": None, "warned_of": None}
    end = tokens.refresh_expires_at or (now + TESTING_LIFE if settings.AWASE_GOOGLE_TESTING else None)
    # Whoever just gave a permission for a week need not be told today that it ends in a week.
    return {"ends_at": end, "warned_of": _last_lead(end, now) if end else None}


def _last_lead(end: datetime, now: datetime) -> datetime | None:
    """The latest moment up to now at which people are told of this end."""
    return max((end - lead for lead in LEADS if end - lead <= now), default=None)


def warn_of_ends(now: datetime) -> None:
    """Mail the members whose permission runs out, a week and a day ahead."""
    ending = Credential.objects.filter(ends_at__gt=now, ends_at__lte=now + max(LEADS))
    for credential in ending.exclude(standing=Standing.ERROR):
        assert credential.ends_at is not None
        lead = _last_lead(credential.ends_at, now)
        untold = Credential.objects.filter(Q(warned_of=None) | Q(warned_of__lt=lead), pk=credential.pk)
        with transaction.atomic():
            if untold.update(warned_of=lead):
                notices.ends(credential, now)


def secrets_ending(now: datetime, within: timedelta = timedelta(days=30)) -> dict[str, date]:
    """The registrations whose client secret runs out so soon, or has run out, with the day."""
    return _ending(settings.AWASE_SECRETS_END, now, within)


def approvals_ending(now: datetime, within: timedelta = timedelta(days=30)) -> dict[str, date]:
    """The same for the services' approval of the registrations."""
    return _ending(settings.AWASE_APPROVALS_END, now, within)


def _ending(ends: Mapping[str, date | None], now: datetime, within: timedelta) -> dict[str, date]:
    last = (now + within).date()
    return {name: end for name, end in ends.items() if end is not None and end <= last}


def warn_operators(now: datetime) -> None:
    """Mail the operators about client secrets and approvals, a week and a day ahead, and about channels that nobody
    renewed."""
    for template, ending in ((Template.SECRET_ENDS, secrets_ending), (Template.APPROVAL_ENDS, approvals_ending)):
        for name, end in ending(now, max(LEADS)).items():
            lead = min(lead for lead in LEADS if end <= (now + lead).date())
            alarms.runs_out(template, name, end, lead, now)
    lapsing = PushChannel.objects.filter(
        expires_at__gt=now,
        expires_at__lte=now + CHANNEL_LEAD,
        created_at__lte=now - timedelta(days=1),  # not one whose end the service has yet to say
        credential__standing=Standing.OK,
    ).count()
    if lapsing:
        alarms.channels_end(lapsing, now)


def keep_alive(now: datetime) -> None:
    """Use the permissions that nothing else uses, well before they lapse; those in use are used by their checks."""
    unused = Credential.objects.filter(check_every=None, expires_at__lte=now - KEPT_ALIVE).exclude(
        Q(standing=Standing.ERROR) | Q(service=Service.CALDAV)
    )
    for pk in unused.order_by("expires_at").values_list("pk", flat=True)[:MOST]:
        if checks.still_there(pk):
            checks.check(pk, Cause.CHECK, now)


class Wish(StrEnum):
    """A setting that needs more than the permission which every connected account has given."""

    ROOMS = "rooms"
    ORGANISATION = "organisation"  # to see all rooms of it


def missing_scopes(credential: Credential, wish: Wish) -> frozenset[str]:
    """The scopes that the account has not granted and that the setting needs: to be asked for when it is chosen,
    not when it fails. Empty if it may be chosen at once."""
    scopes = {Wish.ROOMS: registry.room_scopes, Wish.ORGANISATION: registry.organisation_scopes}
    wanted = scopes[wish](Service(credential.service))
    return wanted - frozenset(credential.scopes.split())
