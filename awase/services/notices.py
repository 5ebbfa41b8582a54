"""Who is told what, when: mails about accounts that broke and were repaired (connection-health.md section 9).

A notice is an effect row written in the transaction of its cause. One mail names all pages; a repair takes
back what was not sent yet. Each account has one belief that people were left with (`notice_open`); what
differs from it is told at once, but never more than once an hour, and what then still differs is told when
the hour is over (`catch_up`). Only a repair by hand is told without waiting.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from awase.domain.errors import Reason
from awase.domain.health import Lack, Standing, Verdict
from awase.domain.transition import Cause
from awase.models import (
    BookingPage,
    Connection,
    Credential,
    Effect,
    EffectKind,
    EffectState,
    Member,
    PageChange,
    PageHealth,
    Role,
    WebhookEndpoint,
)
from awase.models.bulk import insert_all
from awase.services import webhooks
from awase.services.health import Renewal, pages_of_members, standing_of, verdicts
from awase.services.webhooks import Event

DAMPING = timedelta(hours=1)
REMINDERS = tuple(timedelta(days=days) for days in (1, 3, 7, 14))  # after the error began
NO_REMINDER = (Reason.UNREACHABLE, Reason.OPERATOR)  # end without a person


class Template(StrEnum):
    """What a notice is about; each has its words in `letters`."""

    ERROR = "connection_error"
    RESTORED = "connection_restored"
    OPENED = "pages_opened"  # without a repair: the account is not needed there any more
    ASK = "reconnect_request"
    ENDS = "connection_ends"
    ALARM = "operator_alarm"
    SECRET_ENDS = "secret_ends"  # noqa: S105 – a template's name
    APPROVAL_ENDS = "approval_ends"
    CHANNELS_END = "channels_end"
    ENDPOINT_OFF = "endpoint_off"


class Kind(StrEnum):
    """The notices that a member may do without (`Member.notices`: {kind: false}). The first mail about one's
    own account, or about one's own page that stopped, always comes."""

    REMINDER = "reminder"
    RESTORED = "restored"
    GOING_ON = "going_on"  # one's page goes on without somebody
    AHEAD = "ahead"  # a permission is about to run out


def wants(member: Member, kind: Kind) -> bool:
    """Whether the member wants notices of this kind."""
    return bool(member.notices.get(kind, True))


@dataclass(slots=True)
class Harm:
    """What an account in trouble does to pages that take bookings otherwise."""

    stopped: list[BookingPage] = field(default_factory=list)
    going_on: list[BookingPage] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.stopped or self.going_on)


def state_changed(
    credential: Credential,
    before: Standing,
    shown: tuple[Standing, Reason | None],
    pages: list[BookingPage],
    renewal: Renewal,
    cause: Cause,
    now: datetime,
) -> None:
    """Write the notices that follow from a change of an account's state, or of one of its calendars."""
    links = list(Connection.objects.filter(credential=credential).select_related("member__user").order_by("pk"))
    if (shown[0] is Standing.ERROR) != (before is Standing.ERROR):
        event = Event.CONNECTION_ERROR if shown[0] is Standing.ERROR else Event.CONNECTION_RESTORED
        for link in links:
            webhooks.tell(link.member.workspace_id, event, link.pk, now, at_once=cause.by_hand)
    harm = _harm(links, pages, renewal.answers)
    _bring_up_to_date(credential, links, pages, shown, harm, now, by_hand=cause.by_hand, grown=bool(renewal.stopped))


def _bring_up_to_date(
    credential: Credential,
    links: list[Connection],
    pages: list[BookingPage],
    shown: tuple[Standing, Reason | None],
    harm: Harm,
    now: datetime,
    *,
    by_hand: bool,
    grown: bool = False,
) -> None:
    """Tell people what they do not know yet: of trouble, of more pages that stopped (`grown`), or that it is over."""
    if shown[1] is Reason.OPERATOR:
        return  # no member is mailed for a fault of ours
    damped = credential.last_notice is not None and now - credential.last_notice < DAMPING
    if shown[0] is Standing.ERROR or harm:
        if damped or (credential.notice_open and not (grown and harm)):
            return
        _take_back(credential)
        if _tell_trouble(credential, links, harm, now):
            _believe(credential, True, now)
    elif credential.notice_open and (by_hand or not damped):
        told = _tell_repair(credential, links, pages, now)
        _believe(credential, False, now if told else None)


def _believe(credential: Credential, broken: bool, last_notice: datetime | None) -> None:
    credential.notice_open, credential.last_notice = broken, last_notice
    credential.reminders_sent = _reminders_due(credential, last_notice) if broken and last_notice else 0
    credential.save(update_fields=["notice_open", "last_notice", "reminders_sent"])


def _harm(links: Iterable[Connection], pages: Iterable[BookingPage], answers: Mapping[int, Verdict]) -> Harm:
    """The pages that these connections stop or that go on without their member, the manual switch being on."""
    ours = {link.pk for link in links}

    def named(lacks: Iterable[Lack]) -> bool:
        return any(lack.error and lack.connection_id in ours for lack in lacks)

    shown = [page for page in pages if page.accepting and page.archived_at is None and page.pk in answers]
    return Harm(
        stopped=[page for page in shown if named(answers[page.pk].stops)],
        going_on=[page for page in shown if answers[page.pk].open and named(answers[page.pk].left_out)],
    )


def _tell_trouble(credential: Credential, links: list[Connection], harm: Harm, now: datetime, number: int = 0) -> bool:
    """One mail to each member of the account, naming all pages, and to the owners of the pages concerned, naming
    theirs; not to those who know all of it. `number`: the reminder's, which is not for those who merely own a page
    that goes on. False if nobody was left to be told."""
    told: dict[int, dict[str, list[int]]] = defaultdict(lambda: {"stopped": [], "going_on": []})
    own = {link.member_id for link in links}
    for name, pages in (("stopped", harm.stopped), ("going_on", harm.going_on)):
        for page in pages:
            for member_id in own | {page.owner_id}:
                told[member_id][name].append(page.pk)
    content: dict[int, dict[str, Any]] = {}
    known = _believers(credential, own | set(told)) if credential.notice_open and not number else {}
    for member in Member.objects.filter(pk__in=own | set(told)):
        if member.pk in known and _all_known(told[member.pk], known[member.pk]):
            continue
        affected = member.pk in own or told[member.pk]["stopped"]
        if number and affected and wants(member, Kind.REMINDER):
            content[member.pk] = {**told[member.pk], "reminder": number}
        elif not number and (affected or wants(member, Kind.GOING_ON)):
            content[member.pk] = told[member.pk]
    _mail(Template.ERROR, credential, content, now)
    return bool(content)


def _all_known(told: Mapping[str, list[int]], known: Mapping[str, Any]) -> bool:
    stopped = set(known["stopped"])
    return stopped.issuperset(told["stopped"]) and stopped.union(known.get("going_on", ())).issuperset(told["going_on"])


def _tell_repair(credential: Credential, links: list[Connection], pages: list[BookingPage], now: datetime) -> bool:
    """One mail to everybody who was left with the news of trouble, with the pages named then; what was not
    sent yet is taken back. False if nobody had been told."""
    _take_back(credential)
    believers = _believers(credential, {link.member_id for link in links} | {page.owner_id for page in pages})
    told = {
        member.pk: {"stopped": believers[member.pk]["stopped"]}
        for member in Member.objects.filter(pk__in=believers)
        if wants(member, Kind.RESTORED)
    }
    _mail(Template.RESTORED, credential, told, now)
    return bool(believers)


def _believers(credential: Credential, candidates: Collection[int]) -> dict[int, Mapping[str, Any]]:
    """Those of the candidates who were left with the news of trouble, each with the pages as they know them."""
    last: dict[int, Mapping[str, Any]] = {}
    for effect in Effect.objects.filter(
        kind=EffectKind.MAIL,
        member__in=candidates,
        state__in=[EffectState.DONE, EffectState.RUNNING],
        payload__credential=credential.pk,
        payload__template__in=[Template.ERROR, Template.RESTORED, Template.OPENED],
    ).order_by("pk"):
        assert effect.member_id is not None
        last[effect.member_id] = effect.payload
    trouble, opened = Template.ERROR.value, Template.OPENED.value
    return {
        pk: known
        for pk, known in last.items()
        if known["template"] == trouble or (known["template"] == opened and known["stopped"])
    }


def use_changed(member: Member, renewal: Renewal, now: datetime) -> None:
    """A member changed by hand what their accounts are used for: the owners of pages that stop by an account in
    trouble, go on without the member, or open although it lasts are told. In that transaction, the accounts being
    locked before the pages were renewed."""
    turned = renewal.stopped + renewal.opened
    for credential in Credential.objects.filter(connections__member=member).order_by("pk"):
        shown = standing_of(credential, now)
        if shown[0] is not Standing.ERROR and not credential.notice_open and not turned:
            continue
        links, pages, harm = _now_harmed(credential, now)
        # The history says by which account, also for what is told when the hour is over.
        by_it = {page.pk for page in harm.stopped}.intersection(page.pk for page in renewal.stopped)
        PageChange.objects.filter(page__in=by_it, at=now, credential=None).update(credential=credential)
        _bring_up_to_date(credential, links, pages, shown, harm, now, by_hand=True, grown=True)
        _tell_opened(credential, member, {link.member_id for link in links}, now)


def disconnected(credential: Credential, member: Member, now: datetime) -> None:
    """A member took their link to the account away; the pages are renewed already, the account is still there. Who
    was told of pages that it stopped hears that they are open."""
    links = set(Connection.objects.filter(credential=credential).values_list("member", flat=True))
    if links:
        _pending(credential).filter(member=member).delete()
    else:
        _take_back(credential)
    _tell_opened(credential, member, links, now)


def _tell_opened(credential: Credential, holder: Member, links: Collection[int], now: datetime) -> None:
    """One mail to each in the holder's workspace who knows of pages that the account stopped and that are open now
    although it was not repaired. Those who have the account themselves (`links`) hear of its repair."""
    if not credential.notice_open:
        return
    colleagues = Member.objects.filter(workspace=holder.workspace_id, left_at=None).exclude(pk__in=links)
    believers = _believers(credential, colleagues.values_list("pk", flat=True))
    named = {pk for known in believers.values() for pk in known["stopped"]}
    open_now = set(BookingPage.objects.filter(pk__in=named, health__open=True).values_list("pk", flat=True))
    told: dict[int, dict[str, Any]] = {}
    for member in colleagues.filter(pk__in=believers):
        known = believers[member.pk]["stopped"]
        if not open_now.isdisjoint(known) and wants(member, Kind.RESTORED):
            told[member.pk] = {
                "opened": [pk for pk in known if pk in open_now],
                "stopped": [pk for pk in known if pk not in open_now],
                "service": credential.service,
                "account": credential.account_email,
            }
    _mail(Template.OPENED, credential, told, now)


def _take_back(credential: Credential) -> None:
    _pending(credential).delete()


def _pending(credential: Credential) -> QuerySet[Effect]:
    return Effect.objects.filter(
        kind=EffectKind.MAIL,
        state=EffectState.PENDING,
        payload__template__in=[Template.ERROR, Template.RESTORED],
        payload__credential=credential.pk,
    )


def _mail(template: Template, credential: Credential, told: Mapping[int, Mapping[str, Any]], now: datetime) -> None:
    insert_all(
        Effect(
            kind=EffectKind.MAIL,
            key=f"mail:{template}:{credential.pk}:{member_id}:{now.timestamp():.6f}",
            member_id=member_id,
            payload={"template": template.value, "credential": credential.pk, **content},
            next_at=now,
        )
        for member_id, content in told.items()
    )


def catch_up(now: datetime) -> None:
    """What could not be told within the hour of the notice before, and still holds. Periodic."""
    told_wrongly = Q(standing=Standing.ERROR, notice_open=False) | (Q(notice_open=True) & ~Q(standing=Standing.ERROR))
    # An account that works may lack something since; with the hour over, whether that harms a page is looked at once.
    calendar_gone = Q(connections__calendars__missing_since__isnull=False)
    calendar_gone |= Q(connections__calendars__unreadable_since__isnull=False)
    lacks = Q(notice_open=False, last_notice__isnull=False) & (~Q(lacking={}) | calendar_gone)
    stopped_since = PageChange.objects.filter(credential=OuterRef("pk"), opened=False, at__gt=OuterRef("last_notice"))
    left_out_since = PageHealth.objects.filter(
        page__page_members__member__connections__credential=OuterRef("pk"),
        page__accepting=True,
        open=True,
        evaluated_at__gt=OuterRef("last_notice"),
    ).exclude(left_out=[])
    grown = Q(notice_open=True) & (Exists(stopped_since) | Exists(left_out_since))
    waited = Q(last_notice=None) | Q(last_notice__lte=now - DAMPING)
    found = Credential.objects.filter(told_wrongly | lacks | grown).filter(waited).exclude(reason=Reason.OPERATOR)
    for pk in found.values_list("pk", flat=True).distinct():
        with transaction.atomic():
            credential = Credential.objects.select_for_update(no_key=True).get(pk=pk)
            links, pages, harm = _now_harmed(credential, now)
            shown = standing_of(credential, now)
            _bring_up_to_date(credential, links, pages, shown, harm, now, by_hand=False, grown=True)
            if not credential.notice_open and credential.last_notice and now - credential.last_notice >= DAMPING:
                _believe(credential, False, None)


def remind(now: datetime) -> None:
    """Reminders after 1, 3, 7 and 14 days, while something needs a person; pages as they are now. Periodic."""
    due = Q()
    for sent, after in enumerate(REMINDERS):
        due |= Q(reminders_sent=sent) & (
            Q(standing=Standing.ERROR, since__lte=now - after)
            | (~Q(standing=Standing.ERROR) & Q(last_notice__lte=now - after))
        )
    due &= Q(last_notice=None) | Q(last_notice__lte=now - DAMPING)
    lasting = Credential.objects.filter(due, notice_open=True).exclude(reason__in=NO_REMINDER)
    for pk in lasting.values_list("pk", flat=True):
        with transaction.atomic():
            credential = Credential.objects.select_for_update().get(pk=pk)
            number = _reminders_due(credential, now)
            links, _pages, harm = _now_harmed(credential, now)
            if number <= credential.reminders_sent or not (credential.standing == Standing.ERROR or harm):
                continue
            credential.reminders_sent = number
            credential.save(update_fields=["reminders_sent"])
            _tell_trouble(credential, links, harm, now, number)


def _reminders_due(credential: Credential, now: datetime) -> int:
    """How many reminders fall into the time since the error began; where the account itself is well, since people
    were told."""
    began = credential.since if credential.standing == Standing.ERROR else credential.last_notice
    return sum(began is not None and began + after <= now for after in REMINDERS)


def _now_harmed(credential: Credential, now: datetime) -> tuple[list[Connection], list[BookingPage], Harm]:
    links = list(Connection.objects.filter(credential=credential).select_related("member__user").order_by("pk"))
    pages = pages_of_members([link.member_id for link in links])
    return links, pages, _harm(links, pages, verdicts(pages, now))


def ask(connection: Connection, now: datetime) -> bool:
    """Ask the member by mail to reconnect, with a link that leads there in one tap; at most once an hour for each
    connection. False: asked just now."""
    key = f"mail:ask:{connection.pk}:"
    if Effect.objects.filter(key__startswith=key, created_at__gt=now - DAMPING).exists():
        return False
    Effect.objects.create(
        kind=EffectKind.MAIL,
        key=f"{key}{now.timestamp():.0f}",
        member=connection.member,
        payload={
            "template": Template.ASK.value,
            "credential": connection.credential_id,
            "connection": connection.pk,
        },
        next_at=now,
    )
    return True


def asked(links: Collection[Connection]) -> dict[int, datetime]:
    """When each of these connections' members was asked last to reconnect, where they were; one query."""
    rows = Effect.objects.filter(member__in={link.member_id for link in links}, key__startswith="mail:ask:")
    found: dict[int, datetime] = {}
    for key, at in rows.order_by("created_at").values_list("key", "created_at"):
        found[int(key.split(":")[2])] = at
    return {link.pk: found[link.pk] for link in links if link.pk in found}


def ends(credential: Credential, now: datetime) -> None:
    """Tell the account's members ahead that its authorisation runs out."""
    links = Connection.objects.filter(credential=credential).select_related("member")
    _mail(Template.ENDS, credential, {o.member_id: {} for o in links if wants(o.member, Kind.AHEAD)}, now)


def endpoint_off(endpoint: WebhookEndpoint, now: datetime) -> None:
    """Tell the workspace's admins that an endpoint was switched off because it does not answer."""
    admins = Member.objects.filter(workspace=endpoint.workspace_id, role__in=[Role.OWNER, Role.ADMIN])
    insert_all(
        Effect(
            kind=EffectKind.MAIL,
            key=f"mail:{Template.ENDPOINT_OFF}:{endpoint.pk}:{admin.pk}:{now.timestamp():.6f}",
            member=admin,
            payload={"template": Template.ENDPOINT_OFF.value, "endpoint": endpoint.pk},
            next_at=now,
        )
        for admin in admins
    )
