"""Who may see a booking page: everybody, those with its link, those who know its password."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from awase.models import BookingPage
from awase.services import links
from awase.web import guest, limits, manage
from awase.web.booking_form import booked_by

TRIES_AN_HOUR = 20
PASSWORD_LASTS = 30 * 24 * 3600
View = Callable[[HttpRequest, BookingPage], HttpResponse]


def of_page(view: View) -> Callable[..., HttpResponse]:
    """Hand the view the page that the address names, if this guest may see it; in the page's own language unless
    they chose one."""

    @wraps(view)
    def inside(request: HttpRequest, workspace_slug: str, page_slug: str) -> HttpResponse:
        page = guest.find_page(workspace_slug, page_slug)
        with translation.override(_language(request, page)):
            return _barred(request, page) or view(request, page)

    return inside


def _language(request: HttpRequest, page: BookingPage) -> str:
    chosen = "lang" in request.GET or settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    return translation.get_language() or "en" if chosen or not page.language else page.language


def _barred(request: HttpRequest, page: BookingPage) -> HttpResponse | None:
    """What to answer those who may not see the page (yet)."""
    if page.archived_at is not None:
        return guest.stopped(request, page, status=410)
    once = request.GET.get("once", "")
    if not links.admits(page, timezone.now(), link=request.GET.get("link", ""), once=once):
        if not once:
            raise Http404  # nobody learns whether there is such a page
        mine = booked_by(page, request.POST.get("token", ""))  # the form that used the link up, sent again
        return manage.see(request, mine) if mine else link_used(request, page)
    if links.ticket_fits(page, request.COOKIES.get(_cookie(page), "")):
        return None
    if "embed" in request.GET and links.pass_fits(page, request.GET.get("pass", "")):
        return None
    return _ask_password(request, page)


def link_used(request: HttpRequest, page: BookingPage) -> HttpResponse:
    """The page for somebody whose one-time link leads nowhere any more."""
    text = _("This link has been used already, or has run out. Please ask your host for another one.")
    context = {**guest.manner(request, page), "page": guest.title(page), "text": text}
    return guest.show(request, "public/closed.html", context, status=410)


def _cookie(page: BookingPage) -> str:
    return f"awase_page_{page.pk}"


def _ask_password(request: HttpRequest, page: BookingPage) -> HttpResponse:
    context: dict[str, Any] = {**guest.manner(request, page), "page": guest.title(page), "wrong": False}
    given = request.POST.get("page_password")
    if given is not None:
        if limits.exceeded(request, f"password:{page.pk}", TRIES_AN_HOUR):
            return limits.too_many(request)
        if links.password_fits(page, given):
            if "embed" in request.GET:  # where the cookie of another site is not kept
                query = request.GET.dict() | {"pass": links.embed_pass(page)}
                return HttpResponseRedirect(f"{request.path}?{urlencode(query)}")
            response = HttpResponseRedirect(request.get_full_path())
            response.set_cookie(
                _cookie(page),
                links.ticket(page),
                max_age=PASSWORD_LASTS,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
            )
            return response
        context["wrong"] = True
    return guest.show(request, "public/password.html", context, status=403)
