"""Faults on demand: modes that last, acts against a grant, raw answers."""

from __future__ import annotations

from typing import Any

from sandbox.oauth import end_grants
from sandbox.push import zoom_deauthorized, zoom_status
from sandbox.state import Account, Fault, Override, Sandbox
from sandbox.wire import Call, Response, html_response

# Modes last until `ok` (or for `seconds`). Some are answered here, some by the services' own tables,
# some only change what a handler does.
MODES = {
    "outage": ("Outage (503)", "障害（503）"),
    "rate_limited": ("Rate limited", "回数制限"),
    "timeout": ("No answer", "応答なし"),
    "lost_answer": ("Carried out, answer lost", "実行されるが応答なし"),
    "html_body": ("HTML instead of JSON", "JSONの代わりにHTML"),
    "truncated_json": ("Answer cut off", "途中で切れた応答"),
    "disabled": ("Account disabled", "アカウント停止"),
    "account_gone": ("Account deleted", "アカウント削除"),
    "admin_blocked": ("Blocked by the admin", "管理者による制限"),
    "no_mailbox": ("No calendar behind the account", "カレンダーなし"),
    "no_licence": ("No licence for online meetings", "会議ライセンスなし"),
    "meet_failed": ("Meet link fails", "Meetリンクの作成失敗"),
    "no_admin": ("No administrator", "管理者ではない"),
    "calendar_error": ("One calendar fails", "一つのカレンダーのエラー"),
    "app_secret_expired": ("Secret of the app expired", "アプリのシークレット期限切れ"),
    "code": ("One error code at the token endpoint", "トークン発行のエラーコード"),
}
# Acts end or narrow what was granted; a new consent repairs them. `ok` takes back all but the FINAL ones.
ACTS = {
    "revoked": ("Access revoked", "アクセス権の取り消し"),
    "expired": ("Refresh token expired", "長期トークンの期限切れ"),
    "password_changed": ("Password changed", "パスワード変更"),
    "mfa_required": ("Second factor wanted", "多要素認証の要求"),
    "consent_missing": ("Consent removed", "同意の取り消し"),
    "scope_missing": ("Scopes missing", "権限不足"),
    "expired_access": ("Access token expired", "アクセストークンの期限切れ"),
    "app_deauthorized": ("App removed by the user (Zoom tells)", "利用者によるアプリの削除（Zoomは通知）"),
    "sync_expired": ("Sync tokens expired", "同期トークンの期限切れ"),
}
FINAL = ("revoked", "app_deauthorized")


def describe(name: str) -> tuple[str, str]:
    return MODES.get(name) or ACTS[name]


def set_fault(
    sandbox: Sandbox,
    account: Account,
    name: str,
    operation: str = "*",
    seconds: float | None = None,
    params: dict[str, Any] | None = None,
) -> None:
    """Switch a fault on, or, with `ok`, everything off. Raises KeyError for an unknown name."""
    if name == "ok":
        repair(sandbox, account)
    elif name in MODES:
        account.faults = [fault for fault in account.faults if fault.operation != operation]
        until = None if seconds is None else sandbox.epoch() + seconds
        account.faults.append(Fault(name, operation, params or {}, until))
        if name == "disabled" and account.service == "zoom":
            zoom_status(sandbox, account, active=False)
    elif name in ACTS:
        act(sandbox, account, name, params or {})
    else:
        raise KeyError(name)


def act(sandbox: Sandbox, account: Account, name: str, params: dict[str, Any]) -> None:
    grants = sandbox.grants_of(account)
    if name == "scope_missing":
        wanted = params.get("scopes")
        for grant in grants:
            lost = [
                scope
                for scope in grant.scopes
                if (scope in wanted if wanted else scope not in ("openid", "email", "profile"))
            ]
            grant.scopes = [scope for scope in grant.scopes if scope not in lost]
            grant.withheld += lost
    elif name == "expired_access":
        ids = {grant.id for grant in grants}
        for token in sandbox.state.tokens.values():
            if token.kind == "access" and token.grant in ids:
                token.dead = True
        return  # the next refresh cures it: nothing to remember
    elif name == "sync_expired":
        for calendar in account.calendars.values():
            calendar.sync_epoch += 1
        return
    else:
        end_grants(sandbox, account, name)
        if name == "app_deauthorized" and account.service == "zoom":
            zoom_deauthorized(sandbox, account)
    account.label = name


def repair(sandbox: Sandbox, account: Account) -> None:
    """End all modes and take back acts, except the FINAL ones, which only a new consent repairs."""
    if account.service == "zoom" and any(fault.name == "disabled" for fault in account.faults):
        zoom_status(sandbox, account, active=True)
    account.faults.clear()
    account.latency = 0.0
    state = sandbox.state
    state.overrides = [raw for raw in state.overrides if raw.email != account.email]
    for grant in sandbox.grants_of(account):
        if grant.ended in ACTS and grant.ended not in FINAL:
            grant.ended = ""
        grant.scopes += grant.withheld
        grant.withheld = []
    if account.label not in FINAL:
        account.label = ""


def standing(account: Account) -> str:
    """The name of what is wrong with an account, or ok."""
    return account.faults[-1].name if account.faults else account.label or "ok"


def raw_answer(call: Call) -> Response | None:
    """The override that applies to this call, used up by one."""
    overrides = call.sandbox.state.overrides
    for override in overrides:
        if _applies(override, call):
            if override.times is not None:
                override.times -= 1
                if override.times <= 0:
                    overrides.remove(override)
            headers = dict(override.headers)
            headers.setdefault("Content-Type", "application/json; charset=utf-8")
            return Response(override.status, override.body.encode(), headers)
    return None


def _applies(override: Override, call: Call) -> bool:
    if override.service != call.service:
        return False
    if override.email and (call.account is None or call.account.email != override.email):
        return False
    return override.operation in ("*", call.route.kind, call.route.operation)


def html_answer(fault: Fault) -> Response:
    page = "<html><head><title>Error</title></head><body><h1>We're sorry</h1></body></html>"
    return html_response(int(fault.params.get("status", 200)), page)


def cut_off(response: Response) -> Response:
    """The first half of a JSON answer, with a length that fits: valid HTTP, unreadable JSON."""
    if response.body.startswith((b"{", b"[")):
        response.body = response.body[: max(1, len(response.body) // 2)]
    return response
