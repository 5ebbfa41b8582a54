"""Long lists, a sheet at a time."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from awase.web.shell import Context

A_SHEET = 50
Row = TypeVar("Row")


def sheet(
    request: HttpRequest, found: Sequence[Row] | QuerySet[Any, Row], kept: Mapping[str, str]
) -> tuple[list[Row], Context]:
    """The rows of the sheet that the address asks for (`page`), of rows in a fixed order, and the way to the other
    sheets (templates/components/pager.html; {} where there are none). `kept`: what was searched."""
    shown = Paginator(found, A_SHEET).get_page(request.GET.get("page"))
    if not shown.has_other_pages():
        return list(shown), {}
    query = urlencode({name: value for name, value in kept.items() if value})
    address = f"{request.path}?{query}&page=" if query else f"{request.path}?page="
    place = {"first": shown.start_index(), "last": shown.end_index(), "count": shown.paginator.count}
    return list(shown), {
        "text": _("%(first)d–%(last)d of %(count)d") % place,
        "number": str(shown.number),
        "previous_url": f"{address}{shown.previous_page_number()}" if shown.has_previous() else "",
        "next_url": f"{address}{shown.next_page_number()}" if shown.has_next() else "",
    }
