"""What no browser of a person sends is refused before anything of it is kept or looked up: a body larger than that of
any form, whose files would be written to the disk first, and a NUL, which PostgreSQL does not store."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

MOST_BYTES = 64 * 1024 * 1024  # far beyond the largest form, which says itself when its files are too large


class BoundsMiddleware:
    """Answers 413 and 400. What stands in forms is for the forms to refuse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
            return HttpResponse(get_template("400.html").render(), status=413)
        # The API says itself what is wrong with the rest.
        if not request.path_info.startswith("/api/") and _has_nul(request):
            raise BadRequest("NUL in an address or a cookie")
        return self.get_response(request)


def _has_nul(request: HttpRequest) -> bool:
    query, cookies = request.META.get("QUERY_STRING", ""), request.META.get("HTTP_COOKIE", "")
    return "\x00" in request.path_info or "%00" in query or "\x00" in query or "\\000" in cookies
