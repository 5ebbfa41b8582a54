"""A booking page as a card: badges, one line of facts, what is wrong and what would cure it."""

from datetime import datetime, timedelta

from django.db.models import Prefetch, QuerySet
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from awase.domain.cures import cures
from awase.domain.gate import evaluate
from awase.domain.health import PageValue, Verdict
from awase.models import BookingPage, Condition, Member, PageHealth
from awase.models.page import Assignment
from awase.services import words
from awase.services.dashboard import may_edit
from awase.services.health import page_values
from awase.web.cures import buttons
from awase.web.shell import Context, action, post

REVIEW = "/app/connections?tab=connected"


class PageCards:
    """The cards of many pages with a constant number of queries."""

    def __init__(self, pages: QuerySet[BookingPage], viewer: Member, now: datetime) -> None:
        self.viewer, self.now = viewer, now
        self.pages = list(
            pages.select_related("owner__user", "workspace").prefetch_related(
                Prefetch("health", queryset=PageHealth.objects.all())
            )
        )
        self.values = page_values(self.pages, now)
        self.verdicts = {pk: evaluate(value) for pk, value in self.values.items()}

    def stopped(self) -> list[BookingPage]:
        """Pages stopped by health whose manual switch is on, the longest stopped first."""
        return sorted(
            (page for page in self.pages if page.accepting and not self.verdicts[page.pk].open), key=self._since
        )

    def others(self) -> list[BookingPage]:
        """The rest in the chosen order: by title."""
        stopped = {page.pk for page in self.stopped()}
        return sorted((page for page in self.pages if page.pk not in stopped), key=lambda page: (page.title, page.pk))

    def _since(self, page: BookingPage) -> datetime:
        """Since when it has been stopped; where a tolerance ran out just now nobody has written it down yet."""
        health = getattr(page, "health", None)
        return health.since if health and not health.open else self.now

    def card(self, page: BookingPage) -> Context:
        """The card of one page (templates/dashboard/_page_card.html)."""
        value, verdict = self.values[page.pk], self.verdicts[page.pk]
        editable = may_edit(self.viewer, page)
        return {
            "title": page.title,
            "edit_url": f"/app/pages/{page.pk}",
            "badges": badges(page, value, verdict),
            "facts": self._facts(page, value, verdict),
            "severity": "danger" if page.accepting and verdict.in_error else "",
            "problems": self.problems(page) if page.accepting or not verdict.open else [],
            "actions": self._actions(page, editable),
        }

    def problems(self, page: BookingPage) -> list[Context]:
        """What is wrong where it stands: the stop with its cures first, then what the page goes on without."""
        value, verdict = self.values[page.pk], self.verdicts[page.pk]
        names = {member.id: member.name for member in value.members}
        found: list[Context] = []
        shown_cures = buttons(page, value, cures(value, verdict, limit=4), self.viewer)
        if verdict.stops:
            first = verdict.stops[0]
            found.append(
                {
                    "kind": "danger" if verdict.in_error else "neutral",
                    "what": words.lack(first, names),
                    "why": words.why(first),
                    "confirm_url": REVIEW,
                    "cures": shown_cures,
                }
            )
        elif verdict.place_missing:
            found.append(
                {
                    "kind": "warn",
                    "what": _("No location can be offered: guests read that the host will tell them the place."),
                    "why": "",
                    "confirm_url": REVIEW,
                    "cures": shown_cures,
                }
            )
        for warning in () if verdict.stops else verdict.warnings:
            found.append(
                {
                    "kind": "warn",
                    "what": words.lack(warning, names),
                    "why": words.why(warning),
                    "confirm_url": REVIEW,
                    "cures": [],
                }
            )
        return found

    def _facts(self, page: BookingPage, value: PageValue, verdict: Verdict) -> list[str]:
        names = {member.id: member.name for member in value.members}
        people = pgettext("list of names", ", ").join(names[pk] for pk in value.everybody)
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
            facts.append(_stopped_for(self._since(page), self.now))
        return facts

    def _actions(self, page: BookingPage, editable: bool) -> list[Context]:
        public = action(
            _("Open the public page"), f"/{page.workspace.slug}/{page.slug}", "link", icon="external", new_tab=True
        )
        if not editable:
            return [public]
        switch = _("Stop taking bookings") if page.accepting else _("Take bookings")
        wanted = "off" if page.accepting else "on"
        return [
            public,
            action(_("Edit"), f"/app/pages/{page.pk}", "link", icon="settings"),
            post(switch, f"/app/pages/{page.pk}/switch", "link", name="accepting", value=wanted),
        ]


def _stopped_for(since: datetime, now: datetime) -> str:
    if now - since < timedelta(minutes=1):
        return _("since just now")
    return _("for %(time)s") % {"time": timesince(since, now, depth=1)}


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
        if absent:
            label = ngettext(
                "Without %(names)s: %(count)d member takes bookings",
                "Without %(names)s: %(count)d members take bookings",
                len(verdict.hosts),
            ) % {
                "names": pgettext("list of names", ", ").join(words.person(names[pk]) for pk in absent),
                "count": len(verdict.hosts),
            }
            shown.append({"kind": "warn", "label": label})
    return shown
