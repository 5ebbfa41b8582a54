"""Mails to the operators: faults of ours, and what runs out on our side (connection-health.md section 9)."""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from awase.models import Effect, EffectKind
from awase.services.notices import Template


def alarm(service: str, symptom: str, now: datetime) -> None:
    """Mail the operators about a fault of ours: once a day for each service and fault."""
    _operators(Template.ALARM, f"{service}:{symptom}:{now:%Y-%m-%d}", now, service=service, symptom=symptom)


def runs_out(template: Template, registration: str, end: date, lead: timedelta, now: datetime) -> None:
    """Mail the operators ahead that a client secret or an approval runs out: once for each end and lead."""
    _operators(template, f"{registration}:{end}:{lead.days}", now, registration=registration, end=end.isoformat())


def channels_end(count: int, now: datetime) -> None:
    """Mail the operators, once a day, that push channels are about to lapse."""
    _operators(Template.CHANNELS_END, f"{now:%Y-%m-%d}", now, count=count)


def _operators(template: Template, occasion: str, now: datetime, **payload: Any) -> None:
    if settings.AWASE_OPERATOR_EMAIL:
        Effect.objects.get_or_create(
            key=f"mail:{template}:{occasion}",
            defaults={
                "kind": EffectKind.MAIL,
                "payload": {"template": template.value, **payload},
                "next_at": now,
            },
        )
