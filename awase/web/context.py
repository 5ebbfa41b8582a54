"""What every template may read."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"awase_demo": settings.AWASE_DEMO}
