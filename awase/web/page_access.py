"""編集者と閲覧者 in the page editor: whom the page is shown to and let be changed by, besides those on it."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from awase.models import BookingPage, Member
from awase.services import pages
from awase.web.cards import few_of
from awase.web.page_sections import common
from awase.web.pages import editable
from awase.web.shell import Context, MemberRequest, for_members

LEVELS = ("", "viewer", "editor")


def access_section(page: BookingPage) -> Context:
    """Every other member with what they may do."""
    shares = dict(page.shares.values_list("member", "editor"))
    team = Member.objects.filter(workspace=page.workspace, left_at=None).exclude(pk=page.owner_id)
    people = [
        {
            "id": member.pk,
            "name": member.name,
            "level": "" if member.pk not in shares else "editor" if shares[member.pk] else "viewer",
            "admin": member.is_admin,
        }
        for member in team.select_related("user").order_by("pk")
    ]
    people.sort(key=lambda person: not person["level"])
    names = [str(person["name"]) for person in people if person["level"]]
    return {
        **common(page, "access"),
        "heading": _("Editors and viewers"),
        "help": _("Besides the owner and the admins. Viewers see the page and its bookings; editors also change both."),
        "summary": [few_of(names)] if names else [_("None")],
        "template": "dashboard/_section_access.html",
        "people": people,
    }


@require_POST
@for_members
def save_access(request: MemberRequest, pk: int) -> HttpResponse:
    """Keep who sees and who changes the page."""
    from awase.web.page_edit import done  # it draws this section

    page = editable(request.member, pk)
    chosen = {
        int(name.removeprefix("access-")): value
        for name, value in request.POST.items()
        if name.startswith("access-") and name.removeprefix("access-").isdecimal() and value in LEVELS
    }
    pages.set_shares(page, {member: level == "editor" for member, level in chosen.items() if level}, by=request.member)
    return done(page, "access")
