"""The code by which another site shows a booking page: chosen on one screen, seen at once, pasted there."""

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from awase.models import BookingPage
from awase.models.page import Visibility
from awase.services import links
from awase.web.pages import editable
from awase.web.shell import MemberRequest, for_members

INLINE, BUTTON, CORNER = "inline", "popup", "float"
HEIGHT = 640  # as in embed.js


class CodeForm(forms.Form):
    """How the other site shows the page. Everything has an answer, so that there is a code at once."""

    mode = forms.ChoiceField(
        label=gettext_lazy("How the page is shown"),
        choices=(
            (INLINE, gettext_lazy("In the page")),
            (BUTTON, gettext_lazy("As a button that opens it")),
            (CORNER, gettext_lazy("As a button in the corner")),
        ),
        initial=INLINE,
        widget=forms.RadioSelect,
    )
    label = forms.CharField(
        required=False,
        max_length=60,
        label=gettext_lazy("Words on the button"),
        help_text=gettext_lazy("Left empty: “Book”, in the language of your site."),
    )
    lang = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Language"),
        choices=(("", gettext_lazy("As on your site")), *settings.LANGUAGES),
    )
    height = forms.IntegerField(
        label=gettext_lazy("Least height in pixels"),
        help_text=gettext_lazy("In the page; it grows with what is shown."),
        min_value=200,
        max_value=3000,
        initial=HEIGHT,
    )
    prefill = forms.CharField(
        required=False,
        max_length=300,
        label=gettext_lazy("Filled in beforehand"),
        help_text=gettext_lazy("As in an address: name=…&email=…&q_topic=…&utm_source=site"),
    )


@require_safe
@for_members
def show(request: MemberRequest, pk: int) -> HttpResponse:
    """Choose, and see the code and the page as it will look."""
    page = editable(request.member, pk)
    defaults = {name: field.initial for name, field in CodeForm.base_fields.items() if field.initial is not None}
    form = CodeForm(defaults | request.GET.dict())
    chosen = form.cleaned_data if form.is_valid() else defaults
    address = _address(page)
    hidden = page.visibility != Visibility.PUBLIC and not page.link_key
    lang = f"&lang={chosen['lang']}" if chosen.get("lang") else ""
    context = {
        "section": "pages",
        "page": page,
        "back_url": f"/app/pages/{page.pk}#sharing",
        "form": form,
        "code": code(address, chosen),
        "hidden": hidden,
        "preview_url": f"/{address}{'&' if '?' in address else '?'}embed=1{lang}"
        if chosen["mode"] == INLINE and not hidden
        else "",
    }
    return render(request, "dashboard/page_embed.html", context, status=422 if form.errors else 200)


def code(address: str, chosen: dict[str, object]) -> SafeString:
    """The script tag; what is as usual is left out. `address`: the page's, without the slash at its head."""
    wanted = {"data-page": address, "data-mode": chosen["mode"]}
    wanted |= {f"data-{name}": chosen.get(name) for name in ("label", "lang", "prefill")}
    if chosen["mode"] == INLINE and chosen.get("height") != HEIGHT:
        wanted["data-height"] = chosen.get("height")
    attributes = format_html_join("", ' {}="{}"', ((name, value) for name, value in wanted.items() if value))
    return format_html('<script src="{}/embed.js"{} async></script>', settings.AWASE_URL, attributes)


def _address(page: BookingPage) -> str:
    """What of the page's address a site needs: with the secret where the page is found by it alone."""
    address = f"{page.workspace.slug}/{page.slug}"
    secret = page.visibility != Visibility.PUBLIC and page.link_key
    return f"{address}?link={links.page_secret(page)}" if secret else address
