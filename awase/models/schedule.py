"""Weekly hours with date overrides (予約可能枠), and absences (不在)."""

from django.db import models

from awase.models.account import Member


class WeeklySchedule(models.Model):
    """Working hours of one member, as wall-clock time in `time_zone`.

    `weekly`: seven lists, Monday first, of [start, end] in minutes after midnight; `overrides`: ISO date →
    such a list. `awase.domain.schedule.from_json` refuses what is malformed. `holidays`: the country (ISO 3166)
    on whose public holidays there are no hours, unless an override gives some; "" for none.
    """

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64)
    weekly = models.JSONField()
    overrides = models.JSONField(default=dict, blank=True)
    holidays = models.CharField(max_length=2, blank=True)
    is_default = models.BooleanField(default=True)
    for_page = models.ForeignKey(
        "awase.BookingPage", on_delete=models.CASCADE, null=True, blank=True, related_name="own_schedules"
    )  # made for this page alone; null: a template

    def __str__(self) -> str:
        return self.name


class Absence(models.Model):
    """A member is away (不在) from `first` to `last`, both included, in the zone of their hours."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="absences")
    first = models.DateField()
    last = models.DateField()
    note = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ("first", "id")
        constraints = (
            models.CheckConstraint(condition=models.Q(last__gte=models.F("first")), name="absence_ends_after_first"),
        )

    def __str__(self) -> str:
        return f"{self.member}: {self.first} – {self.last}"
