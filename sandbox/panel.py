"""The control panel at /: every account with its state, its calendars and meetings, and the fault buttons."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from sandbox import control, faults
from sandbox.pages import both, page
from sandbox.state import SERVICES, Account, Sandbox
from sandbox.wire import Request, Response, html_response, redirect

TITLES = {service: service.title() for service in SERVICES}
BUTTONS = {
    "ok": ("Repair", "正常に戻す"),
    "revoked": ("Revoke access", "権限を取り消す"),
    "scope_missing": ("Remove scopes", "一部の権限を外す"),
    "expired_access": ("Expire token", "期限切れにする"),
    "outage": ("Outage", "障害を起こす"),
    "rate_limited": ("Limit the rate", "回数を制限する"),
}
LOOKS = {"ok": "primary", "revoked": "danger"}
MOST_SHOWN = 6
SHOWN_ZONE = ZoneInfo("Asia/Tokyo")


def answer(sandbox: Sandbox, request: Request) -> Response | None:
    """Answer a request for the panel; None if it is none."""
    if request.path == "/" and request.method == "GET":
        return html_response(200, page("Awase sandbox", body(sandbox)))
    if request.path not in ("/panel/fault", "/panel/account") or request.method != "POST":
        return None
    if control.foreign(request):
        return control.problem(403, "foreign_origin", "Only the sandbox's own pages may change it.")
    form = request.form
    service, email = form.get("service", ""), form.get("email", "").strip().lower()
    account = sandbox.account(service, email) if service in SERVICES else None
    if request.path == "/panel/account":
        if account is None and service in SERVICES and email.count("@") == 1:
            account = sandbox.add_account(service, email)
    elif account is not None:
        name = form.get("fault", "")
        if name == "ok" or name in faults.MODES or name in faults.ACTS:
            faults.set_fault(sandbox, account, name)
    return redirect(f"/#{anchor(account) if account else ''}", 303)


def anchor(account: Account) -> str:
    return quote(f"{account.service}-{account.email}", safe="@-.")


def body(sandbox: Sandbox) -> str:
    parts = [f"<h1>{both('Stand-in for Google, Microsoft and Zoom', '連携サービスの練習環境')}</h1>"]
    for service, title in TITLES.items():
        accounts = sandbox.accounts(service)
        cards = "".join(card(sandbox, account) for account in accounts)
        empty = both("No accounts yet.", "アカウントはまだありません。")
        parts.append(f"<h2>{title}</h2>")
        parts.append(f'<div class="grid">{cards}</div>' if cards else f'<p class="muted">{empty}</p>')
    options = "".join(f'<option value="{service}">{title}</option>' for service, title in TITLES.items())
    parts.append(f"""<h2>{both("New account", "アカウントの追加")}</h2>
<form class="card form" method="post" action="/panel/account">
<label>{both("Service", "サービス")}<select name="service">{options}</select></label>
<label>{both("Mail address", "メールアドレス")}<input type="email" name="email" required autocomplete="off"></label>
<div><button class="primary">{both("Add", "追加")}</button></div></form>""")
    return "".join(parts)


def card(sandbox: Sandbox, account: Account) -> str:
    view = control.account_view(sandbox, account)
    standing = view["fault"]
    state = ("Works", "正常") if standing == "ok" else faults.describe(standing)
    colour = "" if standing == "ok" else " bad"
    linked = ("Connected", "連携中") if view["grants"] else ("Not connected", "未連携")
    needless = {"ok"} if standing in ("ok", *faults.FINAL) else set()
    buttons = "".join(button(account, name, words) for name, words in BUTTONS.items() if name not in needless)
    hint = (
        f'<p class="muted">{both("Connect again in Awase to repair this.", "Awase で再連携すると直ります。")}</p>'
        if standing in faults.FINAL
        else ""
    )
    return f"""<section class="card" id="{escape(anchor(account))}">
<div class="head"><div><h3>{escape(account.name)}</h3><small>{escape(account.email)}</small></div>
<span class="badge{colour}">{both(*state)}</span></div>
<p class="muted">{both(*linked)}</p>{hint}{agenda(sandbox, view)}
<div class="acts">{buttons}</div>{more(account)}</section>"""


def agenda(sandbox: Sandbox, view: dict[str, Any]) -> str:
    """The calendars with their coming events, or the coming meetings."""
    since = (sandbox.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    parts = [entries(calendar["name"], calendar["events"], since) for calendar in view["calendars"]]
    if not view["calendars"] or view["meetings"]:
        found = [
            {
                "title": meeting.get("title") or meeting.get("subject") or "",
                "start": meeting.get("start") or meeting.get("startDateTime") or "",
                "join_url": meeting.get("join_url") or meeting.get("joinWebUrl"),
            }
            for meeting in view["meetings"]
        ]
        parts.append(entries("Meetings ミーティング", found, since))
    return "".join(parts)


def entries(name: str, events: list[dict[str, Any]], since: str) -> str:
    coming = sorted((event for event in events if event["start"] >= since), key=lambda event: event["start"])
    rows = "".join(
        f"<li><time>{local(event['start'])}</time> {escape(event['title'])}{link(event)}</li>"
        for event in coming[:MOST_SHOWN]
    )
    left = len(coming) - MOST_SHOWN
    if left > 0:
        rows += f'<li class="muted">{both(f"and {left} more", f"ほか{left}件")}</li>'
    if not coming:
        rows = f'<li class="muted">{both("Nothing coming up.", "予定はありません。")}</li>'
    return f"<h4>{escape(name)}</h4><ul>{rows}</ul>"


def link(event: dict[str, Any]) -> str:
    return f"<br><small><code>{escape(event['join_url'])}</code></small>" if event.get("join_url") else ""


def local(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(SHOWN_ZONE).strftime("%m/%d %H:%M")


def button(account: Account, name: str, words: tuple[str, str]) -> str:
    return f"""<form method="post" action="/panel/fault">{fields(account)}
<button class="{LOOKS.get(name, "")}" name="fault" value="{name}">{both(*words)}</button></form>"""


def more(account: Account) -> str:
    """Every other fault, in a list to choose from."""
    others = [name for name in [*faults.MODES, *faults.ACTS] if name not in BUTTONS]
    options = "".join(f'<option value="{name}">{" ".join(faults.describe(name))}</option>' for name in others)
    return f"""<details><summary>{both("Other faults", "その他の障害")}</summary>
<form class="form" method="post" action="/panel/fault">{fields(account)}
<label>{both("Fault", "障害")}<select name="fault">{options}</select></label>
<div><button>{both("Switch on", "起こす")}</button></div></form></details>"""


def fields(account: Account) -> str:
    return (
        f'<input type="hidden" name="service" value="{account.service}">'
        f'<input type="hidden" name="email" value="{escape(account.email)}">'
    )
