"""How allauth fits this instance: the first account owns it, later ones come by invitation unless it is open."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language, gettext_lazy

from awase.models import User
from awase.services import accounts
from awase.services.accounts import SignUpClosed
from awase.web import limits
from awase.web.guest import YEAR, known_zones
from awase.web.shell import LAST_USER


class SignUpForm(forms.Form):
    """What the sign-up asks for besides address and password. The zone is the browser's own, where script tells it."""

    name = forms.CharField(
        max_length=100, label=gettext_lazy("Your name"), widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    time_zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput(attrs={"data-own-zone": ""}))

    field_order = ("time_zone", "name", "email", "password1")

    def signup(self, request: HttpRequest, user: User) -> None:
        """allauth calls it once the user is stored; all is done in `save_user`."""


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.AWASE_SIGNUP_OPEN or not accounts.anybody_there()

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        entered = form.cleaned_data
        user.name, user.language = entered["name"], get_language() or "en"
        if entered["time_zone"] in known_zones():
            user.time_zone = entered["time_zone"]
        try:
            with transaction.atomic():
                user = super().save_user(request, user, form, commit)
                accounts.sign_up(user)
        except SignUpClosed:
            raise ImmediateHttpResponse(HttpResponseRedirect("/accounts/signup/")) from None
        return user

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return "/app/start"

    def post_login(self, request: HttpRequest, user: User, **more: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **more)
        response.set_signed_cookie(
            LAST_USER, str(user.pk), max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE, httponly=True
        )
        return response

    def get_client_ip(self, request: HttpRequest) -> str:
        return limits.client_address(request)
