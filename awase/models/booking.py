"""Bookings (予約), the time of each host that they take, and their events in the hosts' calendars."""

import uuid

from django.db import models

from awase.models.account import Member, Workspace
from awase.models.connection import Calendar, Connection
from awase.models.page import BookingPage, OneTimeLink
from awase.models.room import Room


class BookingState(models.TextChoices):
    CONFIRMED = "confirmed", "confirmed"
    CANCELLED = "cancelled", "cancelled"
    REQUESTED = "requested", "waits for a host's answer"
    DECLINED = "declined", "declined"
    EXPIRED = "expired", "nobody answered in time"


def new_uid() -> str:
    return uuid.uuid4().hex


class Booking(models.Model):
    """A guest's booking. `start`/`end` are the meeting itself; buffers are in HostTime.

    On a page with several seats a row with `is_session` and no guest carries the hosts' time, their events
    and the meeting; each guest's own row points to it by `session`.
    """

    uid = models.CharField(max_length=32, unique=True, default=new_uid, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="bookings")
    page = models.ForeignKey(BookingPage, on_delete=models.PROTECT, related_name="bookings")
    state = models.CharField(max_length=10, choices=BookingState, default=BookingState.CONFIRMED)
    start = models.DateTimeField(db_index=True)
    end = models.DateTimeField()
    title = models.CharField(max_length=120)
    guest_name = models.CharField(max_length=100)
    guest_email = models.EmailField(max_length=254)
    guest_note = models.TextField(blank=True)
    guest_phone = models.CharField(max_length=40, blank=True)
    guest_language = models.CharField(max_length=8, default="ja")
    guest_time_zone = models.CharField(max_length=64, default="Asia/Tokyo")
    location_kind = models.CharField(max_length=12, blank=True)
    location_detail = models.CharField(max_length=500, blank=True)
    location_member = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    place_missing = models.BooleanField(default=False)
    meeting_connection = models.ForeignKey(
        Connection, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    meeting_id = models.CharField(max_length=300, blank=True)
    join_url = models.URLField(max_length=1000, blank=True)
    session = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="seats")
    is_session = models.BooleanField(default=False)
    guest_company = models.CharField(max_length=120, blank=True)
    further_guests = models.JSONField(default=list, blank=True)  # mail addresses
    answers = models.JSONField(default=list, blank=True)  # [question, answer] as asked then
    tracking = models.JSONField(default=dict, blank=True)  # UTM parameters
    answer_by = models.DateTimeField(null=True, blank=True, db_index=True)  # a request lapses then
    no_show_at = models.DateTimeField(null=True, blank=True)
    drift = models.CharField(max_length=10, blank=True)  # "deleted" or "moved" by hand in a calendar, unsolved
    away = models.JSONField(default=list, blank=True)  # members whom the assignment passed over: absent, or broken
    one_time_link = models.ForeignKey(OneTimeLink, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    sequence = models.PositiveIntegerField(default=0)
    idempotency_key = models.CharField(max_length=100, null=True, blank=True)
    cancel_reason = models.TextField(blank=True)
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="booking_ends_after_start"),
            models.UniqueConstraint(fields=["page", "idempotency_key"], name="booking_once_per_idempotency_key"),
        )
        indexes = (
            models.Index(fields=["workspace", "start"], name="booking_by_workspace"),
            models.Index(fields=["page", "created_at"], name="booking_by_page"),
        )

    def __str__(self) -> str:
        return f"{self.title} {self.start:%Y-%m-%d %H:%M}Z"


class Hold(models.Model):
    """A slot held for a guest who is filling in the form. `client` tells guests apart, as a digest."""

    page = models.ForeignKey(BookingPage, on_delete=models.CASCADE, related_name="holds")
    token = models.CharField(max_length=32, unique=True, default=new_uid)
    client = models.CharField(max_length=64)
    start = models.DateTimeField()
    end = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.page}: {self.start:%Y-%m-%d %H:%M}Z"


class GuestFile(models.Model):
    """A file that a guest gave as an answer. Until the booking is taken only its token leads to it, so that nothing
    has to be chosen again when a form comes back; what no booking claims is swept away."""

    page = models.ForeignKey(BookingPage, on_delete=models.CASCADE, related_name="files")
    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, null=True, blank=True, related_name="files")
    token = models.CharField(max_length=32, unique=True, default=new_uid)
    question = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    content = models.BinaryField()
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name


class HostTime(models.Model):
    """The time of one host that a booking, a session or a hold takes, buffers included. The database itself
    refuses a second active row of the same host that overlaps (`guards.py`), whatever the code above it does."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, null=True, blank=True, related_name="host_times")
    hold = models.ForeignKey(Hold, on_delete=models.CASCADE, null=True, blank=True, related_name="host_times")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="host_times")
    start = models.DateTimeField()
    end = models.DateTimeField()
    active = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="host_time_ends_after_start"),
            models.CheckConstraint(
                condition=models.Q(booking__isnull=False) ^ models.Q(hold__isnull=False), name="host_time_of_one_thing"
            ),
            models.UniqueConstraint(fields=["booking", "member"], name="host_time_once_per_booking"),
        )
        indexes = (models.Index(fields=["member", "active", "start"], name="host_time_by_member"),)

    def __str__(self) -> str:
        return f"{self.member}: {self.start:%Y-%m-%d %H:%M}Z"


class RoomTime(models.Model):
    """The time of one room that a booking, a session or a hold takes; guarded like a host's."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, null=True, blank=True, related_name="room_times")
    hold = models.ForeignKey(Hold, on_delete=models.CASCADE, null=True, blank=True, related_name="room_times")
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="room_times")
    start = models.DateTimeField()
    end = models.DateTimeField()
    active = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(end__gt=models.F("start")), name="room_time_ends_after_start"),
            models.CheckConstraint(
                condition=models.Q(booking__isnull=False) ^ models.Q(hold__isnull=False), name="room_time_of_one_thing"
            ),
            models.UniqueConstraint(fields=["booking", "room"], name="room_time_once_per_booking"),
        )
        indexes = (models.Index(fields=["room", "active", "start"], name="room_time_by_room"),)

    def __str__(self) -> str:
        return f"{self.room}: {self.start:%Y-%m-%d %H:%M}Z"


class CalendarEvent(models.Model):
    """The event of a booking in one member's calendar. `key` is the id that we choose, so that a repeated
    write never makes a second event; a new `key` is drawn if the service keeps a deleted id reserved."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="calendar_events")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    calendar = models.ForeignKey(Calendar, on_delete=models.SET_NULL, null=True, related_name="events")
    key = models.CharField(max_length=32, unique=True, default=new_uid)
    external_id = models.CharField(max_length=500, blank=True)
    written_sequence = models.IntegerField(default=-1)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["booking", "member"], name="event_once_per_booking_and_member"),)

    def __str__(self) -> str:
        return self.key


class BookingChange(models.Model):
    """The history of a booking, for people."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()
    what = models.CharField(max_length=40)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.what}"
