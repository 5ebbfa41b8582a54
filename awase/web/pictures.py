"""Pictures that people upload: told by what they are, not by what they are called."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LARGEST = 1024 * 1024
BEGINNINGS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: its bytes, and the media type by which browsers are told of it."""

    content: bytes
    kind: str


class PictureField(forms.FileField):
    """A picture of at most one megabyte that browsers can show and that runs nothing: JPEG, PNG or WebP. Its value is
    a Picture, None if nothing was chosen."""

    def __init__(self, **more: Any) -> None:
        widget = forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"})
        super().__init__(**{"required": False, "widget": widget, **more})

    def clean(self, data: Any, initial: Any = None) -> Picture | None:
        sent = super().clean(data, initial)
        if not sent:
            return None
        if sent.size > LARGEST:
            raise ValidationError(_("This picture is larger than one megabyte. Choose a smaller one."))
        content = sent.read()
        sent.seek(0)
        kind = kind_of(content)
        if not kind:
            raise ValidationError(_("This is not a picture that can be shown. Choose a JPEG, PNG or WebP file."))
        return Picture(content, kind)


def kind_of(content: bytes) -> str:
    """The type of a picture by its first bytes; "" for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for beginning, kind in BEGINNINGS.items() if content.startswith(beginning)), "")
