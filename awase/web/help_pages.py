"""ヘルプ in the product: short pages in both languages, linked from where their question arises."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.http import require_safe

from awase.web.shell import member_of

TOPICS = {
    "first-steps": gettext_lazy("First steps"),
    "connection-errors": gettext_lazy("Connection errors and stopped pages"),
    "calendars": gettext_lazy("Calendars: what is read, what is written"),
    "pages": gettext_lazy("Booking pages: who takes part, and when"),
    "team": gettext_lazy("Team, roles and leaving"),
    "security": gettext_lazy("Password, two-factor authentication, log-ins"),
    "webhooks": gettext_lazy("Webhooks and chat"),
    "mail": gettext_lazy("When mails do not arrive"),
}


def _frame(request: HttpRequest, name: str = "") -> dict[str, object]:
    member = member_of(request)
    if member is not None:
        request.member = member  # type: ignore[attr-defined]  # whoever is logged in keeps the dashboard's frame
    return {
        "frame": "base_dashboard.html" if member else "base_public.html",
        "topics": [
            {"name": topic, "label": label, "url": f"/help/{topic}", "current": topic == name}
            for topic, label in TOPICS.items()
        ],
    }


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All topics."""
    return render(request, "help/index.html", _frame(request))


@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One topic, in the reader's language."""
    if name not in TOPICS:
        raise Http404
    language = "ja" if get_language() == "ja" else "en"
    context = {**_frame(request, name), "heading": TOPICS[name], "text": f"help/{name}.{language}.html"}
    return render(request, "help/page.html", context)
