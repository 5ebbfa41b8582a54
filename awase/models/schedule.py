"""Weekly hours with date overrides (予約可能枠)."""

from django.db import models

from awase.models.account import Member


class WeeklySchedule(models.Model):
    """Working hours of one member. `hours` is what `awase.domain.schedule.to_json` writes: the zone, seven
    lists of ranges from Monday, and date overrides; `from_json` refuses what is malformed."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=80)
    hours = models.JSONField()
    is_default = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name
