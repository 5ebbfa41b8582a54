"""Addresses that a workspace wants told of what happens, and the log of what they answered."""

from django.db import models

from awase.models.account import Workspace
from awase.models.effect import Effect
from awase.models.encryption import SealedField


class EndpointKind(models.TextChoices):
    SIGNED = "signed", "a program: Standard Webhooks, signed"
    CHAT = "chat", "a chat: incoming webhook after Slack's manner"


class WebhookEndpoint(models.Model):
    """Where a workspace's events go. `secret` holds the address, which for chats is itself a secret, and the
    signing secret. `events`: the types wanted; empty: all."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhook_endpoints")
    kind = models.CharField(max_length=6, choices=EndpointKind, default=EndpointKind.SIGNED)
    host = models.CharField(max_length=200)  # of the address, for people
    secret = SealedField()
    events = models.JSONField(default=list, blank=True)
    active = models.BooleanField(default=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind}: {self.host}"


class WebhookAttempt(models.Model):
    """One delivery tried. `status` is the HTTP status, or null if there was no answer."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="attempts")
    effect = models.ForeignKey(Effect, on_delete=models.CASCADE, related_name="webhook_attempts")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-at", "-id")
