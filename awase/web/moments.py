"""A date with a time, as a person types it in a zone of their own."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from awase.web.guest import FIRST_YEAR, LAST_YEAR


class LocalTimeField(forms.DateTimeField):
    """Its value bears UTC in place of the zone, which whoever reads it puts there; of years that every zone knows."""

    def __init__(self, **more: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **more)

    def validate(self, value: datetime | None) -> None:
        super().validate(value)
        if value is not None and not FIRST_YEAR <= value.year < LAST_YEAR:
            raise ValidationError(self.error_messages["invalid"])
