"""Everything that can go wrong under /api/, as problem details (RFC 9457): what happened and what to do.

The `code` of a problem never changes its meaning; title and detail are for people, in the caller's language.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from pydantic import BaseModel

from awase.services.refusals import Refused

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 50  # named in one answer


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem. `detail` may hold placeholders that the occurrence fills in."""

    status: int
    title: Promise
    detail: Promise


KINDS = {
    "malformed": Kind(
        400, _("The body is not JSON."), _("Send one JSON object in UTF-8, with Content-Type: application/json.")
    ),
    "bad_request": Kind(400, _("The request cannot be understood."), _("Correct the request and send it again.")),
    "not_authenticated": Kind(
        401,
        _("No valid API key was sent, and nobody is logged in."),
        _("Send “Authorization: Bearer awase_…” with a key that has not been ended, or log in."),
    ),
    "csrf": Kind(
        403,
        _("The request carries a log-in but no proof that your page sent it."),
        _("Send the value of the cookie “csrftoken” in the header X-CSRFToken, or use an API key."),
    ),
    "missing_scope": Kind(
        403, _("The key may not do this."), _("Use a key with the scope %(scope)s; a key's scopes cannot be changed.")
    ),
    "forbidden": Kind(
        403,
        _("You may see this, but not do it."),
        _("Ask a host of the booking, the owner of the page, or an admin."),
    ),
    "not_found": Kind(
        404,
        _("There is nothing here that you may see."),
        _("Check the address; lists hold everything that is visible to the member whose key this is."),
    ),
    "method_not_allowed": Kind(
        405, _("This address does not know the method."), _("Use one of the methods in the header Allow.")
    ),
    "not_accepting": Kind(
        409,
        _("The page takes no bookings at the moment. Nothing was booked."),
        _("Read the page for the reason and what cures it; it opens by itself once it is repaired."),
    ),
    "slot_gone": Kind(
        409,
        _("This start is not offered any more. Nothing was booked."),
        _("Read the page's slots again and offer another one."),
    ),
    "location_gone": Kind(
        409,
        _("This location cannot be had at that start. Nothing was booked."),
        _("Read the page's slots again and choose among the locations of the slot."),
    ),
    "length_unknown": Kind(
        409,
        _("The page does not offer this length. Nothing was booked."),
        _("Read the page again and choose one of its durations."),
    ),
    "link_used": Kind(
        409,
        _("This one-time link was used already, or has run out. Nothing was booked."),
        _("Ask for another link."),
    ),
    "already_cancelled": Kind(
        409, _("The booking has been cancelled already."), _("You need not do anything: its time is free.")
    ),
    "over": Kind(409, _("The booking is over."), _("What lies in the past can no longer be changed.")),
    "not_allowed": Kind(
        409,
        _("The page does not let guests do this."),
        _("Ask the host to do it."),
    ),
    "too_late": Kind(409, _("The deadline for this has passed."), _("Ask the host to do it.")),
    "reason_missing": Kind(409, _("The page asks for a reason."), _("Send the request again with a reason.")),
    "not_waiting": Kind(
        409,
        _("This is no request that waits for an answer."),
        _("Read the booking again: it was answered already, or has lapsed."),
    ),
    "host_unfit": Kind(
        409,
        _("This member cannot take the booking. Nothing was changed."),
        _("Choose a member of the page who is free then, and whose accounts work."),
    ),
    "not_started": Kind(409, _("The booking has not begun yet."), _("Mark who did not come once it has begun.")),
    "not_held": Kind(
        409,
        _("So much of the page is held already that this start was not held."),
        _("Book without holding it, as long as it is free."),
    ),
    "changed": Kind(
        409,
        _("Somebody else has changed this at the same moment. Nothing was changed."),
        _("Read it again, and repeat the request if it still fits."),
    ),
    "too_large": Kind(413, _("The body is too large."), _("Send less than 1 MB.")),
    "invalid": Kind(
        422,
        _("The request does not have the form that is documented. Nothing was changed."),
        _("Correct what “errors” lists and send it again."),
    ),
    "idempotency_key_reused": Kind(
        422,
        _("This Idempotency-Key was sent before with another request. Nothing was booked."),
        _("Draw a new key for every new request; repeat a request unchanged under its key."),
    ),
    "too_many_requests": Kind(
        429, _("Too many requests."), _("Wait for the number of seconds in the header Retry-After.")
    ),
    "internal": Kind(
        500,
        _("Something went wrong here; it was logged."),
        _("Try again later; if it stays, tell the operator the time and the address."),
    ),
}
# The operations call a whole body and a whole query so; callers do not know these names.
ARGUMENTS = (["sent"], ["asked"])


class FieldProblem(BaseModel):
    """One thing that is wrong with the request."""

    location: str  # body, query, path or header
    field: str  # dotted; "" for the whole
    code: str
    message: str


class ProblemDetails(BaseModel):
    """What happened and what to do (RFC 9457). Programs go by the code."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem]


class Problem(Exception):
    """Raised anywhere in the API to answer with a problem."""

    def __init__(
        self,
        code: str,
        *,
        errors: list[FieldProblem] | None = None,
        headers: Mapping[str, str] | None = None,
        **values: str,
    ) -> None:
        super().__init__(code)
        self.code, self.errors, self.headers, self.values = code, errors or [], headers or {}, values


def invalid(location: str, field: str, message: str) -> Problem:
    """One field whose form is right and whose value cannot be."""
    return Problem("invalid", errors=[FieldProblem(location=location, field=field, code="value", message=message)])


def respond(
    code: str,
    errors: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
    values: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer for one problem."""
    kind = KINDS[code]
    details = ProblemDetails(
        type=f"{settings.AWASE_URL}/api/v1/docs#{code}",
        title=str(kind.title),
        status=kind.status,
        detail=str(kind.detail) % (values or {}),
        code=code,
        errors=errors or [],
    )
    response = JsonResponse(details.model_dump(), status=kind.status, content_type=MEDIA_TYPE)
    return private(response, headers)


def private(response: HttpResponse, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Answers are for the caller alone, and in the caller's language."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Language"] = get_language() or settings.LANGUAGE_CODE
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def register(api: NinjaAPI) -> None:
    """Answer every exception that an operation may raise."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        Problem: lambda request, error: respond(error.code, error.errors, error.headers, error.values),
        Refused: lambda request, error: respond(error.refusal.value),
        ValidationError: lambda request, error: respond(
            "invalid", [_field(item) for item in error.errors[:MOST_ERRORS]]
        ),
        HttpError: lambda request, error: respond("malformed"),  # ninja's own: a body that is not JSON
        ObjectDoesNotExist: lambda request, error: respond("not_found"),
        Http404: lambda request, error: respond("not_found"),
        PermissionDenied: lambda request, error: respond("forbidden"),
        RequestDataTooBig: lambda request, error: respond("too_large"),
        SuspiciousOperation: lambda request, error: respond("bad_request"),
        Exception: _unforeseen,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _field(item: Mapping[str, Any]) -> FieldProblem:
    """One of pydantic's errors."""
    location, *path = item["loc"]
    names = [str(part) for part in path[path[:1] in ARGUMENTS :]]
    return FieldProblem(location=str(location), field=".".join(names), code=item["type"], message=item["msg"])


def _unforeseen(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    got_request_exception.send(sender=None, request=request)
    return respond("internal")


def answering(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """What a view answers beside its operations becomes a problem too: the wrong method, no such address."""

    @csrf_exempt
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return respond("not_found")
        if response.status_code == 405:
            return respond("method_not_allowed", headers={"Allow": response.headers["Allow"]})
        return response

    return answered
