"""What requests and answers are made of: strict in what is taken, the same everywhere in what is given."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from awase.api.problems import invalid
from awase.domain.schedule import zone
from awase.services.addresses import require_mail_address

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.0+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
MOST_ON_A_PAGE = 100


def _moment(value: object) -> datetime:
    """RFC 3339 with an offset, whole seconds; nothing that merely resembles it, such as numbers."""
    try:
        if not isinstance(value, str) or not RFC3339.fullmatch(value):
            raise ValueError
        parsed = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "moment",
            _(
                "Give a moment as 2026-12-01T09:00:00+09:00: with its offset, in whole seconds."
                " In an address the plus sign is written %2B."
            ),
        ) from None
    if not EARLIEST <= parsed < LATEST:
        raise PydanticCustomError("moment_out_of_range", _("Give a moment between the years 2000 and 2199."))
    return parsed


def _zone(value: str) -> str:
    try:
        zone(value)
    except ValueError:
        raise PydanticCustomError(
            "time_zone", _("Give a time zone by its name in the IANA database, such as Asia/Tokyo.")
        ) from None
    return value


def _email(value: str) -> str:
    try:
        require_mail_address(value)
    except ValidationError:
        raise PydanticCustomError("email", _("Give a mail address.")) from None
    return value


Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Zone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_zone)]
Email = Annotated[
    str,
    StringConstraints(max_length=254),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]
# Names of every script pass; what could end a mail header or turn the text around does not.
_turning = r"\u2028-\u202e\u2066-\u2069"
_line = rf"^[^\x00-\x1f\x7f-\x9f{_turning}]*$"
_text = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_line)]
Company = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120, pattern=_line)]
TrackingName = Annotated[str, StringConstraints(pattern=r"^utm_[a-z_]{1,30}$")]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40, pattern=_line)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300, pattern=_line)]
Text = Annotated[str, StringConstraints(max_length=5000, pattern=_text)]


class Sent(BaseModel):
    """A body or a part of one: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Asked(BaseModel):
    """The parameters in an address; unknown ones are refused, but for `lang`, which chooses the language."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def everything_asked(cls, data: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """Hand in the unknown ones too: ninja drops them beforehand."""
        given = info.context["request"].GET if info.context else {}
        return {**{name: given[name] for name in given if name != "lang"}, **data}


Item = TypeVar("Item")


class Paged(Asked):
    """One page of a list: as many as `limit`, from where `cursor` points."""

    limit: int = Field(default=50, ge=1, le=MOST_ON_A_PAGE)
    cursor: str = Field(default="", max_length=300, description="“next” of the part before; leave it out at first")


class Listed(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next: str | None = Field(description="the cursor of the following part; null at the end")


class Cursor:
    """Goes through rows in the order of `fields`, which must be unique together.

    The cursor says after which values to go on, so rows that come and go meanwhile shift nothing.
    """

    def __init__(self, name: str, *fields: str) -> None:
        self.salt, self.fields = f"awase.api.{name}", fields

    def part(self, rows: QuerySet[Any], asked: Paged) -> tuple[list[Any], str | None]:
        """The rows asked for and the cursor of the next part."""
        if asked.cursor:
            rows = rows.filter(self._after(self._read(asked.cursor)))
        found = list(rows.order_by(*self.fields)[: asked.limit + 1])
        if len(found) <= asked.limit:
            return found, None
        last = found[-2]
        values = [getattr(last, field) for field in self.fields]
        return found[:-1], signing.dumps(
            [value.isoformat() if isinstance(value, datetime) else value for value in values], salt=self.salt
        )

    def _after(self, values: Iterable[object]) -> Q:
        after, same = Q(), Q()
        for field, value in zip(self.fields, values, strict=True):
            after |= same & Q((f"{field}__gt", value))
            same &= Q((field, value))
        return after

    def _read(self, cursor: str) -> list[object]:
        try:
            values: list[object] = signing.loads(cursor, salt=self.salt)
        except signing.BadSignature:
            raise invalid("query", "cursor", _("Give “next” of the list before unchanged, or no cursor.")) from None
        return values
