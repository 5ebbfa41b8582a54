"""REST API v1, mounted at /api/v1/."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, re_path
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from awase.api import booking_changes, bookings, connections, holds, pages, problems, webhooks
from awase.api.access import SECURITY_SCHEMES
from awase.api.docs import ServerRendered

DESCRIPTION = """\
Everything a program needs to offer times, take bookings and watch over connections.

Every moment is RFC 3339 with its offset; unknown fields are refused; every error is a problem (RFC 9457).
Lists come in parts: ask again with “cursor” set to “next” until that is null."""


class Api(NinjaAPI):
    """Ninja, with a problem for whatever its own views answer beside the operations."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app, namespace = super().urls
        wrapped: list[URLResolver | URLPattern] = [
            URLPattern(known.pattern, problems.answering(known.callback), known.default_args, known.name)
            for known in patterns
            if isinstance(known, URLPattern)
        ]
        return [*wrapped, re_path("", problems.answering(_nothing))], app, namespace

    def create_response(self, request: HttpRequest, data: Any, **kwargs: Any) -> HttpResponse:
        return problems.private(super().create_response(request, data, **kwargs))

    def get_openapi_schema(self, **kwargs: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**kwargs)
        details = problems.ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["schemas"] |= {**details.pop("$defs"), "ProblemDetails": details}
        schema["components"]["securitySchemes"] = SECURITY_SCHEMES
        return schema

    def get_openapi_operation_id(self, operation: Any) -> str:
        return str(operation.view_func.__name__)


def _nothing(request: HttpRequest) -> HttpResponse:
    raise Http404


api = Api(
    title="Awase",
    version="1.0.0",
    description=DESCRIPTION,
    urls_namespace="api-v1",
    docs=ServerRendered(),
    docs_decorator=require_safe,
)
problems.register(api)
api.add_router("pages", pages.router)
api.add_router("", bookings.router)
api.add_router("", booking_changes.router)
api.add_router("", holds.router)
api.add_router("connections", connections.router)
api.add_router("webhooks", webhooks.router)
