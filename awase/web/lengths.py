"""Lengths of time as people say them, and the form fields that offer them."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import ngettext

HOUR, DAY, WEEK = 60, 1440, 10080


def length(minutes: int) -> str:
    """`minutes` in the largest unit that divides it."""
    if minutes and minutes % WEEK == 0:
        return ngettext("%(count)d week", "%(count)d weeks", minutes // WEEK) % {"count": minutes // WEEK}
    if minutes and minutes % DAY == 0:
        return ngettext("%(count)d day", "%(count)d days", minutes // DAY) % {"count": minutes // DAY}
    if minutes and minutes % HOUR == 0:
        return ngettext("%(count)d hour", "%(count)d hours", minutes // HOUR) % {"count": minutes // HOUR}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


class LengthField(forms.TypedChoiceField):
    """One of some usual lengths, or the one that is stored. `none` words nought, or where the field is not
    required the empty choice, which is None."""

    def __init__(self, usual: Iterable[int], *, none: Any = None, **more: Any) -> None:
        self.usual, self.none = tuple(usual), none
        super().__init__(coerce=int, empty_value=None, **more)

    def offer(self, stored: int | None) -> None:
        """Word the choices, the stored one among them, in the language of this request."""
        offered = sorted({*self.usual, *([] if stored is None else [stored])})
        empty = [] if self.required else [("", self.none)]
        self.choices = empty + [
            (str(minutes), self.none if not minutes and self.required and self.none else length(minutes))
            for minutes in offered
        ]


class LengthsField(forms.TypedMultipleChoiceField):
    """Any of some usual lengths and those that are stored; longest first, as reminders come."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, usual: Iterable[int], **more: Any) -> None:
        self.usual = tuple(usual)
        super().__init__(coerce=int, required=False, **more)

    def offer(self, stored: Iterable[int]) -> None:
        """Word the choices, the stored ones among them, in the language of this request."""
        self.choices = [(str(minutes), length(minutes)) for minutes in sorted({*self.usual, *stored})]


def offer_lengths(form: forms.BaseForm) -> None:
    """Let every field of lengths word its choices, with what the form begins with."""
    for name, field in form.fields.items():
        stored = form.get_initial_for_field(field, name)
        if isinstance(field, LengthField):
            field.offer(stored)
        elif isinstance(field, LengthsField):
            field.offer(stored or ())
