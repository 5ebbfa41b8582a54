"""Webhook in the settings: endpoints of programs and chats, their secrets, the delivery log, and telling again."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from awase.domain.permissions import Act
from awase.models import Effect, EffectState, Member, WebhookEndpoint
from awase.models.webhook import EndpointKind
from awase.services import webhooks
from awase.services.permissions import require
from awase.services.webhooks import CHAT_EVENTS, AddressRefused, Event
from awase.web.paging import sheet
from awase.web.settings_frame import frame
from awase.web.shell import Context, MemberRequest, for_members, local, utcnow

MOST_ENDPOINTS = 20
KINDS = {
    EndpointKind.SIGNED: gettext_lazy("A program (signed)"),
    EndpointKind.CHAT: gettext_lazy("A chat like Slack"),
}
EVENTS = {
    Event.BOOKING_REQUESTED: gettext_lazy("A booking is requested"),
    Event.BOOKING_CONFIRMED: gettext_lazy("A booking is confirmed"),
    Event.BOOKING_RESCHEDULED: gettext_lazy("A booking is moved"),
    Event.BOOKING_CANCELLED: gettext_lazy("A booking is cancelled"),
    Event.BOOKING_REASSIGNED: gettext_lazy("A booking gets another host"),
    Event.BOOKING_NO_SHOW: gettext_lazy("A guest did not come"),
    Event.PAGE_STOPPED: gettext_lazy("A page stops"),
    Event.PAGE_OPENED: gettext_lazy("A page opens again"),
    Event.CONNECTION_ERROR: gettext_lazy("A connection error"),
    Event.CONNECTION_RESTORED: gettext_lazy("A connection works again"),
}
STATES = {
    EffectState.PENDING: ("warn", gettext_lazy("Waiting")),
    EffectState.RUNNING: ("warn", gettext_lazy("Under way")),
    EffectState.PARKED: ("warn", gettext_lazy("Waiting")),
    EffectState.DONE: ("ok", gettext_lazy("Delivered")),
    EffectState.FAILED: ("danger", gettext_lazy("Given up")),
}


class EndpointForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Who is told"), widget=forms.RadioSelect, choices=list(KINDS.items()))
    address = forms.URLField(
        max_length=1000,
        assume_scheme="https",
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("For a chat the address of its incoming webhook. It is kept secret."),
    )
    events = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("What is told"),
        help_text=gettext_lazy("Nothing ticked: everything. A chat hears of pages and connections only."),
        widget=forms.CheckboxSelectMultiple,
        choices=list(EVENTS.items()),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        chosen = set(cleaned.get("events") or ())
        if cleaned.get("kind") == EndpointKind.CHAT and chosen and not chosen & set(CHAT_EVENTS):
            self.add_error("events", _("A chat hears of pages and connections only. Tick one of these, or none."))
        return cleaned


def _endpoints(member: Member) -> QuerySet[WebhookEndpoint]:
    require(member, Act.CHANGE_WEBHOOKS, member.workspace)
    return WebhookEndpoint.objects.filter(workspace=member.workspace).select_related("workspace").order_by("pk")


def _one(request: MemberRequest, pk: int) -> WebhookEndpoint:
    return get_object_or_404(_endpoints(request.member), pk=pk)


def _badge(endpoint: WebhookEndpoint) -> Context:
    if not endpoint.active:
        return {"kind": "danger" if endpoint.failing_since else "neutral", "label": _("Switched off")}
    if endpoint.failing_since:
        return {"kind": "warn", "label": _("Does not answer")}
    return {"kind": "ok", "label": _("On")}


def _facts(endpoint: WebhookEndpoint) -> list[str]:
    told = [str(EVENTS[Event(event)]) for event in endpoint.events]
    return [str(KINDS[EndpointKind(endpoint.kind)]), *(told or [_("Everything")])]


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def show(request: MemberRequest) -> HttpResponse:
    """The endpoints, and a form for one more. A signing secret is shown once, right after it was made."""
    member = request.member
    found = list(_endpoints(member))
    form = EndpointForm(request.POST if request.method == "POST" else None, initial={"kind": EndpointKind.SIGNED})
    if form.is_valid() and len(found) >= MOST_ENDPOINTS:
        form.add_error(None, _("There are as many webhooks as there can be; delete one first."))
    if form.is_valid():
        entered = form.cleaned_data
        wanted = {Event(event) for event in entered["events"]}
        try:
            made, secret = webhooks.create(member, EndpointKind(entered["kind"]), entered["address"], wanted, utcnow())
        except AddressRefused:
            form.add_error("address", _("Give a public address that begins with https://."))
        else:
            return _details(request, made, secret=secret, status=201)
    context = {
        **frame(request, "webhooks"),
        "endpoints": [
            {
                "host": one.host,
                "url": f"/app/settings/webhooks/{one.pk}",
                "facts": _facts(one),
                "badges": [_badge(one)],
            }
            for one in found
        ],
        "form": form,
    }
    return render(request, "settings/webhooks.html", context, status=400 if form.errors else 200)


@require_GET
@for_members
def details(request: MemberRequest, pk: int) -> HttpResponse:
    """One endpoint with its log."""
    return _details(request, _one(request, pk))


def _details(request: MemberRequest, endpoint: WebhookEndpoint, *, secret: str = "", status: int = 200) -> HttpResponse:
    deliveries, pager = sheet(request, webhooks.told(endpoint).order_by("-pk"), {})
    address = f"/app/settings/webhooks/{endpoint.pk}"
    context = {
        **frame(request, "webhooks"),
        "host": endpoint.host,
        "badges": [_badge(endpoint)],
        "facts": _facts(endpoint),
        "since": local(endpoint.failing_since, request.member) if endpoint.failing_since else "",
        "active": endpoint.active,
        "secret": secret,
        "new": status == 201,
        "address": address,
        "deliveries": [_delivery(effect, request, address) for effect in deliveries],
        "pager": pager,
    }
    response = render(request, "settings/webhook.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _delivery(effect: Effect, request: MemberRequest, address: str) -> Context:
    kind, label = STATES[EffectState(effect.state)]
    return {
        "what": EVENTS[Event(effect.payload["event"])],
        "when": local(effect.created_at, request.member),
        "badges": [{"kind": kind, "label": label}],
        "attempts": [
            {
                "when": local(attempt.at, request.member),
                "answer": f"HTTP {attempt.status}" if attempt.status else attempt.error or _("no answer"),
            }
            for attempt in effect.webhook_attempts.all()
        ],
        "again_url": f"{address}/deliveries/{effect.pk}/again"
        if effect.state in (EffectState.DONE, EffectState.FAILED)
        else "",
    }


@require_POST
@for_members
def switch(request: MemberRequest, pk: int) -> HttpResponse:
    """On or off."""
    endpoint = _one(request, pk)
    webhooks.set_active(endpoint, request.POST.get("active") == "on", by=request.member)
    return redirect(f"/app/settings/webhooks/{pk}")


@require_POST
@for_members
def delete(request: MemberRequest, pk: int) -> HttpResponse:
    """Take it away with its log."""
    endpoint = _one(request, pk)
    webhooks.delete(endpoint, by=request.member)
    messages.success(request, _("The webhook to %(host)s is deleted.") % {"host": endpoint.host})
    return redirect("/app/settings/webhooks")


@require_POST
@for_members
def redeliver(request: MemberRequest, pk: int, delivery: int) -> HttpResponse:
    """Tell it once more."""
    endpoint = _one(request, pk)
    effect = get_object_or_404(webhooks.told(endpoint), pk=delivery)
    webhooks.redeliver(endpoint, effect, utcnow(), by=request.member)
    messages.success(request, _("It is told once more."))
    return redirect(f"/app/settings/webhooks/{pk}#log")
