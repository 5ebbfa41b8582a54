"""The plain sections of the page editor as forms."""

from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from awase.models import BookingPage, Member

if TYPE_CHECKING:
    PageForm = forms.ModelForm[BookingPage]
else:
    PageForm = forms.ModelForm


class BasicsForm(PageForm):
    """Title, address, description, duration."""

    class Meta:
        model = BookingPage
        fields = ("title", "slug", "description", "duration_minutes", "step_minutes")

    title = forms.CharField(max_length=120, label=_("Title"))
    slug = forms.SlugField(max_length=80, label=_("Address"))
    description = forms.CharField(
        max_length=5000, required=False, label=_("Description"), widget=forms.Textarea(attrs={"rows": 4})
    )
    duration_minutes = forms.IntegerField(min_value=5, max_value=1440, label=_("Duration in minutes"))
    step_minutes = forms.IntegerField(min_value=5, max_value=1440, label=_("A start every … minutes"))

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        taken = BookingPage.objects.filter(workspace=self.instance.workspace, slug=slug).exclude(pk=self.instance.pk)
        if taken.exists():
            raise ValidationError(_("Another page of this workspace has this address. Choose another one."))
        return slug


class AvailabilityForm(PageForm):
    """Period, notice, buffers and the zone in which days are counted."""

    class Meta:
        model = BookingPage
        fields = ("time_zone", "period_days", "notice_minutes", "buffer_before_minutes", "buffer_after_minutes")

    time_zone = forms.ChoiceField(
        label=_("Time zone of the page"), choices=[(name, name) for name in sorted(available_timezones())]
    )
    period_days = forms.IntegerField(min_value=1, max_value=365, label=_("Days ahead that can be booked"))
    notice_minutes = forms.IntegerField(min_value=0, max_value=60 * 24 * 90, label=_("Minimum notice in minutes"))
    buffer_before_minutes = forms.IntegerField(min_value=0, max_value=480, label=_("Buffer before in minutes"))
    buffer_after_minutes = forms.IntegerField(min_value=0, max_value=480, label=_("Buffer after in minutes"))


class NewPageForm(forms.Form):
    """The first step of a new page: a title is enough."""

    title = forms.CharField(max_length=120, label=_("Title"))
    slug = forms.SlugField(
        max_length=80,
        required=False,
        label=_("Address"),
        help_text=_("The last part of the page's address, in Latin letters. Left empty, one is made."),
    )

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        wanted = cleaned.get("slug") or slugify(cleaned.get("title", ""))[:70] or "page"
        slug, number = wanted, 1
        while BookingPage.objects.filter(workspace=self.member.workspace, slug=slug).exists():
            if cleaned.get("slug"):
                self.add_error("slug", _("Another page of this workspace has this address. Choose another one."))
                break
            number += 1
            slug = f"{wanted}-{number}"
        cleaned["slug"] = slug
        return cleaned
