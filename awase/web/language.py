"""Which language a screen speaks: the one asked for in the address, the cookie, the member's own, the browser's."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

KNOWN = {code for code, _ in settings.LANGUAGES}


class LanguageMiddleware:
    """`?lang=ja` chooses and is remembered in a cookie, so that the switch is a plain link without script. A page
    inside another site's speaks the language of that site, which is no choice of the guest's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.GET.get("lang", "")
        language = asked if asked in KNOWN else self._remembered(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", language)
        if asked in KNOWN and "embed" not in request.GET:
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                asked,
                max_age=365 * 24 * 3600,
                samesite="Lax",
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=True,
            )
        return response

    @staticmethod
    def _remembered(request: HttpRequest) -> str:
        cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if cookie in KNOWN:
            return cookie
        if request.user.is_authenticated and request.user.language in KNOWN:
            return request.user.language
        return translation.get_language_from_request(request)
