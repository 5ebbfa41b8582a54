"""Who appears in the demo, and the pages they have. The people are made up; their addresses exist nowhere."""

from dataclasses import dataclass, field

WORKSPACE = "株式会社みなと"
WORKSPACE_SLUG = "minato"
DOMAIN = "minato.example"
PASSWORD = "minato-demo-2026"  # noqa: S105  # of a server that only this machine reaches


@dataclass(frozen=True, slots=True)
class Person:
    """`what` describes them to whoever tries the demo; `connects` are the services whose accounts they link.
    `busy`: (weekday, start, end, title) of each week, wall-clock time in Tokyo, Monday is 0."""

    local: str
    name: str
    what: str
    connects: tuple[str, ...]
    busy: tuple[tuple[int, str, str, str], ...]
    role: str = "member"
    phone: str = ""

    @property
    def email(self) -> str:
        return f"{self.local}@{DOMAIN}"


MEETING = (0, "10:00", "11:00", "全体ミーティング")

TANAKA = Person(
    "tanaka",
    "田中 直子",
    "owns the workspace; Google, Zoom",
    ("google", "zoom"),
    (MEETING, (1, "13:00", "15:00", "取締役会"), (2, "09:00", "10:30", "面談"), (4, "16:00", "18:00", "週次レビュー")),
    role="owner",
    phone="03-0000-1001",
)
SATO = Person(
    "sato",
    "佐藤 健",
    "sales; Google, Zoom",
    ("google", "zoom"),
    (MEETING, (1, "09:30", "10:30", "商談"), (3, "14:00", "16:00", "客先訪問"), (4, "11:00", "12:00", "電話会議")),
)
SUZUKI = Person(
    "suzuki",
    "鈴木 美咲",
    "sales; Google, Zoom",
    ("google", "zoom"),
    (MEETING, (2, "13:00", "14:30", "商談"), (3, "09:00", "11:00", "展示会準備")),
    phone="03-0000-1003",
)
YAMAMOTO = Person(
    "yamamoto",
    "山本 翔太",
    "recruiting; Google",
    ("google",),
    (MEETING, (1, "15:00", "17:00", "採用会議"), (4, "09:00", "10:00", "研修")),
)
TAKAHASHI = Person(
    "takahashi",
    "高橋 由美",
    "sales; Microsoft, Teams",
    ("microsoft", "teams"),
    (MEETING, (2, "10:00", "12:00", "商談"), (3, "13:00", "14:00", "歯医者")),
)
PEOPLE = (TANAKA, SATO, SUZUKI, YAMAMOTO, TAKAHASHI)


@dataclass(frozen=True, slots=True)
class Page:
    """A booking page; the first of `members` owns it. `locations`: (kind, detail)."""

    slug: str
    title: str
    description: str
    members: tuple[Person, ...]
    locations: tuple[tuple[str, str], ...]
    condition: str = "all"
    settings: dict[str, int | bool] = field(default_factory=dict)


PAGES = (
    Page(
        "consultation",
        "オンライン相談",
        "導入前のご質問に、Google Meetでお答えします。",
        (TANAKA,),
        (("meet", ""),),
    ),
    Page(
        "meeting",
        "お打ち合わせ",
        "担当の佐藤と田中が、Zoomでご一緒します。",
        (SATO, TANAKA),
        (("zoom", ""),),
        settings={"duration_minutes": 60, "buffer_after_minutes": 10},
    ),
    Page(
        "product-demo",
        "製品デモ",
        "営業担当の一人が、画面をお見せしながらご説明します。",
        (SATO, SUZUKI, TAKAHASHI),
        (("zoom", ""), ("teams", "")),
        condition="any",
    ),
    Page(
        "visit",
        "ご相談・ご来社",
        "Zoom、お電話、ご来社からお選びください。",
        (SUZUKI,),
        (("zoom", ""), ("phone", ""), ("in_person", "東京都港区みなと1-2-3 みなとビル5階")),
        settings={"duration_minutes": 45, "buffer_before_minutes": 15, "buffer_after_minutes": 15},
    ),
    Page(
        "interview",
        "採用面接",
        "現在は募集していません。",
        (YAMAMOTO,),
        (("meet", ""),),
        settings={"accepting": False, "duration_minutes": 60},
    ),
)

# (page, how many free slots to pass over, guest, address, note)
BOOKINGS = (
    ("product-demo", 0, "伊藤 真理", "ito@aoba.example", "見積もりも見せてください。"),
    ("product-demo", 9, "渡辺 大輔", "watanabe@kaede.example", ""),
    ("consultation", 4, "中村 さくら", "nakamura@sora.example", "はじめての利用です。"),
    ("meeting", 6, "Alex Morgan", "alex@harbor.example", "From the Osaka office."),
)
