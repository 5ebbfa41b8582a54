"""The parts of the design side by side, and every mail: for whoever works on Awase, in the demo and while debugging."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from awase.models import BookingPage
from awase.services import mail_samples
from awase.web import page_mails
from awase.web.page_forms import THEMES
from awase.web.page_mails import WordsForm
from awase.web.shell import action, post

ICONS = (
    "mark home calendar video phone place link clock person people globe warning check arrow-left arrow-right plus"
    " settings mail download copy external exit menu list plug pencil search chart"
)
TOKENS = (
    "paper card ink muted line control accent on-accent soft danger danger-soft warn warn-soft ok ok-soft neutral-soft"
)


def for_development(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Only in the demo and while debugging; elsewhere there is no such page."""

    @require_safe
    @wraps(view)
    def inside(request: HttpRequest, **which: str) -> HttpResponse:
        if not (settings.AWASE_DEMO or settings.DEBUG):
            raise Http404
        return view(request, **which)

    return inside


@for_development
def parts(request: HttpRequest) -> HttpResponse:
    """Every component as the screens include it."""
    refused = WordsForm({"subject": "{nobody}", "text": ""})
    problem = {
        "what": "Google カレンダー(佐藤 健さん)に接続できません。",
        "why": "アクセス権が取り消されました。再接続してください。",
        "confirm_url": "#",
        "cures": [[action("再接続する", "#")], [post("一時的に外す", "#"), post("所有者を変える", "#")]],
        "told": ["佐藤さんだけが再接続できます。"],
    }
    context = {
        "icons": ICONS.split(),
        "tokens": TOKENS.split(),
        "themes": [name for name in THEMES if name],
        "badges": [
            {"kind": kind, "label": label}
            for kind, label in (
                ("ok", "受付中"),
                ("warn", "佐藤さんを除く2名で受付中"),
                ("danger", "接続エラーにより停止中"),
                ("neutral", "手動で停止中"),
            )
        ],
        "buttons": [action("予約する", "#", style) for style in ("filled", "outlined", "link")],
        "problems": [problem, problem | {"kind": "warn", "cures": []}, problem | {"kind": "neutral", "cures": []}],
        "tabs": [{"label": "すべて", "url": "#", "current": True}, {"label": "接続済み", "url": "#", "error": True}],
        "history": [
            {"kind": "danger", "when": "12月1日 9:00", "text": "停止しました", "cause": "定期確認"},
            {"kind": "ok", "when": "12月1日 9:05", "text": "再開しました", "account": "sato@example.jp"},
        ],
        "form": refused,
        "empty_action": action("予約ページを作成する", "#", "filled"),
    }
    return render(request, "gallery/parts.html", context)


@for_development
def mails(request: HttpRequest) -> HttpResponse:
    """Every mail in both languages, in a narrow and in a wide frame."""
    shown = [
        {"name": name, "urls": [f"/app/gallery/mails/{language}/{name}" for language in page_mails.LANGUAGES]}
        for name in mail_samples.ALL
    ]
    return render(request, "gallery/mails.html", {"mails": shown})


@for_development
@xframe_options_sameorigin
def mail(request: HttpRequest, language: str, name: str) -> HttpResponse:
    """One mail, for a frame."""
    page = BookingPage.objects.select_related("owner__user").order_by("pk").first()
    if page is None or name not in mail_samples.ALL or language not in page_mails.LANGUAGES:
        raise Http404
    return page_mails.shown(mail_samples.sample(page, name, language, timezone.now()))
