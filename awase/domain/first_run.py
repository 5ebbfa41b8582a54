"""The first run: the steps from a fresh account to a page that is live. Each can be skipped, and gone on with later."""

from enum import StrEnum


class Step(StrEnum):
    """The steps in their order."""

    PLACE = "place"  # language and time zone
    CALENDAR = "calendar"
    HOURS = "hours"
    PAGE = "page"


ORDER = tuple(Step)


def after(step: Step) -> Step | None:
    """The step that follows; None after the last one."""
    following = ORDER[ORDER.index(step) + 1 :]
    return following[0] if following else None


def left(step: Step, now_at: str) -> str:
    """Where somebody stands who did or skipped `step` while they stood at `now_at` ("": the run is over). Doing an
    earlier step again loses nothing that was reached."""
    reached = ORDER.index(Step(now_at)) if now_at else len(ORDER)
    following = after(step)
    mine = ORDER.index(following) if following else len(ORDER)
    furthest = max(reached, mine)
    return ORDER[furthest].value if furthest < len(ORDER) else ""
