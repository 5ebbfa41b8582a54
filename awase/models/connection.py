"""Accounts at the services, members' links to them, and their calendars."""

from django.db import models

from awase.domain.health import Standing
from awase.models.account import Member
from awase.models.encryption import SealedField

STANDINGS = [(standing.value, standing.value) for standing in Standing]


class Credential(models.Model):
    """One account at a service: its tokens and its state. Members share it through their connections,
    so the same Zoom user behind two members breaks and is repaired together.

    One writer at a time: whoever refreshes holds `lease_token` until `lease_until`, and gives it back in the
    statement that saves the new tokens. `generation` grows with each saved token set.
    """

    service = models.CharField(max_length=20)
    account_id = models.CharField(max_length=255)
    account_email = models.CharField(max_length=254)
    account_name = models.CharField(max_length=200, blank=True)
    secret = SealedField()
    scopes = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True)
    refresh_expires_at = models.DateTimeField(null=True)
    generation = models.PositiveIntegerField(default=1)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.CharField(max_length=32, blank=True)

    standing = models.CharField(max_length=10, choices=STANDINGS, default=Standing.OK)
    reason = models.CharField(max_length=30, blank=True)
    our_fault = models.BooleanField(default=False)
    since = models.DateTimeField()
    last_good = models.DateTimeField(null=True)
    last_checked = models.DateTimeField(null=True)
    last_symptom = models.CharField(max_length=20, blank=True)  # row of the symptom table met last
    symptom_since = models.DateTimeField(null=True)  # met first then, without a success since
    lacking = models.JSONField(default=dict, blank=True)  # capability → reason
    probes = models.PositiveSmallIntegerField(default=0)  # rare checks made while in error for a person
    last_notice = models.DateTimeField(null=True)
    notice_open = models.BooleanField(default=False)  # people were told of an error that still lasts
    reminders_sent = models.PositiveSmallIntegerField(default=0)
    warned_of = models.DateTimeField(null=True)  # the known end of which people were told ahead
    ends_at = models.DateTimeField(null=True)  # the authorisation's known end, where the service has one

    check_every = models.DurationField(null=True)  # null: not in use, never checked
    next_check = models.DateTimeField(null=True, db_index=True)
    quiet_until = models.DateTimeField(null=True)  # nothing is sent for the account before: the service asked for it

    class Meta:
        constraints = (models.UniqueConstraint(fields=["service", "account_id"], name="credential_once_per_account"),)

    def __str__(self) -> str:
        return f"{self.service}: {self.account_email}"


class Connection(models.Model):
    """One member's link to an account (サービス連携)."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="connections")
    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="connections")
    tentative_free = models.BooleanField(default=False)  # events that are not sure yet take no time of this member
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["member", "credential"], name="connection_once_per_member_and_account"),
        )

    def __str__(self) -> str:
        return f"{self.member}: {self.credential}"


class Calendar(models.Model):
    """A calendar of a connection. `missing_since`: gone at the service; `unreadable_since`: it alone fails."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="calendars")
    external_id = models.CharField(max_length=500)
    name = models.CharField(max_length=300)
    time_zone = models.CharField(max_length=64, blank=True)
    writable = models.BooleanField(default=True)
    primary = models.BooleanField(default=False)
    meet_allowed = models.BooleanField(default=False)
    checked = models.BooleanField(default=False)
    go_on_without = models.BooleanField(default=False)
    missing_since = models.DateTimeField(null=True)
    unreadable_since = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["connection", "external_id"], name="calendar_once_per_connection"),
        )

    def __str__(self) -> str:
        return self.name


class ReadBusy(models.Model):
    """Busy times as last read, in the compact form of `domain.intervals.BusyTimes`.

    `spans`: sorted pairs of int64 epoch seconds; what lies outside [covered_start, covered_end) is unknown.
    """

    spans = models.BinaryField()
    covered_start = models.BigIntegerField()
    covered_end = models.BigIntegerField()
    read_at = models.BigIntegerField()

    class Meta:
        abstract = True


class CalendarBusy(ReadBusy):
    """The busy times of one calendar. `sync_token` continues the reading at the service from there, and
    `events` then holds what the changes refer to: opaque event ids and their spans, packed; nothing else of
    an event is kept. `full_at`: the last time that everything was read afresh."""

    calendar = models.OneToOneField(Calendar, on_delete=models.CASCADE, related_name="busy", primary_key=True)
    events = models.BinaryField(default=bytes)
    sync_token = models.TextField(blank=True)
    full_at = models.BigIntegerField(default=0)


class PushChannel(models.Model):
    """A channel through which a service tells us of changes. The token that proves a message is kept as its
    SHA-256 in hex. `calendar` is null where the channel is about the whole account."""

    credential = models.ForeignKey(Credential, on_delete=models.CASCADE, related_name="push_channels")
    calendar = models.ForeignKey(
        Calendar, on_delete=models.CASCADE, null=True, blank=True, related_name="push_channels"
    )
    channel_id = models.CharField(max_length=255, unique=True)
    resource_id = models.CharField(max_length=500, blank=True)
    token_digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)
    last_message = models.CharField(max_length=100, blank=True)  # number of the last one taken in
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.channel_id
