"""What the gate last answered (for lists, history and notices), and every change of state with its cause."""

from django.db import connections, models

from awase.models.connection import Credential
from awase.models.page import BookingPage
from awase.models.prepared import execute


class PageHealth(models.Model):
    """The stored copy of the gate's answer. It never decides about a booking."""

    page = models.OneToOneField(BookingPage, on_delete=models.CASCADE, related_name="health", primary_key=True)
    open = models.BooleanField(default=True)
    in_error = models.BooleanField(default=False)
    since = models.DateTimeField()
    stops = models.JSONField(default=list)  # the kinds, in sentence order
    left_out = models.JSONField(default=list)  # members that the page goes on without
    evaluated_at = models.DateTimeField()

    @classmethod
    def hold(cls, page_id: int) -> None:
        """Until this transaction ends no other one that renews the page's answer can commit, nor is one under way.
        So what the gate says here still holds at the commit. Those who hold do not wait for each other."""
        connection = connections[cls.objects.db]
        if connection.vendor == "postgresql":  # SQLite has one writer at a time
            execute(connection, ("SELECT 1 FROM awase_pagehealth WHERE page_id = %s FOR SHARE", [page_id]))


class PageChange(models.Model):
    """A page stopped or opened by health, and why."""

    page = models.ForeignKey(BookingPage, on_delete=models.CASCADE, related_name="health_changes")
    at = models.DateTimeField()
    opened = models.BooleanField()
    stops = models.JSONField(default=list)
    cause = models.CharField(max_length=60)
    credential = models.ForeignKey(Credential, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-at", "-id")


class ConnectionChange(models.Model):
    """An account's state changed, and what triggered it."""

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    standing = models.CharField(max_length=10)
    reason = models.CharField(max_length=30, blank=True)
    symptom = models.CharField(max_length=60, blank=True)
    cause = models.CharField(max_length=60)

    class Meta:
        ordering = ("-at", "-id")


class ServiceAlarm(models.Model):
    """A fault of ours at a service: for the operators; no member is marked or mailed."""

    service = models.CharField(max_length=20, unique=True)
    symptom = models.CharField(max_length=60)
    detail = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
