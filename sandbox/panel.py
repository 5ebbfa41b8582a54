"""The control panel at /: every account with its state, its calendars and meetings, and the fault buttons."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from sandbox import control, faults
from sandbox.pages import both, page
from sandbox.state import Account, Sandbox
from sandbox.wire import Request, Response, html_response, redirect

TITLES = {"google": "Google", "microsoft": "Microsoft", "zoom": "Zoom"}
BUTTONS = ("revoked", "scope_missing", "outage", "rate_limited", "expired_access")


def answer(sandbox: Sandbox, request: Request) -> Response | None:
    if request.path == "/" and request.method == "GET":
        return html_response(200, page("Awase sandbox", body(sandbox)))
    if request.path == "/panel/fault" and request.method == "POST":
        if control.foreign(request):
            return control.problem(403, "foreign_origin", "Only the sandbox's own pages may change it.")
        form = request.form
        account = sandbox.account(form.get("service", ""), form.get("email", ""))
        name = form.get("fault", "")
        if account is not None and (name == "ok" or name in faults.MODES or name in faults.ACTS):
            faults.set_fault(sandbox, account, name)
        return redirect(f"/#{anchor(account) if account else ''}", 303)
    return None


def anchor(account: Account) -> str:
    return quote(f"{account.service}-{account.email}", safe="@-.")


def body(sandbox: Sandbox) -> str:
    parts = [f"<h1>{both('Sandbox of the services', 'サービスの練習環境')}</h1>"]
    for service, title in TITLES.items():
        cards = "".join(card(sandbox, account) for account in sandbox.accounts(service))
        empty = both("No accounts yet.", "アカウントはまだありません。")
        parts.append(f"<h2>{title}</h2>")
        parts.append(f'<div class="grid">{cards}</div>' if cards else f'<p class="muted">{empty}</p>')
    return "".join(parts)


def card(sandbox: Sandbox, account: Account) -> str:
    standing = faults.standing(account)
    words = ("Works", "正常") if standing == "ok" else faults.describe(standing)
    colour = "" if standing == "ok" else " bad"
    buttons = "".join(button(account, name) for name in BUTTONS)
    return f"""<section class="card" id="{escape(anchor(account))}">
<div class="head"><div><h3>{escape(account.name)}</h3><small>{escape(account.email)}</small></div>
<span class="badge{colour}">{both(*words)}</span></div>
<div class="row">{button(account, "ok")}{buttons}</div></section>"""


def button(account: Account, name: str) -> str:
    words = ("Repair", "正常に戻す") if name == "ok" else faults.describe(name)
    return f"""<form method="post" action="/panel/fault">
<input type="hidden" name="service" value="{account.service}">
<input type="hidden" name="email" value="{escape(account.email)}">
<button class="small" name="fault" value="{name}">{both(*words)}</button></form>"""
