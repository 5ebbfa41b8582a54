"""A guest asks to be told when a stopped page takes bookings again."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from awase.models import BookingPage
from awase.services import openings
from awase.web import guest, limits
from awase.web.access import of_page
from awase.web.booking_form import mail_field

ASKED_AN_HOUR = 10  # by one client, on all pages


class WishForm(forms.Form):
    """Where to write to."""

    email = mail_field()


# No cookie is set for guests, so there is none to check a form against; limits keep it from being abused.
@csrf_exempt
@require_POST
@of_page
def tell_when_open(request: HttpRequest, page: BookingPage) -> HttpResponse:
    """Keep the address for one mail; on to the page itself if it has opened meanwhile."""
    form = WishForm(request.POST)
    if not form.is_valid():
        return guest.stopped(request, page, status=422, form=form)
    if limits.exceeded(request, "tell", ASKED_AN_HOUR):
        return limits.too_many(request)
    waits = openings.ask(page, form.cleaned_data["email"], get_language() or "en", timezone.now())
    address = guest.link(request, guest.address("booking_page", page), **({"told": "1"} if waits else {}))
    return HttpResponse(status=303, headers={"Location": address})
