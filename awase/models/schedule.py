"""Weekly hours with date overrides (予約可能枠)."""

from django.db import models

from awase.models.account import Member


class WeeklySchedule(models.Model):
    """Working hours of one member, as wall-clock time in `time_zone`.

    `weekly`: seven lists, Monday first, of [start, end] in minutes after midnight; `overrides`: ISO date →
    such a list. `awase.domain.schedule.from_json` refuses what is malformed.
    """

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64)
    weekly = models.JSONField()
    overrides = models.JSONField(default=dict, blank=True)
    is_default = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name
