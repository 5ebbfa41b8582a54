"""Public profiles of a workspace and of its members, and the screen on which a member writes their own."""

from collections.abc import Iterable

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from awase.domain.gate import evaluate
from awase.models import BookingPage, Member, Workspace
from awase.services import profiles, rich_text, words
from awase.services.health import page_values
from awase.web import guest
from awase.web.guest import Context
from awase.web.lengths import length
from awase.web.shell import MemberRequest, for_members

LONGEST_EXCERPT = 90  # signs of a page's description in the list


@require_safe
def workspace(request: HttpRequest, workspace_slug: str) -> HttpResponse:
    """A workspace with its pages, and the members who have a profile."""
    found = get_object_or_404(Workspace, slug=workspace_slug)
    people = [
        {"name": words.person(member.name), "url": guest.link(request, address(found, member.slug))}
        for member in profiles.members_of(found)
    ]
    context = {
        "profile": {"name": found.name, "letter": guest.letter(found.name), "text": "", "org": None},
        "pages": _entries(request, profiles.pages_of(found)),
        "people": people,
        "style_url": guest.style_url(found.accent),
        "logo_url": guest.logo_url(found),
    }
    return guest.show(request, "public/profile.html", context)


@require_safe
def member(request: HttpRequest, workspace_slug: str, member_slug: str) -> HttpResponse:
    """A member with the pages on which they can be booked."""
    found = profiles.member_at(workspace_slug, member_slug)
    if found is None:
        raise Http404
    team = found.workspace
    org = {"name": team.name, "url": guest.link(request, reverse("profile", args=(team.slug,)))}
    context = {
        "profile": {"name": found.name, "letter": guest.letter(found.name), "text": found.about, "org": org},
        "pages": _entries(request, profiles.pages_with(found), found),
        "people": [],
        "style_url": guest.style_url(team.accent),
        "logo_url": "",
    }
    return guest.show(request, "public/profile.html", context)


def address(workspace: Workspace, slug: str) -> str:
    """Where the profile of a member is."""
    return reverse("member_profile", args=(workspace.slug, slug))


def _entries(request: HttpRequest, found: Iterable[BookingPage], member: Member | None = None) -> list[Context]:
    """The pages in a list; where guests choose the person, this member is chosen for them."""
    pages = list(found)
    values = page_values(pages, timezone.now())
    entries = []
    for page in pages:
        value = values[page.pk]
        verdict = evaluate(value)
        places = [place for place in value.locations if place.id in verdict.offered]
        chosen = str(member.pk) if member and guest.guests_choose(page) else None
        entries.append(
            {
                "title": page.title,
                "url": guest.link(request, guest.address("booking_page", page), host=chosen),
                "text": Truncator(rich_text.plain(page.description)).chars(LONGEST_EXCERPT),
                "facts": [
                    " / ".join(length(minutes) for minutes in guest.lengths(page)),
                    *([guest.place_point(places)["text"]] if places else []),
                ],
                "open": page.accepting and verdict.open,
            }
        )
    return entries


class ProfileForm(forms.Form):
    """A member's own profile."""

    slug = forms.SlugField(
        max_length=60,
        required=False,
        label=gettext_lazy("Address of your profile"),
        help_text=gettext_lazy("Letters, digits and hyphens. Left empty, you have no public profile."),
    )
    about = forms.CharField(
        max_length=1000,
        required=False,
        label=gettext_lazy("About you"),
        help_text=gettext_lazy("Guests read it on your profile."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )


@require_http_methods(["GET", "POST"])
@for_members
def edit(request: MemberRequest) -> HttpResponse:
    """A member's own public profile: its address and a few words."""
    member = request.member
    form = ProfileForm(request.POST or None, initial={"slug": member.slug, "about": member.about})
    if request.method == "POST" and form.is_valid():
        try:
            profiles.save(member, **form.cleaned_data)
        except profiles.AddressTaken:
            form.add_error("slug", _("Another member has this address. Choose another one."))
        else:
            return redirect("/app/profile?saved=1")
    base = f"{settings.AWASE_URL}/{member.workspace.slug}/@"
    context = {
        "form": form,
        "base": base,
        "url": f"{base}{member.slug}" if member.slug else "",
        "saved": "saved" in request.GET and not form.is_bound,
    }
    return render(request, "dashboard/profile.html", context, status=422 if form.errors else 200)
