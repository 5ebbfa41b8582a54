"""Pages and bookings in every state that a guest can meet, as rows of a running product, in a workspace of their own.

`python -m tests.e2e.scenes FOLDER` writes them into the demo that runs there, and prints their addresses by name, which
`tests/e2e/screens.py` uses as `{name}`. The people have no accounts, so nothing waits for a service.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine

from tests.e2e.inside import enter

WORKSPACE = "scenes"
OWNER = "mori@scenes.example"
PAGE_PASSWORD = "himitsu"
HOURS = [[[540, 1080]]] * 5 + [[], []]
ROOM = ("in_person", "東京都港区みなと1-2-3 みなとビル5階")
QUESTIONS = (
    {"key": "topic", "kind": "short", "label": "ご相談の件名", "required": True},
    {"key": "details", "kind": "long", "label": "ご相談の内容"},
    {"key": "plan", "kind": "one", "label": "ご検討中のプラン", "options": ["ライト", "スタンダード", "プロ"]},
    {
        "key": "prefecture",
        "kind": "one",
        "label": "所在地",
        "options": ["北海道", "宮城県", "東京都", "愛知県", "大阪府", "福岡県"],
    },
    {"key": "tools", "kind": "several", "label": "お使いのツール", "options": ["Google", "Microsoft", "Zoom"]},
    {"key": "people", "kind": "number", "label": "参加人数"},
    {"key": "since", "kind": "date", "label": "ご利用開始の希望日"},
    {"key": "paper", "kind": "file", "label": "参考資料"},
    {"key": "terms", "kind": "checkbox", "label": "個人情報の取り扱いに同意します", "required": True},
)


class Scenes:
    """The addresses by name, and how to make what lies behind them."""

    def __init__(self, now: datetime) -> None:
        from awase.demo.people import PASSWORD
        from awase.models import Member, User
        from awase.services import accounts, branding, profiles
        from tests.web.test_page_looks import png

        self.now = now
        self.addresses = {"member": f"/{WORKSPACE}/@mori"}
        owner = User.objects.create_user(OWNER, PASSWORD, name="森 あかり")
        self.owner: Member = accounts.found_workspace(owner, "森の相談室", WORKSPACE)
        # A colour on which white cannot be read, and in which words cannot: what is made of it is looked at everywhere.
        branding.save_colour(self.owner, "#e0a100")
        branding.save_logo(self.owner, png(120, 40), "image/png")
        profiles.save(self.owner, slug="mori", about="相談室の室長です。\nはじめての方もお気軽にどうぞ。")
        others = (("林 健太", "hayashi"), ("Olivia Brown", "olivia"))
        self.team = [
            self.owner,
            *(
                accounts.add_member(
                    self.owner.workspace, User.objects.create_user(f"{local}@scenes.example", PASSWORD, name=name)
                )
                for name, local in others
            ),
        ]

    def page(self, slug: str, title: str, *places: tuple[str, str], people: int = 1, **fields: Any) -> Any:
        from awase.models import Location, PageMember
        from awase.services import pages

        page = pages.create(
            self.owner, title=title, slug=slug, now=self.now, calendar_required=False, **{"notice_minutes": 0, **fields}
        )
        for position, member in enumerate(self.team[1:people], start=1):
            PageMember.objects.create(page=page, member=member, position=position)
        for position, (kind, detail) in enumerate(places or (ROOM,)):
            Location.objects.create(page=page, kind=kind, detail=detail, position=position)
        pages.saved(page, (), self.now)
        self.addresses[slug] = f"/{WORKSPACE}/{slug}/"
        return page

    def forms_of_yesterday(self, page: Any) -> None:
        """What two forms carried that were opened yesterday: for a time that is still to come, and for one that has
        passed since."""
        from awase.services.slots import offer
        from awase.web.booking_form import sign

        to_come = datetime.fromtimestamp(
            offer(page, self.now, self.now + timedelta(days=21), self.now).slots.starts[-1], UTC
        )
        with time_machine.travel(self.now - timedelta(hours=20), tick=False):
            for name, start in (("to-come", to_come), ("passed", self.now.replace(minute=0, second=0, microsecond=0))):
                self.addresses[f"token-{name}"] = sign(page, start, name)

    def booking(self, name: str, page: Any, then: Callable[[Any], object] | None = None, **about: Any) -> Any:
        """A booking of the page's first free time; `then` changes it."""
        from awase.models import Booking
        from awase.services import booking, links
        from awase.services.slots import offer

        starts = offer(page, self.now, self.now + timedelta(days=21), self.now).slots.starts
        guest = booking.Guest(
            name="山田 花子", email="hanako@guest.example", language="ja", time_zone="Asia/Tokyo", **about
        )
        made = booking.book(page, booking.Request(start=datetime.fromtimestamp(starts[0], UTC), guest=guest), self.now)
        if then is not None:
            rows = Booking.objects.select_related("page__workspace", "page__owner", "workspace", "session")
            then(rows.get(pk=made.pk))
        self.addresses[name] = f"/b/{made.uid}/{links.manage_secret(made)}"
        return made


def write(now: datetime) -> dict[str, str]:
    """Every scene."""
    from django.conf import settings

    from awase.models import Booking, Condition
    from awase.models.page import Approval, Assignment, Visibility
    from awase.services import booking, links, requests

    scenes = Scenes(now)
    owner = scenes.owner
    by_phone = ("phone", "03-0000-2001")
    scenes.page("questions", "導入のご相談", ROOM, by_phone, ("ask_guest", ""), questions=list(QUESTIONS))
    scenes.page(
        "staff",
        "個別面談",
        people=3,
        condition=Condition.ANY,
        assignment=Assignment.GUEST,
        durations=[15, 60],
    )
    scenes.page("group", "体験説明会", seats=8, description="少人数で行う説明会です。お気軽にお越しください。")
    scenes.page("full", "夏期講習", period_days=None, period_first=date(2020, 7, 1), period_last=date(2020, 8, 31))
    secret = scenes.page("secret", "役員面談", visibility=Visibility.SECRET, indexed=False)
    scenes.addresses["secret"] = links.renew_secret(secret, by=owner).removeprefix(settings.AWASE_URL)
    _link, once = links.make_one_time(secret, owner, now - timedelta(days=60))
    scenes.addresses["run-out"] = once.removeprefix(settings.AWASE_URL)
    _link, once = links.make_one_time(secret, owner, now)
    scenes.addresses["once"] = once.removeprefix(settings.AWASE_URL)
    links.set_password(scenes.page("password", "ご契約者さま窓口"), PAGE_PASSWORD)
    scenes.page("thanks", "資料のご請求", thanks_url=f"{settings.AWASE_URL}/{WORKSPACE}/@mori")
    about = "撮影の内容とご予算をうかがいます。"
    plum = scenes.page("plum", "撮影のご相談", by_phone, accent="plum", description=about)

    def at(made: Booking, **fields: Any) -> None:
        Booking.objects.filter(pk=made.pk).update(**fields)

    scenes.page("closed", "見学のご予約", accepting=False, tell_when_open=True)
    scenes.forms_of_yesterday(scenes.page("overnight", "朝食会", seats=20))

    request = scenes.page("request", "取材のお申し込み", approval=Approval.HELD)
    away, ill = "当日は終日不在です。", "担当者が急病のため。"
    earlier, caller = now - timedelta(hours=3), {"phone": "090-0000-0000", "note": "はじめての利用です。"}
    over = {"start": earlier, "end": earlier + timedelta(minutes=30), "created_at": now - timedelta(days=9)}
    unlinked = {"location_kind": "zoom", "location_detail": "", "created_at": earlier}
    scenes.booking("requested", request)
    scenes.booking("approved", request, lambda made: requests.approve(made, now, by=owner))
    scenes.booking("declined", request, lambda made: requests.decline(made, now, by=owner, reason=away))
    scenes.booking("expired", request, lambda made: (at(made, answer_by=earlier), requests.lapse_due(now)))
    # Fresh for as long as the pictures take.
    scenes.booking("booked", plum, lambda made: at(made, created_at=now + timedelta(hours=3)), **caller)
    scenes.booking("standing", plum, lambda made: at(made, created_at=earlier), **caller)
    scenes.booking("cancelled", plum, lambda made: booking.cancel(made, now, by=owner, reason=ill), **caller)
    scenes.booking("over", plum, lambda made: at(made, **over), **caller)
    scenes.booking("link-follows", plum, lambda made: at(made, **unlinked), **caller)
    return scenes.addresses


if __name__ == "__main__":
    enter(Path(sys.argv[1]))
    print(json.dumps(write(datetime.now(UTC))))
