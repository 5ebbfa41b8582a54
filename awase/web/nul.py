"""Addresses and cookies with a NUL, which no browser of a person sends and PostgreSQL does not store, are refused."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse


class NulMiddleware:
    """Answers 400 to them, before anything is looked up. What stands in forms is for the forms to refuse."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/"):
            return self.get_response(request)  # it says itself what is wrong with what it was sent
        query, cookies = request.META.get("QUERY_STRING", ""), request.META.get("HTTP_COOKIE", "")
        if "\x00" in request.path_info or "%00" in query or "\x00" in query or "\\000" in cookies:
            raise BadRequest("NUL in an address or a cookie")
        return self.get_response(request)
