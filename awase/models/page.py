"""Booking pages (予約ページ), their members and locations."""

from django.db import models

from awase.domain.health import LocationKind
from awase.models.account import Member, Workspace
from awase.models.room import Room
from awase.models.schedule import WeeklySchedule


class Condition(models.TextChoices):
    """予約を可能にする条件."""

    ALL = "all", "全メンバーが参加できる日程"
    ANY = "any", "メンバー内のいずれか1人が参加できる日程"
    LIST = "list", "割当リスト"  # the page's groups say who takes part


class Assignment(models.TextChoices):
    """Who becomes the host under `any`."""

    GUEST = "guest", "guests choose"
    EVEN = "even", "evenly"
    PRIORITY = "priority", "by priority"
    SEQUENTIAL = "sequential", "in turn"


class Approval(models.TextChoices):
    """Whether a booking stands at once or is a request that a host answers."""

    NONE = "", "at once"
    HELD = "held", "by request, the slot is held meanwhile"
    UNHELD = "unheld", "by request, the slot stays open to others"


class Visibility(models.TextChoices):
    PUBLIC = "public", "everybody with the address"
    SECRET = "secret", "only by its secret link or a one-time link"


class Ask(models.TextChoices):
    """Whether the form asks for something besides name and mail address."""

    NO = "", "not asked"
    OPTIONAL = "optional", "asked"
    REQUIRED = "required", "asked, and needed"


class Drift(models.TextChoices):
    """What happens when an event of ours was moved or deleted by hand in the calendar."""

    REPAIR = "repair", "the event is written again"
    FOLLOW = "follow", "the booking follows"


class BookingPage(models.Model):
    """A public page with a fixed address where guests book. `accepting` is the owner's manual switch;
    the system's switch is the gate's answer (`PageHealth` holds the copy for the lists).

    `limits` holds, under "page", "host" and "guest", lists of {"per", "bookings", "minutes"} as
    `awase.domain.limits.from_json` reads them. `durations` are further lengths that guests may choose.
    `reminders`: minutes before the start, under "guest" and "host". `questions` are the form's own ones,
    `texts` the owner's own words for mails. `version` grows with each saved section. `description` is HTML as
    `awase.services.rich_text` leaves it; `cover` is the digest of the page's picture, which `PageCover` holds.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="pages")
    owner = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="owned_pages")
    slug = models.SlugField(max_length=80)
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    internal_note = models.TextField(blank=True)
    language = models.CharField(max_length=8, blank=True)
    accent = models.CharField(max_length=10, blank=True)
    cover = models.CharField(max_length=64, blank=True)
    indexed = models.BooleanField(default=True)
    thanks_url = models.URLField(max_length=500, blank=True)
    ask_company = models.CharField(max_length=8, choices=Ask, default=Ask.NO, blank=True)
    ask_phone = models.CharField(max_length=8, choices=Ask, default=Ask.NO, blank=True)
    ask_further = models.BooleanField(default=True)  # mail addresses of those who come along
    questions = models.JSONField(default=list, blank=True)
    texts = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1)
    accepting = models.BooleanField(default=True)
    condition = models.CharField(max_length=5, choices=Condition, default=Condition.ALL)
    assignment = models.CharField(max_length=10, choices=Assignment, default=Assignment.EVEN)
    calendar_required = models.BooleanField(default=True)

    time_zone = models.CharField(max_length=64, default="Asia/Tokyo")
    schedule = models.ForeignKey(WeeklySchedule, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    duration_minutes = models.PositiveSmallIntegerField(default=30)
    durations = models.JSONField(default=list, blank=True)
    step_minutes = models.PositiveSmallIntegerField(default=30)
    buffer_before_minutes = models.PositiveSmallIntegerField(default=0)
    buffer_after_minutes = models.PositiveSmallIntegerField(default=0)
    notice_minutes = models.PositiveIntegerField(default=60)
    notice_from_midnight = models.BooleanField(default=False)
    period_days = models.PositiveSmallIntegerField(default=60, null=True, blank=True)  # null: does not roll
    period_first = models.DateField(null=True, blank=True)
    period_last = models.DateField(null=True, blank=True)
    limits = models.JSONField(default=dict, blank=True)
    seats = models.PositiveSmallIntegerField(default=1)

    approval = models.CharField(max_length=6, choices=Approval, default=Approval.NONE, blank=True)
    answer_hours = models.PositiveSmallIntegerField(default=48)
    guests_cancel = models.BooleanField(default=True)
    cancel_until_minutes = models.PositiveIntegerField(default=0)  # before the start
    guests_move = models.BooleanField(default=True)
    move_until_minutes = models.PositiveIntegerField(default=0)
    reason_required = models.BooleanField(default=False)
    reminders = models.JSONField(default=dict, blank=True)
    follow_up_minutes = models.PositiveIntegerField(null=True, blank=True)  # after the end; null: none
    drift = models.CharField(max_length=6, choices=Drift, default=Drift.REPAIR)

    visibility = models.CharField(max_length=6, choices=Visibility, default=Visibility.PUBLIC)
    link_key = models.CharField(max_length=32, blank=True)  # what the secret link is derived from
    password = models.CharField(max_length=128, blank=True)  # hashed
    tell_when_open = models.BooleanField(default=False)  # while it is stopped, guests may leave an address
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["workspace", "slug"], name="page_slug_once_per_workspace"),)

    def __str__(self) -> str:
        return self.title


class PageCover(models.Model):
    """The picture at the head of a page, apart from it, because pages are read far more often than pictures."""

    page = models.OneToOneField(BookingPage, on_delete=models.CASCADE, related_name="picture")
    digest = models.CharField(max_length=64, db_index=True)  # names it in its address, which so never changes
    kind = models.CharField(max_length=30)
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.page}: {self.digest[:8]}"


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


class PageGroup(models.Model):
    """One group of an assignment list (割当リスト), or one of rooms: `needed` of them take part, null: all.
    Groups of people count under the condition `list` only, groups of rooms under each."""

    page = models.ForeignKey(BookingPage, on_delete=models.CASCADE, related_name="groups")
    position = models.PositiveSmallIntegerField(default=0)
    of_rooms = models.BooleanField(default=False)
    needed = models.PositiveSmallIntegerField(null=True, blank=True)
    members = models.ManyToManyField(Member, blank=True, related_name="+")
    rooms = models.ManyToManyField(Room, blank=True, related_name="page_groups")

    class Meta:
        ordering = ("position", "id")

    def __str__(self) -> str:
        return f"{self.page}: {self.position}"


class PageShare(models.Model):
    """Somebody besides the owner who may see or change a page."""

    page = models.ForeignKey(BookingPage, on_delete=models.CASCADE, related_name="shares")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="page_shares")
    editor = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["page", "member"], name="share_once_per_page_and_member"),)

    def __str__(self) -> str:
        return f"{self.page}: {self.member}"


class OneTimeLink(models.Model):
    """A link that takes one booking of a page. Only the digest of its secret is kept."""

    page = models.ForeignKey(BookingPage, on_delete=models.CASCADE, related_name="one_time_links")
    digest = models.CharField(max_length=64, unique=True)
    note = models.CharField(max_length=120, blank=True)
    created_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.page}: {self.note}"


class OpeningWish(models.Model):
    """A guest who wants to know when a stopped page opens. Deleted with the one mail that tells them."""

    page = models.ForeignKey(BookingPage, on_delete=models.CASCADE, related_name="opening_wishes")
    email = models.EmailField(max_length=254, db_index=True)  # kept in lower case
    language = models.CharField(max_length=8)
    created_at = models.DateTimeField(db_index=True)
    told_at = models.DateTimeField(null=True, db_index=True)  # a mail is under way

    class Meta:
        constraints = (models.UniqueConstraint(fields=["page", "email"], name="opening_wish_once_per_address"),)

    def __str__(self) -> str:
        return f"{self.page}: {self.created_at:%Y-%m-%d}"


class RefusedBooking(models.Model):
    """A booking that was wanted and not taken, for the measures: no word about the guest."""

    page = models.ForeignKey(BookingPage, on_delete=models.CASCADE, related_name="refusals")
    at = models.DateTimeField(db_index=True)
    refusal = models.CharField(max_length=30)
    stops = models.JSONField(default=list)  # the kinds of the gate's stops, if health was why

    def __str__(self) -> str:
        return f"{self.page}: {self.refusal}"


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
