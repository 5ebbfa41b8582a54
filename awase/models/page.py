"""Booking pages (予約ページ), their members and locations."""

from django.db import models

from awase.domain.health import LocationKind
from awase.models.account import Member, Workspace
from awase.models.schedule import WeeklySchedule


class Condition(models.TextChoices):
    """予約を可能にする条件."""

    ALL = "all", "全メンバーが参加できる日程"
    ANY = "any", "メンバー内のいずれか1人が参加できる日程"


class Assignment(models.TextChoices):
    """Who becomes the host under `any`."""

    GUEST = "guest", "guests choose"
    EVEN = "even", "evenly"
    PRIORITY = "priority", "by priority"
    SEQUENTIAL = "sequential", "in turn"


class BookingPage(models.Model):
    """A public page with a fixed address where guests book. `accepting` is the owner's manual switch;
    the system's switch is the gate's answer (`PageHealth` holds the copy for the lists)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="pages")
    owner = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="owned_pages")
    slug = models.SlugField(max_length=80)
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    accepting = models.BooleanField(default=True)
    condition = models.CharField(max_length=5, choices=Condition, default=Condition.ALL)
    assignment = models.CharField(max_length=10, choices=Assignment, default=Assignment.EVEN)
    calendar_required = models.BooleanField(default=True)

    time_zone = models.CharField(max_length=64, default="Asia/Tokyo")
    duration_minutes = models.PositiveSmallIntegerField(default=30)
    step_minutes = models.PositiveSmallIntegerField(default=30)
    buffer_before_minutes = models.PositiveSmallIntegerField(default=0)
    buffer_after_minutes = models.PositiveSmallIntegerField(default=0)
    notice_minutes = models.PositiveIntegerField(default=60)
    period_days = models.PositiveSmallIntegerField(default=60)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["workspace", "slug"], name="page_slug_once_per_workspace"),)

    def __str__(self) -> str:
        return self.title


class PageMember(models.Model):
    """A member of a page (参加メンバー), with what automatic assignment needs to know. Without a schedule of
    its own the member's default one counts."""

    page = models.ForeignKey(BookingPage, on_delete=models.CASCADE, related_name="page_members")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="page_memberships")
    schedule = models.ForeignKey(WeeklySchedule, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)
    weight = models.PositiveSmallIntegerField(default=1)
    level = models.PositiveSmallIntegerField(default=1)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("position", "id")
        constraints = (models.UniqueConstraint(fields=["page", "member"], name="member_once_per_page"),)

    def __str__(self) -> str:
        return f"{self.page}: {self.member}"


LOCATION_KINDS = [(kind.value, kind.value) for kind in LocationKind]


class Location(models.Model):
    """How the meeting is held (ロケーション). `detail`: the page's number, address, link or text."""

    page = models.ForeignKey(BookingPage, on_delete=models.CASCADE, related_name="locations")
    kind = models.CharField(max_length=12, choices=LOCATION_KINDS)
    detail = models.CharField(max_length=500, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.kind
