"""Each setting of the page editor is set by its form, and has its effect: on the public page, on what guests may do
with their booking, or in the mail. In both languages, as a host clicks through."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.e2e.walk import Editor, Walk, fill, press, teams, walk
from tests.web.test_page_looks import png

__all__ = ["teams", "walk"]


def ask(form: Locator, *questions: tuple[str, str]) -> None:
    """Write questions into the free rows, each with its kind."""
    for number, (label, kind) in enumerate(questions):
        fill(form, **{f"label-{number}": label, f"kind-{number}": kind})


def test_what_a_page_says_and_asks(walk: Walk, tmp_path: Path) -> None:
    picture = tmp_path / "cover.png"
    picture.write_bytes(png(160, 60))
    made = walk.page("Said and asked")

    # Basics: the preview follows what is typed; the note stays inside; another language and address.
    def basics(form: Locator) -> None:
        form.locator("#id_description-text").fill("Bring papers")
        expect(made.screen.frame_locator("#preview").locator("h1")).to_have_text("Renamed")

    other = walk.say("en", "ja")
    made.save(
        "basics", basics, title="Renamed", internal_note="Between us", language=other, slug=f"{made.public[9:]}-new"
    )
    assert walk.status(made.public) == 404
    made.public += "-new"
    made.save("design", accent="plum", picture=picture)
    page = made.guest()
    expect(page.locator("h1")).to_have_text("Renamed")
    expect(page.locator(".summary .prose")).to_have_text("Bring papers")
    expect(page.locator("html")).to_have_attribute("lang", other)
    expect(page.locator("body.theme-plum img.cover")).to_be_visible()
    assert "Between us" not in page.content()
    made.save("basics", language="")
    made.save("design", no_picture=True, accent="")
    page = made.guest()
    expect(page.locator("html")).to_have_attribute("lang", walk.reader.language)
    expect(page.locator("img.cover, .theme-plum")).to_have_count(0)

    # Locations in their order: the guest picks one.
    made.save("locations", add="in_person", add_detail="3F Minato")
    expect(made.guest().locator(".points")).to_contain_text("3F Minato")
    made.save("locations", add="link", add_detail="https://meet.example/room")
    made.section("locations")
    press(made.screen.locator("form#locations button[name=up]").first)
    form = made.form("10:00")
    places = form.locator("input[name=place]")
    expect(places).to_have_count(2)
    expect(form.locator("label:has(input[name=place])").last).to_contain_text(walk.say("対面", "In person"))

    # The form: every kind of question, in order, from the link, and where guests go afterwards.
    kinds = ("short", "long", "one", "several", "checkbox", "number", "date", "file", "short")
    thanks = f"{walk.demo.url}/{walk.slug}/"

    def questions(form: Locator) -> None:
        ask(form, *[(f"About {kind} {number}", kind) for number, kind in enumerate(kinds)])
        fill(form, **{"options-2": "Red\nBlue", "options-3": "Left\nRight", "required-2": True, "hidden-8": True})

    made.save("form", questions, ask_company="required", ask_phone="optional", ask_further=False, thanks_url=thanks)
    page = made.form("10:00", q_q1="from the link", q_q9="gold", utm_source="letter", utm_campaign="spring")
    asked = page.locator("main form.form")
    expect(asked.locator("[name=company][required]")).to_be_visible()
    expect(asked.locator("[name=phone]:not([required])")).to_be_visible()
    expect(asked.locator("[name=further]")).to_have_count(0)
    expect(asked.locator("[name=q_q1]")).to_have_value("from the link")
    expect(asked.locator("[name=q_q9]")).to_have_attribute("type", "hidden")
    fill(
        asked, company="Kaede", q_q2="Long", q_q3="Blue", q_q4=["Left", "Right"], q_q5=True, q_q6="4", q_q7="2031-05-06"
    )
    fill(asked, q_q8=picture, place=places.first.get_attribute("value"))
    press(asked.locator("button.filled").last)
    expect(page.locator(f"a.button[href='{thanks}']")).to_be_visible()
    expect(page.locator("main")).to_contain_text("meet.example")

    # All of it is with the booking: answers, the file, and how the guest came.
    screen = made.last_booking()
    for text in ("Kaede", "from the link", "gold", "Blue", "Left", "2031", "letter", "spring"):
        expect(screen.locator("dl.pairs")).to_contain_text(text)
    with screen.expect_download() as saved:
        screen.locator("a[href*='/files/']").click()
    assert saved.value.path().read_bytes() == picture.read_bytes()


def test_which_times_are_offered(walk: Walk) -> None:
    made = walk.page("Times")
    day = made.day
    made.save("locations", add="in_person", add_detail="3F Minato")
    assert made.times() == [f"{hour:02}:{minute}" for hour in range(9, 18) for minute in ("00", "30")]

    # Lengths, start interval, zone, buffers.
    made.save("times", duration_minutes=60, durations=["30"], step_minutes=60, time_zone="Europe/Paris")
    assert made.times() == [f"{hour:02}:00" for hour in range(9, 18)]
    expect(walk.guest.page.locator(".choose .chip")).to_have_count(2)
    # Where people meet at a place, a guest of whom no zone is known reads the page's own; one that was asked for stays.
    walk.guest.context.clear_cookies(name="zone")
    shown = made.guest().locator(".zone summary")
    expect(shown).to_contain_text("Europe/Paris")
    made.guest(zone="Asia/Kolkata")
    made.guest()
    expect(shown).to_contain_text("Asia/Kolkata")
    made.save("times", duration_minutes=60, step_minutes=30, durations=[])
    made.book("13:00")
    assert {"12:00", "14:00"} <= set(made.times())
    assert not {"12:30", "13:30"} & set(made.times())
    made.save("times", buffer_before_minutes=30, buffer_after_minutes=30)
    assert not {"12:00", "14:00"} & set(made.times())
    made.save("times", buffer_before_minutes=0, buffer_after_minutes=0, step_minutes=60, time_zone="Asia/Tokyo")

    # Hours: a template, copied from day to day; those for the page alone, with single dates and holidays.
    screen = walk.open("/app/schedules")
    fill(screen.locator("form[action='/app/schedules/new']"), name="Mornings")
    press(screen.locator("form[action='/app/schedules/new'] .button"))
    hours = screen.url
    week(walk, hours, "08:00", "10:00")
    made.save(
        "times", lambda form: form.locator("[name=schedule]").select_option(label=f"{walk.names['owner']} – Mornings")
    )
    assert made.times() == ["08:00", "09:00"]
    press(made.section("times").locator("button[formaction$='/own']"))
    own = screen.url
    week(walk, own, "12:00", "15:00")
    assert made.times() == ["12:00", "14:00"], "13:00 is booked"
    form = screen.locator("form#override")
    screen.goto(f"{own}?day={day}#override")
    fill(form, day=day)
    form.locator("[name=start]").first.fill("19:00")
    form.locator("[name=end]").first.fill("20:00")
    press(form.locator(".actions .button"))
    assert made.times() == ["19:00"]
    holiday = next_holiday(day)
    made.save("period", kind="open")
    assert made.times(holiday)
    screen.goto(own)
    details = screen.locator("form#details")
    if not details.is_visible():
        screen.locator("details:has(form#details) > summary").click()
    fill(details, holidays="JP", time_zone="Asia/Shanghai")  # where it is an hour earlier
    press(details.locator(".actions .button"))
    assert not made.times(holiday)

    # 不在: nobody books somebody who is away.
    screen.goto(f"{walk.demo.url}/app/schedules")
    fill(screen.locator("form[action='/app/absences']"), first=day, last=day)
    press(screen.locator("form[action='/app/absences'] .actions .button"))
    assert not made.times()
    press(screen.locator("form[action^='/app/absences/'] button").first)
    assert made.times() == ["20:00"]

    # Period and notice.
    made.save("period", kind="fixed", period_first=day, period_last=day)
    assert made.times() == ["20:00"] and not made.times(day + timedelta(days=1))
    made.save("period", kind="rolling", period_days=3)
    assert not made.times()
    soon = walk.today + timedelta(days=3)
    assert made.times(soon)
    made.save("period", notice_minutes=10080, notice_from_midnight=True)
    assert not made.times(soon)


def week(walk: Walk, schedule: str, start: str, end: str) -> None:
    """Set these hours for Monday, and copy them to all other days."""
    screen = walk.open(schedule)
    form = screen.locator("form#week")
    for name, clock in (("mon-start", start), ("mon-end", end)):
        for place, field in enumerate(form.locator(f"[name={name}]").all()):
            field.fill("" if place else clock)
    form.locator("details summary").click()
    fill(form, copy_from="mon", copy_to=["tue", "wed", "thu", "fri", "sat", "sun"])
    press(form.locator(".actions .button"))


def next_holiday(after: date) -> date:
    """A holiday of Japan with the same date each year, after this day."""
    dates = ((1, 1), (2, 11), (4, 29), (5, 3), (8, 11), (11, 3))
    return min(found for year in (after.year, after.year + 1) for at in dates if (found := date(year, *at)) > after)


def test_limits_and_seats(walk: Walk) -> None:
    made = walk.page("Limits")
    same_week = made.day + timedelta(days=1 if made.day.weekday() < 4 else -1)
    week_before = made.day - timedelta(days=7)
    made.save("locations", add="in_person", add_detail="3F Minato")
    made.save("members", member=[str(walk.ids["admin"])])  # who hosts nothing else
    made.book("10:00")
    before: dict[str, object] = {}  # each limit goes with the next one's save
    for limit, most, closed, open_ in (
        ("page-day-bookings", 1, made.day, same_week),
        ("page-day-minutes", 45, made.day, same_week),
        ("page-week-bookings", 1, same_week, week_before),
        ("page-week-minutes", 45, same_week, week_before),
        ("host-day-bookings", 1, made.day, same_week),
        ("host-week-minutes", 45, same_week, week_before),
    ):
        made.save("limits", **before, **{limit: most})
        assert not made.times(closed) and made.times(open_), limit
        before = {limit: ""}
    made.save("limits", **before, **{"page-month-bookings": 1, "host-month-bookings": 2})
    assert not made.times()

    # Of one guest: told apart by the mail address, and told what is in the way. With seats several book one time.
    before = {"page-month-bookings": "", "host-month-bookings": "", "seats": 2}
    for limit in ("guest-day-bookings", "guest-week-bookings", "guest-month-bookings", "guest-total-bookings"):
        made.save("limits", **before, **{limit: 1})
        refused = made.book("11:00")
        expect(refused.locator("main [role=alert]")).to_be_visible()
        assert "/b/" not in refused.url, limit
        before = {limit: ""}
    made.book("11:00", email="other@walk.example")
    assert "11:00" in made.times(), "a seat is left"
    made.book("11:00", email="third@walk.example")
    assert "11:00" not in made.times()


def test_who_meets_the_guests(walk: Walk) -> None:
    names = walk.names
    first, second, third = (str(walk.ids[role]) for role in ("owner", "editor", "host"))
    made = walk.page("Hosts")
    made.save("locations", add="in_person", add_detail="3F Minato")
    made.save("members", member=[first, second])
    expect(made.guest().locator(".points")).to_contain_text(names["editor"])

    # Automatic assignment: by priority, in turn, evenly, evenly by weight.
    everybody = {"member": [first, second, third], "calendar_required": False}
    made.save("members", condition="any", automatic=True, method="priority", **everybody, **{f"level-{third}": 9})
    expect(made.guest().locator(".points")).to_contain_text(walk.say("担当", "depends on who is free"))
    made.book("09:00")
    made.book("09:30")
    made.save("members", method="sequential")
    made.book("10:00")
    made.book("10:30")
    made.save("members", method="even")
    made.book("11:00")
    made.save("members", **{f"weight-{second}": 9})
    made.book("11:30")
    made.book("12:00")
    # Guests choose among those who are free.
    made.save("members", automatic=False)
    page = made.guest()
    press(page.get_by_role("link", name=names["host"]))
    expect(page.locator(".points")).to_contain_text(names["host"])
    made.form("13:00", host=third)
    press(page.locator("main form.form button.filled").last)
    # An assignment list: the first, and one of the two others.
    made.save(
        "members", condition="list", **{f"group-{first}": 1, f"group-{second}": 2, f"group-{third}": 2, "needed-2": 1}
    )
    made.book("14:00")
    rows = walk.open(f"/app/bookings?of={made.number}").locator("main .row .facts span:nth-child(2)")
    assert rows.all_inner_texts()[:8] == [
        names[role] for role in ("host", "host", "owner", "editor", "owner", "editor", "editor", "host")
    ]
    assert names["owner"] in rows.nth(8).inner_text() and rows.count() == 9

    # Only with a calendar: nobody has one, which is said before it is saved; the owner may be another.
    made.save("members", condition="any", automatic=True, calendar_required=True)
    expect(made.guest().locator("main .problem")).to_contain_text(STOPPED[walk.reader.language])
    made.save("members", calendar_required=False, owner=third)
    expect(made.section("members").locator("#owner option[selected]")).to_have_text(names["host"])
    assert made.times()


def test_own_numbers_and_rooms(walk: Walk) -> None:
    """What comes from the hosts themselves and from the workspace."""
    made = walk.page("Own number")
    made.save("locations", add="phone")
    expect(made.section("locations").locator(".warnings")).to_be_visible()
    expect(made.guest().locator(".summary .problem")).to_be_visible()
    profile = walk.open("/app/settings/profile")
    form = profile.locator("main form:has([name=phone])")
    fill(form, phone="03-0000-7001")
    press(form.locator("button.filled"))
    expect(made.guest().locator(".points")).to_contain_text(walk.say("電話", "Phone"))
    page = made.book("10:00", phone="090-0000-0001")
    expect(page.locator("dl.pairs")).to_contain_text("03-0000-7001")
    made = walk.page("Own address")
    made.save("locations", add="in_person")
    profile = walk.open("/app/settings/profile")
    fill(form, address="Minato 1-2-3")
    press(form.locator("button.filled"))
    expect(made.book("11:00").locator("dl.pairs")).to_contain_text("Minato 1-2-3")

    # Two rooms of an account: required, or any one of them.
    rooms = walk.rooms("A", "B")
    held = walk.page("Rooms")
    hosts = [str(walk.ids["owner"]), str(walk.ids["host"])]
    held.save("members", condition="any", automatic=True, calendar_required=False, member=hosts)
    held.save("rooms", room=rooms[:1], needed="all")
    walk.until(lambda: "10:00" in held.times(), "the room's own times")
    held.book("10:00")
    assert "10:00" not in held.times(), "the other host is free, the room is not"
    held.save("rooms", room=rooms, needed="any")
    walk.until(lambda: "10:00" in held.times(), "the other room's times")
    held.book("10:00")
    assert "10:00" not in held.times()


def test_requests_cancelling_and_moving(walk: Walk) -> None:
    made = walk.page("Changes")
    made.save("locations", add="in_person", add_detail="3F Minato")
    made.save("changes", approval="held", answer_hours=5)
    page = made.form("10:00")
    button = page.locator("main form.form button.filled").last
    expect(button).to_have_text(walk.say("リクエストを送る", "Send the request"))
    press(button)
    expect(page.locator("h1")).to_have_text(walk.say("リクエストを送信しました", "Your request has been sent"))
    asked = page.url
    assert "10:00" not in made.times()
    walk.let_requests_lapse()
    lapsed = walk.say("期限までに返答がありませんでした", "The request was not answered in time")
    walk.until(lambda: lapsed in walk.guest.open(asked).locator("h1").inner_text(), "the request to lapse")
    assert "10:00" in made.times()
    made.save("changes", approval="unheld")
    made.book("11:00")
    assert "11:00" in made.times()

    # What guests may do with a booking that stands.
    made.save("changes", approval="", guests_cancel=False, guests_move=False)
    page = made.book("13:00", name="Moving Guest")
    booked = page.url
    cancel, move = page.locator("form[action*='/cancel']"), page.locator("a[href*='/move']")
    expect(cancel).to_have_count(0)
    expect(move).to_have_count(0)
    made.save("changes", guests_cancel=True, guests_move=True, reason_required=True)
    page.goto(booked)
    expect(cancel.locator("[name=reason][required]")).to_have_count(1)
    press(move)
    page.locator("ul.slots a").last.click()
    fill(page.locator("main form.form"), reason="Another meeting")
    press(page.locator("main form.form button.filled"))
    expect(page.locator("h1")).to_have_text(walk.say("日時を変更しました", "The time has been changed"))
    details = made.last_booking("Moving Guest")
    expect(details.locator("main")).to_contain_text("Another meeting")

    # Too late for either.
    made.save("changes", cancel_until_minutes=10080, move_until_minutes=10080)
    soon = next(day for n in range(2, 7) if (day := walk.today + timedelta(days=n)).weekday() < 5)
    page = made.book("16:00", soon)
    expect(page.locator("h1")).to_have_text(walk.say("予約が確定しました", "Your booking is confirmed"))
    expect(cancel).to_have_count(0)
    expect(move).to_have_count(0)


def test_mails_in_own_words_and_in_time(walk: Walk) -> None:
    made = walk.page("Mails")
    made.save("locations", add="in_person", add_detail="3F Minato")
    made.save("mails", guest=["1440"], host=["60"], follow_up_minutes=60, tell_when_open=True)
    screen = walk.open(f"{made.address}/mails/confirmed?lang_of_mail={walk.reader.language}")
    form = screen.locator("main form:has([name=subject])")
    tag = f"{made.number}-{walk.reader.language}"
    fill(form, subject=f"Hello {{guest}} {tag}", text="Ring twice at {place}.")
    expect(screen.frame_locator("iframe").locator("body")).to_contain_text("Ring twice")
    press(form.locator("button.filled"))
    made.book("10:00", name="Mori", email=f"mori-{tag}@walk.example")
    mail = walk.mail(f"Hello Mori {tag}")
    expect(mail.locator("main")).to_contain_text("Ring twice at")
    expect(mail.get_by_role("link", name="invite.ics")).to_be_visible()

    # Reminders and thanks come as if their time had come.
    walk.let_reminders_come()
    for subject in (walk.say("リマインダー", "Reminder"), walk.say("ありがとう", "Thank")):
        walk.mail(f"mori-{tag}@walk.example", subject)
    walk.mail(f"owner@walk-{walk.reader.language}.example", walk.say("リマインダー", "Reminder"))

    # Switched off, guests may leave their address; they are told when it opens.
    press(made.section("switch").locator(".button"))
    page = made.guest()
    expect(page.locator("main .problem")).to_contain_text(STOPPED[walk.reader.language])
    fill(page.locator("main form.form"), email=f"waiting-{tag}@walk.example")
    press(page.locator("main form.form button.filled"))
    press(made.section("switch").locator(".button"))
    assert made.times()
    walk.mail(f"waiting-{tag}@walk.example")


def test_who_can_book(walk: Walk) -> None:
    made = walk.page("Sharing")
    made.save("locations", add="in_person", add_detail="3F Minato")
    made.save("sharing", indexed=False, new_password="sesame")
    page = made.guest()
    expect(page.locator("meta[name=robots]")).to_have_attribute("content", "noindex")
    for tried in ("pepper", "sesame"):
        fill(page.locator("main form"), page_password=tried)
        press(page.locator("main form button.filled"))
    expect(page.locator("table.month")).to_be_visible()
    made.save("sharing", no_password=True, indexed=True, visibility="secret")
    assert walk.status(made.public) == 404

    # Secret links, and one that takes one booking.
    made.press_in("sharing", "button[formaction$='/secret']")
    secret = made.section("sharing").locator("#secret-link").input_value()
    expect(walk.guest.open(secret).locator("table.month")).to_be_visible()
    made.press_in("sharing", "button[formaction$='/secret']")
    assert walk.status(secret.removeprefix(walk.demo.url)) == 404
    made.press_in("sharing", "button[formaction$='/once']")
    once = made.screen.locator("input.copy[aria-label]").last.input_value()
    page = walk.guest.open(once)
    press(page.locator("ul.slots a").first)
    fill(page.locator("main form.form"), name="Once", email="once@walk.example")
    press(page.locator("main form.form button.filled").last)
    assert "/b/" in page.url
    assert walk.status(once.removeprefix(walk.demo.url)) == 410

    # A copy takes no bookings until it is switched on; the archive takes the page from the guests.
    made.save("sharing", visibility="public")
    press(made.screen.locator("form[action$='/duplicate'] button"))
    copy = Editor(walk, made.screen)
    expect(copy.guest().locator("main .problem")).to_contain_text(STOPPED[walk.reader.language])
    press(copy.section("switch").locator(".button"))
    expect(copy.guest().locator(".points")).to_contain_text("3F Minato")
    copy.open()
    copy.screen.locator("details:has(form[action$='/archive']) > summary").click()
    press(copy.screen.locator("form[action$='/archive'] button"))
    assert walk.status(copy.public) in (404, 410) or not copy.times()
    copy.open()
    press(copy.screen.locator("form[action$='/archive'] button"))
    assert walk.status(copy.public) == 200


STOPPED = {
    "ja": "現在、予約の受付を停止しています",
    "en": "Bookings are not being accepted at the moment",
}
