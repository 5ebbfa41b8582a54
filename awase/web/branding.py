"""ブランディング in the settings: colour and logo; and the addresses at which guests' browsers find them."""

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from awase.domain.colour import is_colour, palette
from awase.domain.permissions import Act
from awase.models import WorkspaceLogo
from awase.services import branding
from awase.services.permissions import require
from awase.web.guest import logo_url, style_url
from awase.web.pictures import Picture, PictureField
from awase.web.settings_frame import frame, saved
from awase.web.shell import MemberRequest, for_members

OWN = "#27508f"  # Awase's indigo
FOR_EVER = "public, max-age=31536000, immutable"


class ColourForm(forms.Form):
    colour = forms.CharField(
        label=gettext_lazy("Accent colour"),
        help_text=gettext_lazy("Of buttons and links on your pages and in mails; made readable, in dark too."),
        widget=forms.TextInput(attrs={"type": "color"}),
    )
    own = forms.BooleanField(required=False, label=gettext_lazy("Use Awase's indigo"))

    def clean_colour(self) -> str:
        colour: str = self.cleaned_data["colour"].lower()
        if not is_colour(colour):
            raise forms.ValidationError(_("Choose a colour."))
        return colour

    def chosen(self) -> str:
        return "" if self.cleaned_data["own"] else str(self.cleaned_data["colour"])


class LogoForm(forms.Form):
    logo = PictureField(
        label=gettext_lazy("Logo"),
        help_text=gettext_lazy("JPEG, PNG or WebP of at most 1 MB; it is shown 40 pixels high."),
    )
    none = forms.BooleanField(required=False, label=gettext_lazy("Show no logo any more"))


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def show(request: MemberRequest) -> HttpResponse:
    """Both, with a sample of how they look."""
    member, workspace = request.member, request.member.workspace
    require(member, Act.CHANGE_WORKSPACE, workspace)
    sent = request.POST.get("section", "") if request.method == "POST" else ""
    initial = {"colour": workspace.accent or OWN, "own": not workspace.accent}
    colour = ColourForm(request.POST if sent == "colour" else None, initial=initial)
    logo = LogoForm(*((request.POST, request.FILES) if sent == "logo" else (None, None)))
    if colour.is_valid():
        branding.save_colour(member, colour.chosen())
        return saved("branding", "colour")
    if logo.is_valid():
        picture: Picture | None = logo.cleaned_data["logo"]
        if picture is not None:
            branding.save_logo(member, picture.content, picture.kind)
        elif logo.cleaned_data["none"]:
            branding.remove_logo(member)
        return saved("branding", "logo")
    context = {
        **frame(request, "branding"),
        "colour": colour,
        "logo": logo,
        "saved": request.GET.get("saved", ""),
        "logo_url": logo_url(workspace),
        "style_url": style_url(workspace.accent),
        "workspace": workspace.name,
    }
    wrong = colour.errors or logo.errors
    return render(request, "settings/branding.html", context, status=400 if wrong else 200)


@require_safe
def style_sheet(request: HttpRequest, colour: str) -> HttpResponse:
    """The few lines that a colour changes: a function of the address alone, so kept by browsers for ever."""
    if not is_colour(f"#{colour}"):
        raise Http404
    context = {"palette": palette(f"#{colour}")}
    response = render(request, "settings/theme.css", context, content_type="text/css; charset=utf-8")
    response["Cache-Control"] = FOR_EVER
    return response


@require_safe
def logo(request: HttpRequest, digest: str) -> HttpResponse:
    """A workspace's logo. Another one has another address."""
    picture = get_object_or_404(WorkspaceLogo, digest=digest)
    response = HttpResponse(bytes(picture.content), content_type=picture.kind)
    response["Cache-Control"] = FOR_EVER
    return response
