"""Measures for monitoring in Prometheus' text format. Only this machine may read them, or who knows the token."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET

from awase.services.metrics import Metric, collect
from awase.web.shell import utcnow

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything at one address; to others it does not exist."""
    if not _allowed(request):
        return HttpResponse(status=404)
    return HttpResponse("".join(map(as_text, collect(utcnow()))), content_type=CONTENT_TYPE)


def _allowed(request: HttpRequest) -> bool:
    """With a token in the settings, who sends it; else who sits on this machine and came by no proxy."""
    if settings.AWASE_METRICS_TOKEN:
        return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {settings.AWASE_METRICS_TOKEN}")
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def as_text(metric: Metric) -> str:
    """One family in the text format (prometheus.io, exposition formats)."""
    lines = [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
    for labels, value in metric.samples:
        shown = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        lines.append(f"{metric.name}{{{shown}}} {value:g}" if shown else f"{metric.name} {value:g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
