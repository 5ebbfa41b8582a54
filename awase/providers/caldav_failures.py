"""CalDAV: rows D01 to D14 of `providers.md` section 9 (generic servers, iCloud, Nextcloud).

D07 (412 to a PUT with If-None-Match) is no failure: the adapter looks whether the event is ours. D02b is a
second 401 at least ten minutes after the first: see `history.seen_again`; while connecting, where the
person has just typed the password, it is the first.
"""

from xml.etree.ElementTree import Element

from awase.domain.errors import Capability, Reason
from awase.providers.dav_xml import local_name, parse
from awase.providers.failures import (
    BAD_REQUEST,
    CALENDAR,
    CAPABILITY,
    CONNECTION,
    EVENT,
    NOT_FOUND,
    RATE_LIMITED,
    RECONNECT,
    RETRY,
    SERVER_ERRORS,
    Answer,
    FailureTable,
    Marks,
    Symptom,
    Where,
    as_told,
    codes,
    patience,
    unreadable,
)

API = Where.API
GONE = (403, 404, 410)


SYMPTOMS = (
    Symptom("D01", API, (401,), RECONNECT, CONNECTION, Reason.APP_PASSWORD_INVALID,
            codes("password login forbidden")),
    # Nothing may be sent for ten minutes: a wrong password repeated slows our whole address down.
    Symptom("D02a", API, (401,), RETRY, CONNECTION, fresh=False, wait=patience(600)),
    Symptom("D02b", API, (401,), RECONNECT, CONNECTION, Reason.APP_PASSWORD_INVALID, fresh=True),
    unreadable(*GONE),
    Symptom("D03", API, (403,), BAD_REQUEST, CALENDAR, codes=codes("valid-sync-token"), resync=True),
    Symptom("D04", API, (403,), BAD_REQUEST, CALENDAR, codes=codes("need-privileges")),
    Symptom("D04", API, (403,), BAD_REQUEST, CALENDAR, about=EVENT),
    Symptom("D05", API, GONE, NOT_FOUND, CALENDAR, about=CALENDAR),
    Symptom("D06", API, (404, 410), NOT_FOUND, EVENT, about=EVENT),
    Symptom("D08", API, (409, 412, 423), BAD_REQUEST, EVENT),
    Symptom("D09", API, (429,), RATE_LIMITED, CONNECTION, wait=patience(600)),
    Symptom("D10", API, (503,), RETRY, wait=as_told),
    Symptom("D11", API, (507,), RECONNECT, CAPABILITY, Reason.STORAGE_FULL,
            capability=Capability.CALENDAR),
    Symptom("D12", API, (405, 501), BAD_REQUEST),
    Symptom("D13", API, range(200, 300), RETRY, unreadable=True),
    Symptom("D14", API, SERVER_ERRORS, RETRY, wait=as_told),
)  # fmt: skip


def read(answer: Answer) -> Marks | None:
    """Names of the elements of an error body, and Nextcloud's hints. Plain text is fine, HTML is not."""
    root = parse(answer.body)
    if root is not None:
        return Marks(frozenset(_names(root)))
    return None if answer.good or _is_html(answer) else Marks()


def _names(root: Element) -> set[str]:
    found = {local_name(element.tag) for element in root.iter()}
    hints = (element.text or "" for element in root.iter() if local_name(element.tag) == "hint")
    return found | {hint.strip().lower() for hint in hints}


def _is_html(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "") or answer.body.lstrip()[:1] == b"<"


CALDAV = FailureTable(SYMPTOMS, read)
