"""プロフィール and 通知: what members say of themselves, and which notices they want."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from awase.models import Member
from awase.services import profile
from awase.services.notices import Kind, wants
from awase.services.profile import ForGuests, Person
from awase.web.settings_frame import saved, screen, section
from awase.web.shell import Context, MemberRequest, for_members, utcnow
from awase.web.zone_field import ZoneField

KINDS = {
    Kind.REMINDER: (
        gettext_lazy("Reminders while a connection error lasts"),
        gettext_lazy("After 1, 3, 7 and 14 days. The first mail about your own account or page always comes."),
    ),
    Kind.RESTORED: (gettext_lazy("When an account works again"), gettext_lazy("With the pages that opened.")),
    Kind.GOING_ON: (
        gettext_lazy("When a page of mine goes on without somebody"),
        gettext_lazy("A member's account is broken, and the others take the bookings."),
    ),
    Kind.AHEAD: (
        gettext_lazy("Before a permission runs out"),
        gettext_lazy("So that you can reconnect before a page stops."),
    ),
}


class PersonForm(forms.Form):
    name = forms.CharField(
        max_length=100, label=gettext_lazy("Name"), widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Language"),
        help_text=gettext_lazy("Of the screens and of the mails to you."),
        choices=[("", gettext_lazy("The browser's")), ("ja", "日本語"), ("en", "English")],
    )
    time_zone = ZoneField(help_text=gettext_lazy("In which times are shown to you. Your hours keep their own zone."))
    clock = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Clock"),
        widget=forms.RadioSelect,
        choices=[
            ("", gettext_lazy("As the language has it")),
            ("24", gettext_lazy("24 hours (15:30)")),
            ("12", gettext_lazy("12 hours (3:30 PM)")),
        ],
    )


class ForGuestsForm(forms.Form):
    phone = forms.CharField(
        required=False,
        max_length=40,
        label=gettext_lazy("Phone"),
        help_text=gettext_lazy("Guests read it where a meeting is held by phone and the page has no number."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    address = forms.CharField(
        required=False,
        max_length=300,
        label=gettext_lazy("Address for meetings in person"),
        help_text=gettext_lazy("Guests read it where a meeting is held in person and the page has no address."),
    )


class NoticesForm(forms.Form):
    """A tick for each kind of notice that one may do without."""

    def __init__(self, data: Any, member: Member) -> None:
        super().__init__(data)
        for kind, (label, explained) in KINDS.items():
            self.fields[kind.value] = forms.BooleanField(
                required=False, label=label, help_text=explained, initial=wants(member, kind)
            )

    def wanted(self) -> set[Kind]:
        return {kind for kind in Kind if self.cleaned_data[kind.value]}


def _person(member: Member) -> Context:
    user = member.user
    return {"name": user.name, "language": user.language, "time_zone": user.time_zone, "clock": user.clock}


def _for_guests(member: Member) -> Context:
    return {"phone": member.phone, "address": member.address}


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def show(request: MemberRequest) -> HttpResponse:
    """Two sections: what is yours everywhere, and what guests of this workspace read."""
    member = request.member
    sent = request.POST.get("section", "") if request.method == "POST" else ""
    person = PersonForm(request.POST if sent == "person" else None, initial=_person(member))
    for_guests = ForGuestsForm(request.POST if sent == "for_guests" else None, initial=_for_guests(member))
    if person.is_valid():
        profile.save_person(member.user, Person(**person.cleaned_data))
        response = saved("profile", "person")
        # The language chosen on a screen before would go on to hide the one chosen here.
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
        return response
    if for_guests.is_valid():
        profile.save_for_guests(member, ForGuests(**for_guests.cleaned_data), utcnow())
        return saved("profile", "for_guests")
    return screen(
        request,
        "profile",
        [
            section(request, "person", _("You"), person, note=member.user.email),
            section(request, "for_guests", _("What guests read"), for_guests),
        ],
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def notices(request: MemberRequest) -> HttpResponse:
    """Which of the notices about accounts and pages are wanted."""
    form = NoticesForm(request.POST if request.method == "POST" else None, request.member)
    if form.is_valid():
        profile.save_notices(request.member, form.wanted())
        return saved("notices", "notices")
    help_text = _("Mails about connections and pages. Mails about bookings are set on each booking page.")
    return screen(request, "notices", [section(request, "notices", _("Mails to you"), form, help=help_text)])
