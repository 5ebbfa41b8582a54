"""Connecting a CalDAV account: the form, and what is wrong in words."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from awase.services.connections import Trouble

CALDAV_PRESETS = (("iCloud", "https://caldav.icloud.com/"), ("Fastmail", "https://caldav.fastmail.com/"))


class CalDAVForm(forms.Form):
    """Address, user name and app password. The password is never shown again."""

    address = forms.CharField(
        max_length=500,
        label=gettext_lazy("Address of the server"),
        help_text=gettext_lazy("For example https://cloud.example.jp/"),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )
    username = forms.CharField(
        max_length=200, label=gettext_lazy("User name"), widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    password = forms.CharField(
        max_length=500,
        label=gettext_lazy("App password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
    )


def caldav_error(trouble: Trouble) -> tuple[str, str]:
    """The field and the sentence for what went wrong; nothing was stored."""
    match trouble:
        case Trouble.ADDRESS:
            return "address", _("This address must not be used: it leads into a closed network, or is no web address.")
        case Trouble.REFUSED:
            return "password", _("The server refused user name or password. Use an app password if it offers them.")
        case _:
            return "address", _("No calendar server answered at this address. Check it and try again.")
