"""What the services call by themselves: verified, taken in, answered at once; the work follows in a check.

Whatever is not to be believed gets a 4xx and changes nothing. These addresses know no session and no cookie.
"""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from awase.services import push

LONGEST_TOKEN = 2_000


def _answer(taken: bool) -> HttpResponse:
    return HttpResponse(status=202 if taken else 403)


@csrf_exempt
@require_POST
def google(request: HttpRequest) -> HttpResponse:
    """A message of a Google channel: all of it is in the headers."""
    return _answer(push.take_google(request.headers, datetime.now(UTC)))


@csrf_exempt
@require_POST
def microsoft(request: HttpRequest) -> HttpResponse:
    """Messages of Graph subscriptions; or the handshake, in which Graph wants its own word back as plain text."""
    token = request.GET.get("validationToken")
    if token is not None and len(token) <= LONGEST_TOKEN:
        return HttpResponse(token, content_type="text/plain; charset=utf-8")
    return _answer(push.take_graph(request.body, datetime.now(UTC)))


@csrf_exempt
@require_POST
def zoom(request: HttpRequest) -> HttpResponse:
    """An event of Zoom, or its handshake."""
    answer = push.take_zoom(request.headers, request.body, datetime.now(UTC))
    return HttpResponse(status=403) if answer is None else JsonResponse(answer)
