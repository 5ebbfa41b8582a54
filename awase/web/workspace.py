"""ワークスペース in the settings, for admins: name, address, language; and the way to another one."""

from django import forms
from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from awase.domain.permissions import Act
from awase.services import dashboard, workspace
from awase.services.permissions import require
from awase.services.workspace import Unfit, UnfitAddress
from awase.web.settings_frame import saved, screen, section
from awase.web.shell import MemberRequest, for_members

UNFIT = {
    Unfit.TAKEN: gettext_lazy("Another workspace has this address. Choose another one."),
    Unfit.RESERVED: gettext_lazy("Awase itself needs this address. Choose another one."),
}


class WorkspaceForm(forms.Form):
    name = forms.CharField(max_length=100, label=gettext_lazy("Name"), help_text=gettext_lazy("Guests read it."))
    slug = forms.SlugField(
        max_length=60,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("The first part of every page's address. If you change it, links given out before end."),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        help_text=gettext_lazy("Of mails to people whose language is not known."),
        choices=settings.LANGUAGES,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def show(request: MemberRequest) -> HttpResponse:
    """Name, address and language."""
    member, stored = request.member, request.member.workspace
    require(member, Act.CHANGE_WORKSPACE, stored)
    form = WorkspaceForm(
        request.POST if request.method == "POST" else None,
        initial={"name": stored.name, "slug": stored.slug, "language": stored.language},
    )
    if form.is_valid():
        try:
            workspace.save(member, **form.cleaned_data)
        except UnfitAddress as error:
            form.add_error("slug", str(UNFIT[error.why]))
        else:
            return saved("workspace", "workspace")
    note = f"{settings.AWASE_URL}/{stored.slug}"
    return screen(request, "workspace", [section(request, "workspace", _("Workspace"), form, note=note)])


@require_POST
@for_members
def switch(request: MemberRequest) -> HttpResponse:
    """To another workspace of the same person, for this browser."""
    chosen = next((one for one in request.memberships if str(one.pk) == request.POST.get("member")), None)
    if chosen is None:
        raise Http404
    request.session[dashboard.CHOSEN] = chosen.pk
    return redirect("/app/")
