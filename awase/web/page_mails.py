"""The mails to a page's guests in the owner's own words: one screen for each, with a live preview."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import escape
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods

from awase.domain.mail_texts import VARIABLES, unknown
from awase.models import BookingPage
from awase.services import mail_samples, mail_texts
from awase.services.mail import Rendered
from awase.web.page_sections import Facts, differences, seen
from awase.web.pages import editable
from awase.web.shell import Context, MemberRequest, for_members, utcnow

LANGUAGES = dict(settings.LANGUAGES)
NAMES = {
    "confirmed": gettext_lazy("Confirmation"),
    "requested": gettext_lazy("Request received"),
    "approved": gettext_lazy("Request approved"),
    "declined": gettext_lazy("Request declined"),
    "changed": gettext_lazy("Booking changed"),
    "cancelled": gettext_lazy("Booking cancelled"),
    "reminder": gettext_lazy("Reminder"),
    "follow_up": gettext_lazy("Thanks afterwards"),
}
MEANINGS = {
    "guest": gettext_lazy("the guest's name"),
    "title": gettext_lazy("the page's title"),
    "when": gettext_lazy("date and time"),
    "zone": gettext_lazy("the time zone"),
    "host": gettext_lazy("who the guest meets"),
    "place": gettext_lazy("the place"),
    "link": gettext_lazy("the meeting link"),
}


class WordsForm(forms.Form):
    """Subject and opening words of one mail; left empty, the usual ones stand."""

    subject = forms.CharField(required=False, max_length=200, label=gettext_lazy("Subject"))
    text = forms.CharField(
        required=False,
        max_length=5000,
        label=gettext_lazy("Opening words"),
        help_text=gettext_lazy("In place of the greeting. Date, place and buttons follow by themselves."),
        widget=forms.Textarea(attrs={"rows": 10}),
    )

    def clean(self) -> dict[str, Any]:
        for name in ("subject", "text"):
            if wrong := unknown(self.cleaned_data.get(name, "")):
                there = ", ".join(f"{{{variable}}}" for variable in wrong)
                self.add_error(name, ValidationError(_("There is no variable %(name)s.") % {"name": there}))
        return self.cleaned_data


def entries(page: BookingPage) -> list[Context]:
    """The mails of the page, for the editor's section: name, address, and the languages with words of the owner's."""
    return [
        {
            "name": NAMES[template],
            "url": f"/app/pages/{page.pk}/mails/{template}",
            "own": [label for code, label in LANGUAGES.items() if mail_texts.own(page, template, code)],
        }
        for template in mail_texts.EDITABLE
    ]


@require_http_methods(["GET", "POST"])
@for_members
def edit(request: MemberRequest, pk: int, template: str) -> HttpResponse:
    """One mail in one language."""
    page, language = editable(request.member, pk), _language(request)
    if template not in NAMES:
        raise Http404
    stored = dict(mail_texts.own(page, template, language))
    form = WordsForm(request.POST or None, initial=stored)
    address = f"/app/pages/{page.pk}/mails/{template}"
    conflict = _conflict(form, stored) if request.POST.get("seen", seen(stored)) != seen(stored) else []
    if request.method == "POST" and form.is_valid() and not conflict:
        mail_texts.save(page, template, language, by=request.member, **form.cleaned_data)
        return redirect(f"{address}?lang_of_mail={language}&saved=1")
    context = {
        "section": "pages",
        "page": page,
        "back_url": f"/app/pages/{page.pk}#mails",
        "heading": NAMES[template],
        "form": form,
        "seen": seen(stored),
        "conflict": conflict,
        "saved": "saved" in request.GET and not form.is_bound,
        "tabs": [
            {"label": label, "url": f"{address}?lang_of_mail={code}", "current": code == language}
            for code, label in LANGUAGES.items()
        ],
        "variables": [{"name": f"{{{name}}}", "means": MEANINGS[name]} for name in VARIABLES],
        "preview_url": f"{address}/preview?lang_of_mail={language}",
    }
    return render(request, "dashboard/page_mail.html", context, status=422 if form.errors or conflict else 200)


def _conflict(form: WordsForm, stored: Facts) -> list[Context]:
    """Where what somebody else saved meanwhile differs from what was typed."""
    typed = {name: str(form[name].value() or "") for name in form.fields}
    labels = {name: str(form[name].label) for name in form.fields}
    return differences(*({labels[name]: facts.get(name, "") for name in labels} for facts in (stored, typed)))


@xframe_options_sameorigin
@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def preview(request: MemberRequest, pk: int, template: str) -> HttpResponse:
    """The mail as it would look, with what is typed; nothing is kept."""
    page, language = editable(request.member, pk), _language(request)
    if template not in NAMES:
        raise Http404
    words = mail_texts.own(page, template, language)
    if request.method == "POST":
        words = {"subject": request.POST.get("subject", "")[:200], "text": request.POST.get("text", "")[:5000]}
    return shown(mail_samples.sample(page, template, language, utcnow(), **words))


def shown(mail: Rendered) -> HttpResponse:
    """A mail as a page for a frame of this site: it may have its own style, and nothing else."""
    subject = f'<p class="muted">{_("Subject")}: {escape(mail.subject)}</p>'
    response = HttpResponse(mail.html.replace('<main class="sheet">', f'<main class="sheet">{subject}', 1))
    response._csp_replace = {"style-src": ["'unsafe-inline'"], "frame-ancestors": ["'self'"]}  # type: ignore[attr-defined]
    return response


def _language(request: MemberRequest) -> str:
    asked = request.GET.get("lang_of_mail", "")
    return asked if asked in LANGUAGES else get_language() or "en"
