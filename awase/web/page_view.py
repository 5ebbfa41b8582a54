"""A booking page for those who may see it and not change it: its state and its settings in words, and what else they
may do with it."""

from datetime import datetime

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from awase.domain.health import PageValue
from awase.domain.permissions import Act
from awase.domain.questions import from_json
from awase.models import BookingPage
from awase.services import pages
from awase.services.dashboard import visible_pages
from awase.services.permissions import may
from awase.web.cards import PageCards
from awase.web.page_forms import SectionForm, said
from awase.web.page_people import people_facts, rooms_facts
from awase.web.page_places import places_facts
from awase.web.page_questions import FieldsForm, questions_facts
from awase.web.page_rules import SECTION_FORMS
from awase.web.page_sections import Facts
from awase.web.shell import Context, MemberRequest, action, utcnow

NOT_TOLD = {"new_password", "no_password"}


def show(request: MemberRequest, page: BookingPage) -> HttpResponse:
    """The whole page, read only."""
    now: datetime = utcnow()
    cards = PageCards(visible_pages(request.member).filter(pk=page.pk), request.member, now)
    address = f"/app/pages/{page.pk}"
    acts = [
        action(_("History"), f"{address}/history", icon="clock"),
        action(_("Why is a time not offered?"), f"{address}/why"),
    ]
    if may(request.member, Act.BOOK_FOR_GUEST, page):
        acts.append(action(_("Book for a guest"), f"{address}/book"))
    context = {
        "section": "pages",
        "page": cards.card(cards.pages[0]),
        "public_url": f"{settings.AWASE_URL}/{page.workspace.slug}/{page.slug}",
        "owner": page.owner.name,
        "sections": _sections(page, cards.values[page.pk]),
        "actions": acts,
    }
    return render(request, "dashboard/page_view.html", context)


def _sections(page: BookingPage, value: PageValue) -> list[Context]:
    forms = {name: form(instance=page) for name, form in SECTION_FORMS.items()}
    told: dict[str, tuple[str, Facts]] = {name: (str(form.heading), _form_facts(form)) for name, form in forms.items()}
    asked = FieldsForm(instance=page).facts() | questions_facts(from_json(page.questions))
    told |= {
        "members": (_("Members"), people_facts(pages.people_of(page))),
        "locations": (_("Locations"), places_facts(value)),
        "rooms": (_("Rooms"), rooms_facts(pages.rooms_of(page))),
        "form": (_("Form"), asked),
        "switch": (pgettext("switch", "Accepting"), {_("Taking bookings"): _("Yes") if page.accepting else _("No")}),
    }
    order = ("basics", "members", "locations", "times", "period", "limits", "rooms", "form", "changes", "mails")
    return [
        {"heading": heading, "facts": [{"label": label, "value": text} for label, text in facts.items() if text]}
        for heading, facts in (told[name] for name in (*order, "sharing", "switch"))
    ]


def _form_facts(form: SectionForm) -> Facts:
    """The fields of a section that say something."""
    return {
        str(form[name].label): strip_tags(said(field, form[name].initial))
        for name, field in form.fields.items()
        if name not in NOT_TOLD and form[name].initial not in (None, "", [], {})
    }
