"""Microsoft: connecting accounts for Outlook calendars and for Teams (facts: `providers.md` section 3).

Both use one app registration; Teams is a connection and a consent of its own, also for the same account.
The identity platform has no call that ends one grant, so `revoke` does nothing: people remove the app in
their account.
"""

import re
from collections.abc import Mapping
from typing import ClassVar

import httpx2

from awase.domain.errors import Capability
from awase.providers.http import BearerWire, Clock, utc_now
from awase.providers.microsoft_failures import OUTLOOK, TEAMS
from awase.providers.oauth import OAuthAdapter, identity_claims
from awase.providers.outlook import OutlookCalendars
from awase.providers.outlook_reading import GRAPH_HEADERS
from awase.providers.pace import Turns
from awase.providers.protocols import Account, AppConfig, Tokens, TokenSource
from awase.providers.shape import Document, optional_text, text
from awase.providers.teams import TeamsMeetings

MAILBOX = Turns(4)
"""Graph answers 429 to a fifth call of one app to one mailbox while four are under way."""

IDENTITY = ("offline_access", "openid", "profile", "email")


class MicrosoftAdapter(OAuthAdapter):
    """What Outlook and Teams share: the sign-in and Graph. `Account.id` is "<tenant>:<subject>"."""

    authorize_extra: ClassVar[Mapping[str, str]] = {"prompt": "select_account"}

    def __init__(
        self,
        client: httpx2.Client,
        app: AppConfig,
        *,
        login_base: str = "https://login.microsoftonline.com",
        graph_base: str = "https://graph.microsoft.com",
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(
            client,
            app,
            authorize_address=f"{login_base}/common/oauth2/v2.0/authorize",
            token_address=f"{login_base}/common/oauth2/v2.0/token",
            clock=clock,
        )
        self._graph = f"{graph_base}/v1.0"

    def _wire_for(self, tokens: TokenSource) -> BearerWire:
        return BearerWire(self.wire, self._graph, tokens, GRAPH_HEADERS, MAILBOX)

    def _granted(self, scope: str) -> frozenset[str]:
        # Graph's own scopes come back bare or with its address in front.
        return frozenset(re.sub(r"^https://graph\.microsoft\.com/", "", each) for each in scope.split())

    def _account(self, reply: Document, tokens: Tokens) -> Account:
        claims = identity_claims(reply, self._app.client_id)
        tenant = optional_text(claims, "tid") or text(claims, "iss")
        address = optional_text(claims, "email") or text(claims, "preferred_username")
        return Account(f"{tenant}:{text(claims, 'sub')}", address, optional_text(claims, "name"))


class Microsoft(MicrosoftAdapter):
    """Outlook calendars."""

    service = "microsoft"
    table = OUTLOOK
    scopes = (*IDENTITY, "Calendars.ReadWrite")
    required = frozenset({"Calendars.ReadWrite"})
    room_scopes = ("Place.Read.All",)  # an administrator must consent
    capabilities = frozenset({Capability.CALENDAR})

    def session(self, tokens: TokenSource) -> OutlookCalendars:
        """The calendars of the account whose tokens these are."""
        return OutlookCalendars(self._wire_for(tokens))


class Teams(MicrosoftAdapter):
    """Teams meetings."""

    service = "teams"
    table = TEAMS
    scopes = (*IDENTITY, "User.Read", "OnlineMeetings.ReadWrite")
    required = frozenset({"User.Read", "OnlineMeetings.ReadWrite"})
    capabilities = frozenset({Capability.TEAMS})

    def session(self, tokens: TokenSource) -> TeamsMeetings:
        """The online meetings of the account whose tokens these are."""
        return TeamsMeetings(self._wire_for(tokens))
