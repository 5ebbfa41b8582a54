"""チーム: members, roles, invitations, and leaving, with what it would stop before it is done."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from awase.models import Booking, Invitation, Member, Role, User
from awase.services import dashboard, dates, previews, team, words
from awase.services.refusals import Refusal
from awase.services.team import Objected, Objection
from awase.web.booking_actions import refusal_text
from awase.web.connection_cards import effects
from awase.web.paging import sheet
from awase.web.shell import Context, MemberRequest, for_members, in_zone_of, local, utcnow

MOST_NAMED = 50
ROLES = {
    Role.OWNER: gettext_lazy("Workspace owner"),
    Role.ADMIN: gettext_lazy("Admin"),
    Role.MEMBER: gettext_lazy("Member"),
}
OBJECTIONS = {
    Objection.LAST_OWNER: gettext_lazy("A workspace always has an owner. Make somebody else an owner first."),
    Objection.OWN_ROLE: gettext_lazy("You cannot change your own role. Ask another owner or admin."),
    Objection.OWNER_ONLY: gettext_lazy("Only a workspace owner can do this."),
    Objection.HAS_BOOKINGS: gettext_lazy(
        "Bookings are still to come. Choose who takes them over, or cancel them first."
    ),
    Objection.HAS_PAGES: gettext_lazy("Choose who takes over the booking pages."),
    Objection.ALREADY_MEMBER: gettext_lazy("This person is a member already, or has an account: log in with it."),
    Objection.INVITATION_OVER: gettext_lazy("This invitation was taken already, or has run out."),
}


class InviteForm(forms.Form):
    email = forms.EmailField(max_length=254, label=gettext_lazy("Email"))
    role = forms.ChoiceField(label=gettext_lazy("Role"))

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(role.value, ROLES[role]) for role in roles]
        self.initial.setdefault("role", Role.MEMBER)


class JoinForm(forms.Form):
    name = forms.CharField(max_length=100, label=gettext_lazy("Your name"))
    password = forms.CharField(
        label=gettext_lazy("Password"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password


def _roles_for(viewer: Member) -> list[Role]:
    """The roles that the viewer may give."""
    return list(ROLES) if viewer.role == Role.OWNER else [Role.ADMIN, Role.MEMBER]


@require_GET
@for_members
def members(request: MemberRequest) -> HttpResponse:
    """Everybody in the workspace; admins invite and change roles."""
    return _list(request)


def _list(request: MemberRequest, form: InviteForm | None = None) -> HttpResponse:
    viewer = request.member
    query = request.GET.get("q", "").strip()[:100]
    everybody = Member.objects.filter(workspace=viewer.workspace, left_at=None).select_related("user").order_by("pk")
    found = everybody.filter(Q(user__name__icontains=query) | Q(user__email__icontains=query)) if query else everybody
    people, pager = sheet(request, found, {"q": query})
    roles = _roles_for(viewer)
    barred = team.barred(viewer, people)
    context: Context = {
        "section": "team",
        "search": {"q": query} if query or pager else None,
        "pager": pager,
        "people": [
            {
                "name": member.name,
                "email": member.user.email,
                "role": ROLES[Role(member.role)],
                "you": member.pk == viewer.pk,
                "note": _note(viewer, member, barred),
                "role_url": f"/app/team/{member.pk}/role",
                "roles": [{"value": role, "label": ROLES[role], "selected": role == member.role} for role in roles]
                if viewer.is_admin and member.pk != viewer.pk and member.role in roles
                else [],
                "leave_url": f"/app/team/{member.pk}/leave"
                if (viewer.is_admin or member.pk == viewer.pk) and member.pk not in barred
                else "",
            }
            for member in people
        ],
    }
    if viewer.is_admin:
        context["form"] = form or InviteForm(roles=roles)
        open_ones = Invitation.objects.filter(workspace=viewer.workspace, accepted_at=None, expires_at__gt=utcnow())
        context["invitations"] = [
            {
                "email": one.email,
                "role": ROLES[Role(one.role)],
                "until": dates.full_day_name(in_zone_of(viewer, one.expires_at).date()),
                "url": f"/app/team/invitations/{one.pk}/withdraw",
            }
            for one in open_ones.order_by("email")
        ]
    return render(request, "dashboard/team.html", context, status=400 if form is not None else 200)


def _note(viewer: Member, member: Member, barred: Mapping[int, Objection]) -> str:
    """Why what admins do with others is not offered here."""
    if not viewer.is_admin and member.pk != viewer.pk:
        return ""
    if member.pk in barred:
        return str(OBJECTIONS[barred[member.pk]])
    return str(OBJECTIONS[Objection.OWN_ROLE]) if viewer.is_admin and member.pk == viewer.pk else ""


@require_POST
@for_members
def invite(request: MemberRequest) -> HttpResponse:
    """Ask somebody by mail to join."""
    form = InviteForm(request.POST, roles=_roles_for(request.member))
    if form.is_valid():
        try:
            team.invite(request.member, form.cleaned_data["email"], Role(form.cleaned_data["role"]), utcnow())
        except Objected as error:
            form.add_error("email", str(OBJECTIONS[error.objection]))
        else:
            messages.success(request, _("The invitation is sent."))
            return redirect("/app/team")
    return _list(request, form)


@require_POST
@for_members
def withdraw(request: MemberRequest, pk: int) -> HttpResponse:
    """Take an invitation back."""
    found = get_object_or_404(Invitation, pk=pk, workspace=request.member.workspace)
    team.withdraw(request.member, found)
    messages.success(request, _("The invitation of %(email)s is taken back.") % {"email": found.email})
    return redirect("/app/team")


def _member(request: MemberRequest, pk: int) -> Member:
    return get_object_or_404(
        Member.objects.select_related("user", "workspace"), pk=pk, workspace=request.member.workspace, left_at=None
    )


@require_POST
@for_members
def set_role(request: MemberRequest, pk: int) -> HttpResponse:
    """Another role for a member."""
    role = request.POST.get("role", "")
    if role in Role.values:
        member = _member(request, pk)
        try:
            team.set_role(request.member, member, Role(role))
        except Objected as error:
            messages.error(request, str(OBJECTIONS[error.objection]))
        else:
            values = {"name": words.person(member.name), "role": ROLES[Role(role)]}
            messages.success(request, _("The role of %(name)s is now: %(role)s.") % values)
    return redirect("/app/team")


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def leave(request: MemberRequest, pk: int) -> HttpResponse:
    """Leaving in two steps: who takes over pages and bookings, then what that does, and doing it."""
    viewer, member, now = request.member, _member(request, pk), utcnow()
    if not viewer.is_admin and member.pk != viewer.pk:
        raise Http404
    barred = team.barred(viewer, [member]).get(pk)
    problem = str(OBJECTIONS[barred]) if barred else ""
    others = Member.objects.filter(workspace=viewer.workspace, left_at=None).exclude(pk=pk).select_related("user")
    asked = request.POST.get("heir") or request.GET.get("heir", "")
    heir = others.filter(pk=asked).first() if asked.isdecimal() else None
    left: list[tuple[Booking, Refusal]] = []
    if request.method == "POST":
        try:
            if heir is not None:
                left = team.hand_over(viewer, member, heir, now)
            if not left:
                team.remove(viewer, member, now, heir=heir)
                if member.pk != viewer.pk:
                    name = words.person(member.name)
                    messages.success(request, _("%(name)s has left the workspace.") % {"name": name})
                return redirect("/app/team" if member.pk != viewer.pk else "/")
        except Objected as error:
            problem = str(OBJECTIONS[error.objection])
    coming = team.coming_bookings(member, now).select_related("page")
    leaving = previews.of_leaving(member, now, heir)
    count = coming.count()
    context = {
        "section": "team",
        "name": member.name,
        "you": member.pk == viewer.pk,
        "problem": problem,
        "left": [{**_booked(booking, viewer), "text": _left_text(why)} for booking, why in left],
        "owned": [page.title for page in leaving.owned[:MOST_NAMED]],
        "owned_more": max(0, len(leaving.owned) - MOST_NAMED),
        "heir": {"value": heir.pk, "name": heir.name} if heir is not None else None,
        "heirs": [{"value": other.pk, "label": other.name} for other in others]
        if (leaving.owned or count) and not barred
        else [],
        "effects": effects(leaving.turns)
        if not barred and (heir is not None or not (leaving.owned or count))
        else None,
        "bookings": count,
        "handed": _handed(member, heir, coming[:MOST_NAMED], viewer) if heir is not None and not left else [],
        "handed_more": max(0, count - MOST_NAMED),
    }
    refused = request.method == "POST" and (problem or left)
    return render(request, "dashboard/team_leave.html", context, status=409 if refused else 200)


def _left_text(why: Refusal) -> str:
    taken = why in (Refusal.SLOT_GONE, Refusal.HOST_UNFIT, Refusal.LOCATION_GONE)
    return _("Nobody else on the page can take it at this time.") if taken else refusal_text(why)


def _booked(booking: Booking, viewer: Member) -> Context:
    guest = booking.guest_name or _("Group session")
    return {
        "url": f"/app/bookings/{booking.uid}",
        "title": guest,
        "facts": [local(booking.start, viewer), booking.title],
    }


def _handed(member: Member, heir: Member, coming: Iterable[Booking], viewer: Member) -> list[Context]:
    """Who would take over each booking."""
    texts = {
        previews.Taker.HEIR: _("goes to %(name)s") % {"name": heir.name},
        previews.Taker.OTHERS: _("goes to somebody else on the page"),
        previews.Taker.NOBODY: _("nobody can take it: move or cancel it"),
    }
    found = previews.of_hand_over(member, heir, coming)
    return [{**_booked(booking, viewer), "text": texts[taker]} for booking, taker in found]


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, pk: int, secret: str) -> HttpResponse:
    """The page behind an invitation: a name and a password, or one press for whoever has an account."""
    now = utcnow()
    invitation = team.by_link(pk, secret, now)
    if invitation is None:
        text = OBJECTIONS[Objection.INVITATION_OVER]
        return render(request, "dashboard/join.html", {"closed": text}, status=410)
    context: Context = {"workspace": invitation.workspace.name, "email": invitation.email}
    user = request.user if isinstance(request.user, User) and request.user.email == invitation.email else None
    known = User.objects.filter(email=invitation.email).exists()
    form = JoinForm(request.POST or None) if not known else None
    status = 200
    if request.method == "POST":
        try:
            if user is not None:
                request.session[dashboard.CHOSEN] = team.join(invitation, user, now).pk
                return redirect("/app/")
            if form is not None and form.is_valid():
                zone = invitation.invited_by.user.time_zone if invitation.invited_by else "Asia/Tokyo"
                member = team.accept(invitation, now, time_zone=zone, **form.cleaned_data)
                login(request, member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
                return redirect("/app/start")
            status = 400
        except Objected as error:
            context["problem"], status = OBJECTIONS[error.objection], 409
    context |= {"form": form, "logged_in": user is not None, "login_url": f"/accounts/login/?next={request.path}"}
    response = render(request, "dashboard/join.html", context, status=status)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
