"""The consent screen: choose an account, tick scopes, allow or deny."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from sandbox.oauth import new_code, redirect_allowed
from sandbox.pages import both, page
from sandbox.state import Account, Client, Code
from sandbox.wire import Call, Response, html_response, redirect

IDENTITY = ("openid", "email", "profile", "offline_access")
SCOPE_WORDS = {
    "calendar.freebusy": ("See when you are free or busy", "空き時間を確認"),
    "calendar.calendarlist.readonly": ("See the list of your calendars", "カレンダーの一覧を表示"),
    "calendar.events": ("See and edit events on all your calendars", "すべての予定の表示と編集"),
    "calendar.events.owned": ("See and edit events on calendars you own", "所有するカレンダーの予定の編集"),
    "calendar.events.readonly": ("See events on all your calendars", "すべての予定の表示"),
    "calendar.readonly": ("See your calendars", "カレンダーの表示"),
    "calendar": ("See, edit and delete all your calendars", "カレンダー全体の編集"),
    "admin.directory.resource.calendar.readonly": ("See your organisation's rooms", "組織の会議室の一覧を表示"),
    "Calendars.ReadWrite": ("Read and write your calendars", "予定表の読み取りと書き込み"),
    "Calendars.Read": ("Read your calendars", "予定表の読み取り"),
    "OnlineMeetings.ReadWrite": ("Create online meetings", "オンライン会議の作成"),
    "User.Read": ("Sign you in and read your profile", "サインインとプロフィールの読み取り"),
    "meeting:write:meeting": ("Create meetings", "ミーティングの作成"),
    "meeting:update:meeting": ("Change meetings", "ミーティングの変更"),
    "meeting:delete:meeting": ("Delete meetings", "ミーティングの削除"),
    "meeting:read:meeting": ("See a meeting", "ミーティングの表示"),
    "meeting:read:list_meetings": ("See the list of your meetings", "ミーティングの一覧"),
    "user:read:user": ("See your profile", "プロフィールの表示"),
}


@dataclass(frozen=True)
class Consent:
    """How one service's consent differs. `scopes` names what may be granted; `offline` says whether the
    code will yield a refresh token; `refused` are the parameters of a denial; `blocked` those for an
    account that may not consent (by the name of the fault)."""

    service: str
    title: str
    code_life: float
    choose_scopes: bool
    scopes: Callable[[Client, dict[str, str]], list[str]]
    offline: Callable[[Call, Account, dict[str, str]], bool]
    refused: dict[str, str]
    blocked: dict[str, dict[str, str]]

    def show(self, call: Call) -> Response:
        """GET: the screen, or an error page where the request may not be sent back."""
        return self._screen(call, call.request.query)

    def decide(self, call: Call) -> Response:
        """POST of the screen's form: send the person back with a code or an error."""
        form = call.request.form
        asked = dict(parse_qsl(form.get("request", ""), keep_blank_values=True))
        problem = self._problem(call, asked)
        if problem is not None:
            return problem
        if form.get("decision") != "allow":
            return self._back(asked, self.refused)
        typed = form.get("new_account", "").strip().lower()
        email = typed or form.get("account", "").strip().lower()
        if email.count("@") != 1 or not all(email.split("@")):
            return self._screen(call, asked, both("Type a mail address.", "メールアドレスを入力してください。"))
        account = call.sandbox.account(self.service, email)
        if account is None:
            account = call.sandbox.add_account(self.service, email)
        call.account = account
        for fault, answer in self.blocked.items():
            if call.has(fault):
                return self._back(asked, answer)
        granted = self.scopes(call.sandbox.state.clients[asked["client_id"]], asked)
        if self.choose_scopes:
            ticked = {value for name, value in call.request.form_pairs if name == "scope"}
            granted = [scope for scope in granted if scope in IDENTITY or scope in ticked]
        if asked.get("include_granted_scopes") == "true":
            granted = list(dict.fromkeys(granted + _granted_before(call, account, asked["client_id"])))
        code = new_code(
            call.sandbox,
            Code(
                self.service,
                asked["client_id"],
                asked["redirect_uri"],
                email,
                granted,
                asked.get("code_challenge", ""),
                call.sandbox.epoch() + self.code_life,
                self.offline(call, account, asked),
                asked.get("nonce", ""),
            ),
        )
        extra = {"scope": " ".join(granted)} if self.choose_scopes else {}
        return self._back(asked, {"code": code, **extra})

    def _problem(self, call: Call, asked: dict[str, str]) -> Response | None:
        client = call.sandbox.state.clients.get(asked.get("client_id", ""))
        if client is None or client.service != self.service:
            return self._error(401, "invalid_client", "The OAuth client was not found.")
        if not redirect_allowed(client, asked.get("redirect_uri", "")):
            return self._error(400, "redirect_uri_mismatch", "The redirect address is not registered.")
        if asked.get("response_type") != "code":
            return self._back(asked, {"error": "unsupported_response_type"})
        if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
            return self._back(asked, {"error": "invalid_request", "error_description": "Use S256."})
        if asked.get("prompt") == "none":
            return self._back(asked, {"error": "interaction_required"})
        if not self.scopes(client, asked):
            return self._back(asked, {"error": "invalid_scope"})
        return None

    def _error(self, status: int, code: str, text: str) -> Response:
        body = (
            f"<h1>{escape(self.title)}: {both('access blocked', '接続できません')}</h1>"
            f'<p class="card"><strong>Error {status}: {code}</strong><br>{escape(text)}</p>'
        )
        return html_response(status, page(f"Error {status}: {code}", body, narrow=True))

    def _back(self, asked: dict[str, str], answer: dict[str, str]) -> Response:
        address = asked["redirect_uri"]
        if "state" in asked:
            answer = {**answer, "state": asked["state"]}
        return redirect(f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(answer)}")

    def _screen(self, call: Call, asked: dict[str, str], message: str = "") -> Response:
        problem = self._problem(call, asked)
        if problem is not None:
            return problem
        accounts = call.sandbox.accounts(self.service)
        hint = asked.get("login_hint", "").strip().lower()
        known = {account.email for account in accounts}
        typed = hint if hint not in known else ""
        chosen = hint or (accounts[0].email if accounts else "")
        scopes = [
            scope
            for scope in self.scopes(call.sandbox.state.clients[asked["client_id"]], asked)
            if scope not in IDENTITY
        ]
        picks = "".join(_account_pick(account, account.email == chosen) for account in accounts)
        error = f'<p class="badge bad" role="alert">{message}</p>' if message else ""
        body = f"""<h1>{escape(self.title)} — {both("allow access", "アクセスの許可")}</h1>
<p class="muted">{both("Awase asks for access to your account.", "Awase がアカウントへのアクセスを求めています。")}</p>
{error}<form method="post" class="card">
<input type="hidden" name="request" value="{escape(urlencode(asked))}">
<fieldset><legend>{both("Account", "アカウント")}</legend>{picks}
<label style="margin-top:12px">{both("Another account", "別のアカウント")}
<input type="email" name="new_account" value="{escape(typed)}" placeholder="name@example.com" autocomplete="off">
</label><small>{both("A new address makes a new account.", "新しいアドレスでアカウントが作られます。")}</small>
</fieldset>
<fieldset><legend>{both("Access", "アクセスの内容")}</legend>
{"".join(_scope_pick(scope, self.choose_scopes) for scope in scopes)}</fieldset>
<div class="row"><button class="primary" name="decision" value="allow">{both("Allow", "許可")}</button>
<button name="decision" value="deny">{both("Deny", "キャンセル")}</button></div></form>"""
        return html_response(200, page(f"{self.title} (sandbox)", body, narrow=True))


def _granted_before(call: Call, account: Account, client_id: str) -> list[str]:
    """What this person has granted this client and not taken back."""
    grants = [grant for grant in call.sandbox.grants_of(account) if grant.client_id == client_id and not grant.ended]
    return [scope for grant in grants for scope in grant.scopes]


def _account_pick(account: Account, chosen: bool) -> str:
    mark = " checked" if chosen else ""
    return (
        f'<label class="pick"><input type="radio" name="account" value="{escape(account.email)}"{mark}>'
        f"<span>{escape(account.name)}<br><small>{escape(account.email)}</small></span></label>"
    )


def _scope_pick(scope: str, choose: bool) -> str:
    short = scope.rsplit("/", 1)[-1]
    english, japanese = SCOPE_WORDS.get(short, (short, ""))
    words = f"<span>{both(english, japanese)}<br><small>{escape(short)}</small></span>"
    if not choose:
        return f'<div class="scope">{words}</div>'
    box = f'<input type="checkbox" name="scope" value="{escape(scope)}" checked>'
    return f'<label class="pick">{box}{words}</label>'
