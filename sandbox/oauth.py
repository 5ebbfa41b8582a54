"""What the three services share of OAuth 2: clients, codes with PKCE, grants, tokens, signed id tokens.

Each service translates `OAuthError.kind` into its own body.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.state import Account, Client, Code, Grant, Sandbox, Token
from sandbox.wire import Call

DAY = 86400.0
TOKEN_STYLE = {
    ("google", "access"): "ya29.a0",
    ("google", "refresh"): "1//0e",
    ("google", "code"): "4/0A",
    ("microsoft", "access"): "EwB4A8l6",
    ("microsoft", "refresh"): "1.AXkA",
    ("microsoft", "code"): "M.C512_",
    ("zoom", "access"): "zm-a.",
    ("zoom", "refresh"): "zm-r.",
    ("zoom", "code"): "zm-c.",
}


class OAuthError(Exception):
    """A refused token call. `kind` is invalid_client, unsupported_grant_type, bad_code, expired_code,
    used_code, redirect_mismatch, bad_verifier, bad_refresh, expired_refresh, wrong_client, or the reason
    for which the grant ended."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def redirect_allowed(client: Client, address: str) -> bool:
    """Exactly one of the registered addresses, or, where none is registered, a loopback or test one."""
    if client.redirect_uris:
        return address in client.redirect_uris
    parts = urlsplit(address)
    if parts.fragment:
        return False
    return (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "testserver")) or (
        parts.scheme == "https" and parts.netloc == "awase.test"
    )


def authenticate_client(call: Call, *, basic_only: bool = False) -> Client:
    """The client that proves its secret, by Basic header or in the form. Raises OAuthError."""
    given = call.request.basic()
    if given is None and not basic_only:
        form = call.request.form
        given = form.get("client_id", ""), form.get("client_secret", "")
    client = call.sandbox.state.clients.get(given[0]) if given else None
    if given is None or client is None or client.service != call.service:
        raise OAuthError("invalid_client")
    if not secrets.compare_digest(client.secret.encode(), given[1].encode()):
        raise OAuthError("invalid_client")
    return client


def new_code(sandbox: Sandbox, code: Code) -> str:
    value = TOKEN_STYLE.get((code.service, "code"), "") + secrets.token_urlsafe(32)
    sandbox.state.codes[value] = code
    return value


def spend_code(call: Call, client: Client) -> Code:
    """Check and use up the authorisation code of a token call. Raises OAuthError."""
    form = call.request.form
    code = call.sandbox.state.codes.get(form.get("code", ""))
    if code is None or code.service != client.service or code.client_id != client.id:
        raise OAuthError("bad_code")
    if code.used:
        raise OAuthError("used_code")
    if call.sandbox.epoch() >= code.expires_at:
        raise OAuthError("expired_code")
    if form.get("redirect_uri", "") != code.redirect_uri:
        raise OAuthError("redirect_mismatch")
    if code.challenge and s256(form.get("code_verifier", "")) != code.challenge:
        raise OAuthError("bad_verifier")
    code.used = True
    return code


def s256(verifier: str) -> str:
    return encode(hashlib.sha256(verifier.encode()).digest())


def new_grant(sandbox: Sandbox, code: Code) -> Grant:
    """The grant that a code stands for; a new consent also clears the account's label."""
    grant = Grant(
        secrets.token_hex(8),
        code.service,
        code.client_id,
        code.email,
        list(code.scopes),
        sandbox.epoch(),
        code.offline,
    )
    sandbox.state.grants[grant.id] = grant
    account = sandbox.account(code.service, code.email)
    if account is not None:
        account.label = ""
    return grant


def issue(sandbox: Sandbox, grant: Grant, kind: str, life: float | None) -> str:
    """A new access or refresh token, valid for `life` seconds (None: for ever)."""
    value = TOKEN_STYLE.get((grant.service, kind), "") + secrets.token_urlsafe(40)
    now = sandbox.epoch()
    sandbox.state.tokens[value] = Token(grant.id, kind, None if life is None else now + life)
    forget_old(sandbox, now)
    return value


def forget_old(sandbox: Sandbox, now: float) -> None:
    """Drop access tokens and codes that ran out over a day ago, so that the file stays small."""
    state = sandbox.state
    for value, token in list(state.tokens.items()):
        if token.expires_at is not None and token.expires_at < now - DAY:
            del state.tokens[value]
    for value, code in list(state.codes.items()):
        if code.expires_at < now - DAY:
            del state.codes[value]


def spend_refresh(call: Call, client: Client) -> tuple[Grant, Token]:
    """The grant behind a refresh token, if it may be used. Raises OAuthError."""
    token = call.sandbox.state.tokens.get(call.request.form.get("refresh_token", ""))
    if token is None or token.kind != "refresh":
        raise OAuthError("bad_refresh")
    grant = call.sandbox.state.grants[token.grant]
    if grant.client_id != client.id:
        raise OAuthError("wrong_client")
    if grant.ended:
        raise OAuthError(grant.ended)
    if token.dead:
        raise OAuthError("bad_refresh")
    if token.expires_at is not None and call.sandbox.epoch() >= token.expires_at:
        raise OAuthError("expired_refresh")
    return grant, token


def identify_bearer(call: Call) -> str:
    """Find account and grant of an API call; the answer says what is wrong with the token: "" (nothing),
    missing, unknown, expired, or the reason for which the grant ended."""
    sandbox = call.sandbox
    value = call.request.bearer()
    if not value:
        return "missing"
    token = sandbox.state.tokens.get(value)
    if token is None or token.kind != "access":
        return "unknown"
    grant = sandbox.state.grants[token.grant]
    if grant.service != call.service:
        return "unknown"
    call.grant, call.account = grant, sandbox.account(grant.service, grant.email)
    if call.account is None:
        return "unknown"
    if grant.ended:
        return grant.ended
    if token.dead or (token.expires_at is not None and sandbox.epoch() >= token.expires_at):
        return "expired"
    return ""


def identify_token_call(call: Call) -> None:
    """Find the account that a token call is about, so that its faults apply and the log can name it."""
    state, form = call.sandbox.state, call.request.form
    token = state.tokens.get(form.get("refresh_token") or form.get("token") or "")
    if token is not None:
        call.grant = state.grants[token.grant]
        call.account = call.sandbox.account(call.grant.service, call.grant.email)
        return
    code = state.codes.get(form.get("code", ""))
    if code is not None:
        call.account = call.sandbox.account(code.service, code.email)


def end_grants(sandbox: Sandbox, account: Account, reason: str, client_id: str | None = None) -> int:
    """End all living grants of an account (of one client); their tokens are dead from now on."""
    ended = 0
    for grant in sandbox.grants_of(account):
        if not grant.ended and client_id in (None, grant.client_id):
            grant.ended = reason
            ended += 1
    return ended


def signing_key(sandbox: Sandbox) -> rsa.RSAPrivateKey:
    """The key of all id tokens, kept with the state."""
    sandbox.state.signing_key = sandbox.state.signing_key or _new_key()
    return _load_key(sandbox.state.signing_key)


@cache
def _new_key() -> str:
    """One key a process: making one takes longer than everything else here."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()


@cache
def _load_key(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the signing key is not an RSA key")
    return key


def id_token(sandbox: Sandbox, claims: dict[str, Any]) -> str:
    """A signed JWT (RS256)."""
    header = {"alg": "RS256", "kid": "sandbox", "typ": "JWT"}
    text = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    signature = signing_key(sandbox).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{encode(signature)}"


def key_set(sandbox: Sandbox) -> dict[str, Any]:
    """The public key as a JWK set."""
    numbers = signing_key(sandbox).public_key().public_numbers()
    modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "sandbox", "n": encode(modulus), "e": "AQAB"}
    return {"keys": [key]}


def encode(value: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
