"""Who appears in the demo. The people are made up; their addresses exist nowhere."""

from dataclasses import dataclass

WORKSPACE = "株式会社みなと"
WORKSPACE_SLUG = "minato"
DOMAIN = "minato.example"
PASSWORD = "minato-demo-2026"  # noqa: S105  # of a server that only this machine reaches


@dataclass(frozen=True, slots=True)
class Person:
    """`what` describes them to whoever tries the demo; `connects` are the services whose accounts they link."""

    local: str
    name: str
    what: str
    connects: tuple[str, ...]
    phone: str = ""

    @property
    def email(self) -> str:
        return f"{self.local}@{DOMAIN}"


TANAKA = Person("tanaka", "田中 直子", "owner of the workspace", ("google", "zoom"), "03-0000-1001")
SATO = Person("sato", "佐藤 健", "sales, Google and Zoom", ("google", "zoom"))
SUZUKI = Person("suzuki", "鈴木 美咲", "sales, Google and Zoom", ("google", "zoom"))
YAMAMOTO = Person("yamamoto", "山本 翔太", "support, Google", ("google",), "03-0000-1004")
TAKAHASHI = Person("takahashi", "高橋 由美", "sales, Microsoft and Teams", ("microsoft", "teams"))
PEOPLE = (TANAKA, SATO, SUZUKI, YAMAMOTO, TAKAHASHI)
