"""メール in the settings of the instance's owner: what is configured, and a test mail."""

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from awase.services import mailserver
from awase.services.mailserver import Outcome
from awase.web.settings_frame import frame
from awase.web.shell import Context, MemberRequest, for_members, utcnow

WORDS = {
    Outcome.SENT: (gettext_lazy("The mail server took the test mail."), gettext_lazy("Look into your mailbox.")),
    Outcome.NO_SERVER: (
        gettext_lazy("The mail server cannot be reached."),
        gettext_lazy("Check AWASE_SMTP_HOST and AWASE_SMTP_PORT, and whether a firewall stands between."),
    ),
    Outcome.LOG_IN: (
        gettext_lazy("The mail server refuses the log-in."),
        gettext_lazy("Check AWASE_SMTP_USER and AWASE_SMTP_PASSWORD; some servers want an app password."),
    ),
    Outcome.ENCRYPTION: (
        gettext_lazy("The connection to the mail server could not be encrypted."),
        gettext_lazy("Check AWASE_SMTP_TLS and the port: 587 goes with TLS."),
    ),
    Outcome.SENDER: (
        gettext_lazy("The mail server does not let Awase send from this address."),
        gettext_lazy("Set AWASE_MAIL_FROM to an address that may send there."),
    ),
    Outcome.RECIPIENT: (
        gettext_lazy("The mail server does not take mails to your address."),
        gettext_lazy("Check your address, and whether the server sends to other domains."),
    ),
    Outcome.OTHER: (
        gettext_lazy("The mail server answered with an error."),
        gettext_lazy("Its words below say more; mails are tried again by themselves."),
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def show(request: MemberRequest) -> HttpResponse:
    """What is set, and on a POST what became of a test mail."""
    if not request.member.user.owns_instance:
        raise PermissionDenied
    result: Context | None = None
    if request.method == "POST":
        answer = mailserver.send_test(request.member.user, utcnow())
        what, advice = WORDS[answer.outcome]
        sent = answer.outcome is Outcome.SENT
        result = {"kind": "ok" if sent else "danger", "what": what, "advice": advice, "said": answer.said}
    context = {
        **frame(request, "mail"),
        "server": mailserver.described(),
        "to": request.member.user.email,
        "result": result,
        "kept_here": settings.AWASE_DEMO,
    }
    return render(request, "settings/mail.html", context)
