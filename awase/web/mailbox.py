"""The demo's built-in mailbox."""

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from awase.models import SentMail
from awase.web.shell import MemberRequest, for_members, local

MOST_SHOWN = 200


@require_GET
@for_members
def mailbox(request: MemberRequest) -> HttpResponse:
    """All mails that the demo would have sent, newest first."""
    _only_in_the_demo()
    mails = [
        {
            "url": f"/app/mailbox/{mail.pk}",
            "to": mail.recipients,
            "subject": mail.subject,
            "when": local(mail.sent_at, request.member),
        }
        for mail in SentMail.objects.all()[:MOST_SHOWN]
    ]
    return render(request, "dashboard/mailbox.html", {"mails": mails})


@require_GET
@for_members
def mail(request: MemberRequest, pk: int) -> HttpResponse:
    """One mail, as text."""
    _only_in_the_demo()
    kept = get_object_or_404(SentMail, pk=pk)
    shown = {
        "subject": kept.subject,
        "sender": kept.sender,
        "to": kept.recipients,
        "when": local(kept.sent_at, request.member),
        "text": kept.text,
        "attachments": [{"name": "invite.ics", "url": f"/app/mailbox/{pk}/invite.ics"}] if kept.attachment else [],
    }
    return render(request, "dashboard/mail.html", {"mail": shown, "back_url": "/app/mailbox"})


@require_GET
@for_members
def attachment(request: MemberRequest, pk: int) -> HttpResponse:
    """The calendar part of a mail."""
    _only_in_the_demo()
    kept = get_object_or_404(SentMail, pk=pk)
    return HttpResponse(
        kept.attachment,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="invite.ics"'},
    )


def _only_in_the_demo() -> None:
    if not settings.AWASE_DEMO:
        raise Http404
