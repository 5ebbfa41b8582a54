"""The outbox: each outward act is a row written in the transaction that caused it."""

from django.db import models

from awase.models.account import Member
from awase.models.booking import Booking
from awase.models.connection import Credential


class EffectKind(models.TextChoices):
    MEETING = "meeting", "bring the online meeting to the booking's state"
    EVENT = "event", "bring a host's calendar event to the booking's state"
    MAIL = "mail", "send one mail"
    WEBHOOK = "webhook", "tell one of the workspace's endpoints"


class EffectState(models.TextChoices):
    PENDING = "pending", "waiting for its turn"
    RUNNING = "running", "claimed by a worker until its lease runs out"
    PARKED = "parked", "waits until a connection is repaired"
    DONE = "done", "done"
    FAILED = "failed", "given up; somebody must look"


class Effect(models.Model):
    """One outward act. Meetings and events are brought to the booking's present state, however often they
    run; `wanted` grows with each change and `done` follows it. A mail is sent once."""

    kind = models.CharField(max_length=10, choices=EffectKind)
    key = models.CharField(max_length=160, unique=True)
    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, null=True, blank=True, related_name="effects")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    payload = models.JSONField(default=dict, blank=True)  # ids and template names only, never a secret
    state = models.CharField(max_length=10, choices=EffectState, default=EffectState.PENDING)
    wanted = models.PositiveIntegerField(default=1)
    done = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    lease_token = models.CharField(max_length=32, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    parked_for = models.ForeignKey(
        Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="parked_effects"
    )
    parked_reason = models.CharField(max_length=30, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (
            models.Index(fields=["state", "next_at"], name="effect_due"),
            models.Index(fields=["booking", "kind"], name="effect_by_booking"),
        )

    def __str__(self) -> str:
        return self.key
