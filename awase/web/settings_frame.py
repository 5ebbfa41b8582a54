"""設定: the frame of its screens, which of them the viewer has, and sections saved one by one."""

from collections.abc import Iterable

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from awase.domain.permissions import Act
from awase.services.permissions import may
from awase.web.shell import Context, MemberRequest, for_members

# (name, words, what of the workspace one must be allowed to open it)
SCREENS = (
    ("profile", gettext_lazy("Profile"), None),
    ("notices", gettext_lazy("Notices"), None),
    ("security", gettext_lazy("Security"), None),
    ("workspace", gettext_lazy("Workspace"), Act.CHANGE_WORKSPACE),
    ("branding", gettext_lazy("Branding"), Act.CHANGE_WORKSPACE),
    ("webhooks", gettext_lazy("Webhooks and chat"), Act.CHANGE_WEBHOOKS),
    ("mail", gettext_lazy("Mail"), None),
)


def frame(request: MemberRequest, name: str) -> Context:
    """What every screen of the settings has: the row of screens, the current one marked."""
    member = request.member
    shown = [
        {"label": label, "url": f"/app/settings/{screen}", "current": screen == name}
        for screen, label, act in SCREENS
        if (act is None or may(member, act, member.workspace)) and (screen != "mail" or member.user.owns_instance)
    ]
    heading = next(label for screen, label, _act in SCREENS if screen == name)
    return {"section": "settings", "screens": shown, "heading": heading}


def section(request: MemberRequest, name: str, heading: str, form: forms.Form, **more: object) -> Context:
    """One form of a screen, saved by itself; `?saved=` says which one just was."""
    return {"id": name, "heading": heading, "form": form, "saved": request.GET.get("saved") == name, **more}


def screen(request: MemberRequest, name: str, sections: Iterable[Context], **more: object) -> HttpResponse:
    """A screen made of such sections; 400 if one of them was refused."""
    shown = list(sections)
    wrong = any(one["form"] is not None and one["form"].errors for one in shown)
    context = {**frame(request, name), "sections": shown, **more}
    return render(request, "settings/screen.html", context, status=400 if wrong else 200)


def saved(screen_name: str, section_name: str) -> HttpResponse:
    """Back to the section that was saved."""
    return redirect(f"/app/settings/{screen_name}?saved={section_name}#{section_name}")


@require_GET
@for_members
def index(request: MemberRequest) -> HttpResponse:
    """The first screen."""
    return redirect("/app/settings/profile")
