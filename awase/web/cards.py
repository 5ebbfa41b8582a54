"""A booking page as a card: badges, one line of facts, what is wrong and what would cure it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from awase.domain.cures import cures
from awase.domain.gate import evaluate
from awase.domain.health import PageValue, Verdict
from awase.domain.permissions import Act
from awase.models import BookingPage, Condition, Member
from awase.models.page import Assignment
from awase.services import history, permissions, words
from awase.services.health import page_values
from awase.web.cures import Cures
from awase.web.shell import Context, action, post

ERRORS, CONNECTIONS = "/app/connections?tab=connected", "/app/connections"
MOST_CURES, MOST_NAMED = 8, 5


def few_of(names: Sequence[str]) -> str:
    """Names in one line; of very many the first."""
    return pgettext("list of names", ", ").join(_first(names))


def _first(said: Sequence[str]) -> list[str]:
    more = len(said) - MOST_NAMED
    if more < 2:
        return list(said)
    return [*said[:MOST_NAMED], ngettext("%(count)d more", "%(count)d more", more) % {"count": more}]


class PageCards:
    """The cards of many pages with a constant number of queries."""

    def __init__(self, pages: QuerySet[BookingPage], viewer: Member, now: datetime) -> None:
        self.viewer, self.now = viewer, now
        self.pages = list(pages.select_related("owner__user", "workspace"))
        self.values = page_values(self.pages, now)
        self.verdicts = {pk: evaluate(value) for pk, value in self.values.items()}
        self.since = history.stopped_since(self.pages, self.verdicts, now)
        self.editable = permissions.among(viewer, Act.EDIT_PAGE, self.pages)

    def stopped(self) -> list[BookingPage]:
        """Pages stopped by health whose manual switch is on, the longest stopped first."""
        return sorted(
            (page for page in self.pages if page.accepting and page.pk in self.since),
            key=lambda page: self.since[page.pk],
        )

    def others(self) -> list[BookingPage]:
        """The rest in the chosen order: by title."""
        stopped = {page.pk for page in self.stopped()}
        return sorted((page for page in self.pages if page.pk not in stopped), key=lambda page: (page.title, page.pk))

    def all(self) -> list[Context]:
        """Every card: what is stopped first, then the rest."""
        return [self.card(page) for page in (*self.stopped(), *self.others())]

    def card(self, page: BookingPage) -> Context:
        """The card of one page (templates/dashboard/_page_card.html)."""
        value, verdict = self.values[page.pk], self.verdicts[page.pk]
        editable = page.pk in self.editable
        return {
            "title": page.title,
            "url": self.url(page),
            "editable": editable,
            "badges": badges(page, value, verdict),
            "facts": self._facts(page, value, verdict),
            "severity": "danger" if page.accepting and verdict.in_error else "",
            "problems": self.problems(page) if page.accepting or not verdict.open else [],
            "actions": self._actions(page, editable),
        }

    def url(self, page: BookingPage) -> str:
        """Where the page is changed, or looked at by those who may not."""
        return f"/app/pages/{page.pk}"

    def problems(self, page: BookingPage) -> list[Context]:
        """What is wrong where it stands: the stop with its cures, or what the page goes on without."""
        value, verdict = self.values[page.pk], self.verdicts[page.pk]
        names = {member.id: member.name for member in value.members}
        names |= {room.member_id: room.member_name for room in value.rooms if room.member_id is not None}
        wrong = verdict.stops or (*(item for item in verdict.left_out if item.error), *verdict.warnings)
        if not wrong and not verdict.place_missing:
            return []
        said = list(dict.fromkeys(words.lack(item, names) for item in wrong))
        seen = Cures(page, value, self.viewer, editor=page.pk in self.editable)
        ways = seen.shown(cures(value, verdict, limit=MOST_CURES))
        in_error = any(item.error for item in wrong)
        shown = {**ways, "kind": "warn", "confirm_url": ERRORS if in_error else CONNECTIONS, "note": ""}
        if verdict.place_missing:
            text = _("No location can be offered: guests read that the host will tell them the place.")
            return [{**shown, "what": text, "why": "", "also": _first(said)}]
        first = wrong[0]
        shown |= {"what": said[0], "why": words.why(first), "also": _first(said[1:])}
        if verdict.stops:
            shown["kind"] = "danger" if in_error else "neutral"
            if not page.accepting:
                shown["note"] = _("It is stopped by hand as well, and then still waits to be started.")
            if first.reason is not None and not first.reason.needs_person:
                shown.pop("waits", None)  # the reason itself says it
        return [shown]

    def _facts(self, page: BookingPage, value: PageValue, verdict: Verdict) -> list[str]:
        names = {member.id: member.name for member in value.members}
        people = few_of([names[pk] for pk in value.everybody])
        if page.condition == Condition.ALL:
            who = _("All members: %(names)s") if len(value.everybody) > 1 else "%(names)s"
        elif page.assignment == Assignment.GUEST:
            who = _("Guests choose: %(names)s")
        else:
            who = _("Automatic assignment: %(names)s")
        facts = [who % {"names": people}] if people else []
        places = dict.fromkeys(words.location_name(place.kind) for place in value.locations)
        if places:
            facts.append(pgettext("list of locations", ", ").join(places))
        facts.append(
            ngettext("%(count)d minute", "%(count)d minutes", page.duration_minutes) % {"count": page.duration_minutes}
        )
        if not verdict.open:
            facts.append(lasting(self.since[page.pk], self.now))
        return facts

    def _actions(self, page: BookingPage, editable: bool) -> list[Context]:
        public = action(
            _("Open the public page"), f"/{page.workspace.slug}/{page.slug}", "link", icon="external", new_tab=True
        )
        history_of_it = action(_("History"), f"/app/pages/{page.pk}/history", "link", icon="clock")
        if not editable:
            return [public, action(_("Settings"), self.url(page), "link", icon="settings"), history_of_it]
        switch = _("Stop taking bookings") if page.accepting else _("Take bookings")
        wanted = "off" if page.accepting else "on"
        return [
            public,
            action(_("Edit"), f"/app/pages/{page.pk}", "link", icon="settings"),
            history_of_it,
            post(switch, f"/app/pages/{page.pk}/switch", "link", name="accepting", value=wanted),
        ]


def lasting(since: datetime, now: datetime) -> str:
    """Since when a page is stopped, in words."""
    if now - since < timedelta(minutes=1):
        return _("stopped just now")
    return _("stopped for %(time)s") % {"time": timesince(since, now, depth=1)}


def badges(page: BookingPage, value: PageValue, verdict: Verdict) -> list[Context]:
    """The state in words: stopped both ways shows both."""
    shown: list[Context] = []
    if not verdict.open:
        shown.append({"kind": "danger" if verdict.in_error else "neutral", "label": words.stop_badge(verdict)})
    if not page.accepting:
        shown.append({"kind": "neutral", "label": _("Stopped by hand")})
    if not shown:
        shown.append({"kind": "ok", "label": _("Taking bookings")})
        names = {member.id: member.name for member in value.members}
        absent = dict.fromkeys(item.member_id for item in verdict.left_out if item.member_id is not None)
        if len(absent) > MOST_NAMED:
            label = _("Without %(absent)d members: %(count)d take bookings") % {
                "absent": len(absent),
                "count": len(verdict.hosts),
            }
        elif absent:
            label = ngettext(
                "Without %(names)s: %(count)d member takes bookings",
                "Without %(names)s: %(count)d members take bookings",
                len(verdict.hosts),
            ) % {
                "names": pgettext("list of names", ", ").join(words.person(names[pk]) for pk in absent),
                "count": len(verdict.hosts),
            }
        if absent:
            shown.append({"kind": "warn", "label": label})
    return shown
