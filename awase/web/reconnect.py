"""Behind a reconnect link: straight on to the consent of the account, for the member whose account it is."""

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from awase.services import reconnect_link, words
from awase.services.health import standing_of
from awase.services.reconnect_link import LinkProblem
from awase.web.shell import utcnow


@require_GET
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Lead on, by way of the log-in where nobody is logged in; nobody reconnects for somebody else."""
    try:
        link = reconnect_link.follow(token, utcnow())
    except LinkProblem as problem:
        context = {"expired": problem.expired}
        return render(request, "public/reconnect_problem.html", context, status=410 if problem.expired else 404)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if request.user.pk != link.member.user_id:
        return render(request, "public/reconnect_problem.html", {"other": True}, status=403)
    credential = link.credential
    details = f"/app/connections/{credential.service}"
    _standing, reason = standing_of(credential, utcnow())
    if reason is None or not reason.needs_person:
        values = {"service": words.service_name(credential.service), "account": credential.account_email}
        messages.info(request, _("%(service)s (%(account)s) need not be reconnected at the moment.") % values)
        return redirect(details)
    return redirect(f"{details}/connect?connection={link.pk}")
