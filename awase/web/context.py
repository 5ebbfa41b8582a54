"""What every template may read."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from awase.services import accounts
from awase.web import kept_form
from awase.web.shell import KEPT, live, member_of, utcnow


def shell(request: HttpRequest) -> dict[str, Any]:
    """The frame's own values; the banner and the numbers only on dashboard screens."""
    context: dict[str, Any] = {
        "demo": settings.AWASE_DEMO,
        "signup_open": lambda: not accounts.anybody_there(),  # asked only where a template reads it
        "languages": [
            {"code": code, "label": label, "current": code == get_language()} for code, label in settings.LANGUAGES
        ],
    }
    member = getattr(request, "member", None)
    if member is None and request.path.startswith("/accounts/"):
        member = member_of(request)  # allauth's own screens
    if member is not None:
        if request.method == "GET" and KEPT in request.session:
            context["kept"] = kept_form.of(request, member)
        context |= {
            "viewer": {"name": member.name, "email": member.user.email},
            "workspaces": [
                {"name": one.workspace.name, "value": one.pk, "current": one.pk == member.pk}
                for one in sorted(getattr(request, "memberships", ()), key=lambda one: one.workspace.name)
            ],
            **live(member, utcnow()),
        }
    return context
