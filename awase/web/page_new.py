"""The first step of a new page."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from awase.models import BookingPage, Member
from awase.services import pages
from awase.web.shell import MemberRequest, for_members, utcnow


class NewPageForm(forms.Form):
    """The first step of a new page: a title is enough."""

    title = forms.CharField(max_length=120, label=gettext_lazy("Title"))
    slug = forms.SlugField(
        max_length=80,
        required=False,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("The last part of the page's address, in Latin letters. Left empty, one is made."),
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


@for_members
def new_page(request: MemberRequest) -> HttpResponse:
    """A new page of the viewer's own."""
    form = NewPageForm(request.POST or None, member=request.member)
    if request.method == "POST" and form.is_valid():
        page = pages.create(
            request.member, title=form.cleaned_data["title"], slug=form.cleaned_data["slug"], now=utcnow()
        )
        messages.success(request, _("The booking page is made. Its address stands below."))
        return redirect(f"/app/pages/{page.pk}")
    section = {
        "id": "new",
        "heading": _("Basics"),
        "url": "/app/pages/new",
        "form": form,
        "template": "dashboard/_section_form.html",
        "button": _("Create the page"),
    }
    context = {
        "section": "pages",
        "heading": _("New booking page"),
        "sections": [section],
        "back_url": "/app/pages",
        "back": _("All booking pages"),
    }
    return render(request, "dashboard/one_form.html", context, status=400 if form.errors else 200)
