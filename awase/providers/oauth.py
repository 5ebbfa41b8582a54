"""Connecting an account by OAuth 2: authorisation code with PKCE S256, refresh, revocation.

Authlib builds the requests; the wire sends them, so that every answer of a token endpoint is classified
by the service's own table before anything reads it. Which scopes were really granted is compared with
what is needed, since people can untick single ones (rule of `providers.md` section 1).
"""

import base64
import binascii
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

import httpx2
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7009 import prepare_revoke_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from awase.domain.errors import Capability, Failure, FailureClass, FailureScope, ProviderError
from awase.providers.failures import Answer, FailureTable, Marks, Where, http_date, wrong_shape
from awase.providers.history import seen_again
from awase.providers.http import Clock, Wire, utc_now
from awase.providers.protocols import Account, AppConfig, Grant, Inspection, Tokens
from awase.providers.shape import Document, document, optional_text, seconds, text, token_text

FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}


class OAuthAdapter(ABC):
    """What the OAuth services share; implements `protocols.OAuthService`. A subclass names the facts."""

    service: ClassVar[str]
    scopes: ClassVar[tuple[str, ...]]  # asked for
    required: ClassVar[frozenset[str]]  # granted, or the connection is of no use
    room_scopes: ClassVar[tuple[str, ...]] = ()  # asked for as well by whoever adds rooms
    organisation_scopes: ClassVar[tuple[str, ...]] = ()  # and by an administrator who wants to see all of them
    capabilities: ClassVar[frozenset[Capability]]
    table: ClassVar[FailureTable]
    client_auth: ClassVar[str] = "client_secret_post"
    authorize_extra: ClassVar[Mapping[str, str]] = {}
    already_ended: ClassVar[frozenset[str]] = frozenset()  # codes of a revocation that comes too late

    def __init__(
        self,
        client: httpx2.Client,
        app: AppConfig,
        *,
        authorize_address: str,
        token_address: str,
        revoke_address: str = "",
        clock: Clock = utc_now,
    ) -> None:
        self.wire = Wire(client, self.table, clock)
        self._app = app
        self._authorize_address = authorize_address
        self._token_address = token_address
        self._revoke_address = revoke_address

    def authorize_url(
        self, *, state: str, verifier: str, login_hint: str = "", rooms: bool = False, organisation: bool = False
    ) -> str:
        """The address of the consent screen. `verifier` has 43 to 128 characters (RFC 7636)."""
        more = (self.room_scopes if rooms else ()) + (self.organisation_scopes if organisation else ())
        url: str = prepare_grant_uri(
            self._authorize_address,
            self._app.client_id,
            "code",
            redirect_uri=self._app.redirect_uri,
            scope=" ".join(self.scopes + more),
            state=state,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            login_hint=login_hint or None,
            **self.authorize_extra,
        )
        return url

    def exchange(self, *, code: str, verifier: str, now: datetime) -> Grant:
        """Redeem a code: tokens, account, required scopes that were not granted. Raises ProviderError."""
        reply = self._token_call(
            now, "authorization_code", code=code, redirect_uri=self._app.redirect_uri, code_verifier=verifier
        )
        tokens = self._tokens(reply, now, refresh_token="")
        if missing := self.required - tokens.scopes:
            # Without the scopes even asking who this is may fail.
            return Grant(tokens, Account("", ""), missing)
        return Grant(tokens, self._account(reply, tokens))

    def refresh(self, tokens: Tokens, *, now: datetime) -> Tokens:
        """A fresh token set, to be saved before it is looked at (`scope_failure`). Raises ProviderError."""
        reply = self._token_call(now, "refresh_token", refresh_token=tokens.refresh_token)
        fresh = self._tokens(reply, now, refresh_token=tokens.refresh_token)
        return fresh if reply.get("scope") else replace(fresh, scopes=tokens.scopes)

    def revoke(self, tokens: Tokens) -> None:
        """End the grant at the service. Already ended is success. Raises ProviderError.

        Only while no other connection shares the account: a revocation ends the whole grant (rule 11).
        """
        if not self._revoke_address:
            return
        body, headers = prepare_revoke_token_request(self._revocable(tokens), None, "", dict(FORM))
        url, headers, body = self._client_auth("POST", self._revoke_address, headers, body)
        answer = self.wire.fetch("POST", url, headers=headers, content=body)
        marks = self.table.read(answer) or Marks()
        if not answer.good and self.already_ended.isdisjoint(marks.codes):
            raise ProviderError(self.table.classify(answer, now=self.wire.clock(), where=Where.TOKEN))

    def callback_failure(self, params: Mapping[str, str], *, now: datetime) -> Failure:
        """See `OAuthService.callback_failure`."""
        headers = httpx2.Headers({"Content-Type": "application/json"})
        body = json.dumps(dict(params)).encode()
        answer = Answer(400, headers, body, httpx2.URL(self._authorize_address))
        failure = self.table.classify(answer, now=now, where=Where.TOKEN)
        return replace(failure, alert=False) if params.get("error") == "access_denied" else failure

    def scope_failure(self, tokens: Tokens) -> Failure | None:
        """See `OAuthService.scope_failure`."""
        if self.required <= tokens.scopes:
            return None
        return self.table.in_reply(Marks(frozenset({"scope_missing"})), about=FailureScope.CONNECTION)

    def inspect(self, *, now: datetime) -> Inspection:
        """See `OAuthService.inspect`: a refresh with a token that is none, and a look at the consent screen.

        A service that knows the client complains of the token alone.
        """
        body = prepare_token_request("refresh_token", refresh_token="none")  # noqa: S106
        url, headers, body = self._client_auth("POST", self._token_address, dict(FORM), body)
        answer = self.wire.fetch("POST", url, headers=headers, content=body)
        failure = self.table.classify(answer, now=now, where=Where.TOKEN)
        # One client behind all tenants: where an app is unknown (M10c), it is so for everybody.
        failure = seen_again(failure, first_seen=now, now=now, tenants=2)
        screen = self.wire.fetch("GET", self.authorize_url(state="inspection", verifier="i" * 43))
        ours = failure.kind in (FailureClass.APP_CONFIG, FailureClass.RETRY) or failure.alert
        return Inspection(
            failure=failure if ours else None,
            consent=screen.status < 400 and "error" not in screen.headers.get("location", ""),
            clock=http_date(answer.headers.get("date", "")),
        )

    @abstractmethod
    def _account(self, reply: Document, tokens: Tokens) -> Account:
        """Who granted this. Raises ProviderError."""

    def _granted(self, scope: str) -> frozenset[str]:
        """The scopes of a token reply, spelt as in `required`."""
        return frozenset(scope.split())

    def _revocable(self, tokens: Tokens) -> str:
        return tokens.refresh_token

    def _token_call(self, now: datetime, grant_type: str, **parameters: str) -> Document:
        body = prepare_token_request(grant_type, **parameters)
        url, headers, body = self._client_auth("POST", self._token_address, dict(FORM), body)
        answer = self.wire.send("POST", url, headers=headers, content=body, where=Where.TOKEN, now=now)
        reply = document(answer)
        if "error" in reply:  # some proxies turn every status into 200
            refused = replace(answer, status=400)
            raise ProviderError(self.table.classify(refused, now=now, where=Where.TOKEN))
        return reply

    def _client_auth(
        self, method: str, url: str, headers: dict[str, str], body: str
    ) -> tuple[str, dict[str, str], str]:
        auth = ClientAuth(self._app.client_id, self._app.client_secret, self.client_auth)
        prepared: tuple[str, dict[str, str], str] = auth.prepare(method, url, headers, body)
        return prepared

    def _tokens(self, reply: Document, now: datetime, *, refresh_token: str) -> Tokens:
        known_end = "refresh_token_expires_in"
        return Tokens(
            access_token=token_text(reply, "access_token"),
            # Google sends a refresh token once only; Microsoft and Zoom a new one each time.
            refresh_token=optional_text(reply, "refresh_token") or refresh_token or text(reply, "refresh_token"),
            expires_at=now + seconds(reply, "expires_in"),
            scopes=self._granted(optional_text(reply, "scope")),
            refresh_expires_at=now + seconds(reply, known_end) if isinstance(reply.get(known_end), int) else None,
        )


def identity_claims(reply: Document, client_id: str) -> Document:
    """The claims of the id_token in a token reply. Raises ProviderError X02.

    Its signature need not be checked: it came straight from the token endpoint over TLS (OpenID Connect
    Core 3.1.3.7, point 6); that it was made for us is checked.
    """
    try:
        payload = text(reply, "id_token").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, binascii.Error, ValueError) as error:
        raise wrong_shape("id_token") from error
    if not isinstance(claims, dict) or claims.get("aud") != client_id:
        raise wrong_shape("id_token audience")
    return claims
