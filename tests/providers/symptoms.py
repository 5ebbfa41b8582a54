"""The symptom table (providers.md, section 9) as cases: what a service answers, to which call, and what follows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from awase.providers.protocols import EventDraft, MeetingDraft
from tests.providers.scripted import Content, reply
from tests.providers.worlds import at

KEY = "0123456789abcdef0123456789abcdef"
DRAFT = EventDraft(KEY, "Talk", at(5, 1), at(5, 2), "Asia/Tokyo")
MEET = EventDraft(KEY, "Talk", at(5, 1), at(5, 2), "Asia/Tokyo", meet=True)
MEETING = MeetingDraft(KEY, "Talk", at(5, 1), at(5, 2), "Asia/Tokyo")
CALENDAR = {"caldav": "https://dav.example/home/main/"}

# What can be done with a session; `busy` reads one calendar.
ACTS: dict[str, Callable[[str, Any], Any]] = {
    "check": lambda service, it: it.check(),
    "busy": lambda service, it: it.busy([CALENDAR.get(service, "c1")], at(1), at(9)),
    "busy2": lambda service, it: it.busy(["c1", "c2"], at(1), at(9)),
    "rooms": lambda service, it: it.rooms_busy(["room@x.example"], at(1), at(9)),
    "put": lambda service, it: it.put_event(CALENDAR.get(service, "c1"), DRAFT),
    "put_meet": lambda service, it: it.put_event("c1", MEET),
    "move": lambda service, it: it.put_event("c1", DRAFT, "e1"),
    "delete": lambda service, it: it.delete_event(CALENDAR.get(service, "c1"), KEY, ""),
    "delete_id": lambda service, it: it.delete_event("c1", KEY, "e1"),
    "meeting": lambda service, it: it.create_meeting(MEETING),
    "move_meeting": lambda service, it: it.update_meeting("17", MEETING),
    "delete_meeting": lambda service, it: it.delete_meeting("17"),
}


@dataclass(frozen=True)
class Case:
    """`expect` is "class scope reason" (a dash: whatever), or "success". `act` None: a refresh."""

    row: str
    service: str
    act: str | None
    answers: tuple[Any, ...]
    expect: str
    seconds: int | None = None  # until retry_at


def case(
    row: str,
    service: str,
    act: str | None,
    status: int,
    body: Content,
    expect: str,
    headers: dict[str, str] | None = None,
    seconds: int | None = None,
) -> Case:
    return Case(row, service, act, (reply(status, body, headers),), expect, seconds)


def several(row: str, service: str, act: str | None, *answers: Any, expect: str) -> Case:
    return Case(row, service, act, answers, expect)


# Google


def refused(error: str, description: str = "", **more: str) -> dict[str, str]:
    return {"error": error, "error_description": description, **more}


def envelope(code: int, reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    errors = [{"domain": "global", "reason": reason, "message": message}] if reason else []
    return {"error": {"code": code, "message": message, "errors": errors, **more}}


def g_token(row: str, status: int, body: Content, expect: str) -> Case:
    return case(row, "google", None, status, body, expect)


def g_api(row: str, status: int, reason: str, expect: str, act: str = "busy", seconds: int | None = None) -> Case:
    return case(row, "google", act, status, envelope(status, reason), expect, seconds=seconds)


def free_busy(reason: str) -> dict[str, Any]:
    return {"calendars": {"room@x.example": {"errors": [{"domain": "global", "reason": reason}], "busy": []}}}


EVENT = {"id": KEY, "status": "confirmed", "start": {}, "end": {}}
PENDING = {"createRequest": {"requestId": KEY, "status": {"statusCode": "failure"}}}
LIST = {"timeZone": "UTC", "items": []}
BAD_MEET = reply(400, envelope(400, "invalid", "Invalid conference type value."))
GRANTED = {"access_token": "a", "expires_in": 3599, "token_type": "Bearer"}
SCOPE_DENIED = envelope(403, status="PERMISSION_DENIED", details=[{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}])

GOOGLE = (
    g_token("G01", 400, refused("invalid_grant", "Token has been expired or revoked."), "reconnect connection revoked"),
    g_token("G02", 400, refused("invalid_grant", "The account has been deleted"), "reconnect connection account_gone"),
    g_token(
        "G03",
        400,
        refused("invalid_grant", "reauth related error (invalid_rapt)", error_subtype="invalid_rapt"),
        "reconnect connection mfa_required",
    ),
    g_token("G04", 400, refused("invalid_grant", "Bad Request"), "reconnect connection expired"),
    g_token("G05", 400, refused("admin_policy_enforced"), "reconnect connection admin_blocked"),
    g_token("G05", 403, refused("access_denied", "Account restricted"), "reconnect connection admin_blocked"),
    g_token("G06", 401, refused("invalid_client", "The OAuth client was not found."), "app_config app -"),
    g_token("G06", 401, refused("deleted_client"), "app_config app -"),
    g_token("G07", 401, refused("unauthorized_client"), "app_config app -"),
    g_token("G07", 400, refused("redirect_uri_mismatch"), "app_config app -"),
    g_token("G08", 500, refused("internal_failure"), "retry - -"),
    g_token("G08", 400, refused("server_error"), "retry - -"),
    g_token("G08", 503, refused("temporarily_unavailable"), "retry - -"),
    g_token("G09", 200, {**GRANTED, "scope": "openid email"}, "reconnect connection scope_missing"),
    several("G10", "google", "busy", reply(401, envelope(401, "authError")), reply(200, LIST), expect="success"),
    g_api("G11", 401, "authError", "reconnect connection revoked"),
    case("G11", "google", "busy", 401, envelope(401, status="UNAUTHENTICATED"), "reconnect connection revoked"),
    g_api("G12", 403, "insufficientPermissions", "reconnect connection scope_missing"),
    case("G12", "google", "busy", 403, SCOPE_DENIED, "reconnect connection scope_missing"),
    g_api("G13", 403, "notACalendarUser", "reconnect connection no_mailbox", "check"),
    *(
        g_api("G14", 403, reason, "rate_limited - -", seconds=60)
        for reason in ("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "UserRateLimitExceeded")
    ),
    g_api("G14", 403, "dailyLimitExceeded", "rate_limited - -", seconds=3600),
    g_api("G15", 429, "rateLimitExceeded", "rate_limited - -", seconds=60),
    case("G15", "google", "busy", 429, "<html>", "rate_limited - -", {"Retry-After": "17"}, 17),
    g_api("G16", 403, "accessNotConfigured", "app_config app -"),
    case("G16", "google", "busy", 403, envelope(403, details=[{"reason": "SERVICE_DISABLED"}]), "app_config app -"),
    g_api("G17", 403, "forbidden", "bad_request calendar -", "put"),
    g_api("G17", 403, "forbiddenForNonOrganizer", "bad_request calendar -", "delete"),
    g_api("G17", 403, "requiredAccessLevel", "bad_request calendar -"),
    g_api("G18", 404, "notFound", "not_found calendar -"),
    g_api("G18", 404, "notFound", "not_found calendar -", "put"),
    g_api("G18", 404, "notFound", "success", "delete"),
    several(
        "G19", "google", "put",
        reply(409, envelope(409, "duplicate")), reply(200, EVENT), reply(200, EVENT), expect="success"
    ),
    g_api("G20", 410, "fullSyncRequired", "bad_request calendar -"),
    g_api("G20", 410, "updatedMinTooLongAgo", "bad_request calendar -"),
    g_api("G21", 410, "deleted", "success", "delete"),
    several(
        "G21",
        "google",
        "move",
        reply(410, envelope(410, "deleted")),
        reply(409, envelope(409, "duplicate")),
        reply(410, envelope(410, "deleted")),
        expect="not_found event -",
    ),
    several("G22", "google", "move", reply(200, EVENT), reply(412, envelope(412, "conditionNotMet")),
            expect="bad_request event -"),
    several("G23", "google", "put_meet", BAD_MEET, reply(200, EVENT), expect="bad_request capability -"),
    g_api("G24", 400, "badRequest", "bad_request - -"),
    g_api("G24", 400, "timeRangeEmpty", "bad_request - -"),
    case("G25", "google", "rooms", 200, free_busy("notFound"), "not_found calendar -"),
    case("G26", "google", "rooms", 200, free_busy("internalError"), "retry calendar -"),
    case("G27", "google", "rooms", 200, free_busy("groupTooBig"), "bad_request calendar -"),
    case("G27", "google", "rooms", 200, free_busy("tooManyCalendarsRequested"), "bad_request calendar -"),
    case("G28", "google", "put_meet", 200, {**EVENT, "conferenceData": PENDING}, "bad_request capability -"),
    g_api("G29", 503, "backendError", "retry - -"),
    case("G29", "google", "check", 500, "", "retry - -"),
    case("G29", "google", "check", 503, "<html>", "retry - -", {"Retry-After": "2"}, 60),
)  # fmt: skip

# Microsoft


def sts(number: int, error: str = "invalid_grant", **more: Any) -> dict[str, Any]:
    text = f"AADSTS{number}: Something in prose that may change."
    return {"error": error, "error_description": text, "error_codes": [number], **more}


def m_token(row: str, numbers: str, expect: str, error: str = "invalid_grant", status: int = 400) -> tuple[Case, ...]:
    return tuple(case(row, "microsoft", None, status, sts(int(number), error), expect) for number in numbers.split())


def graph(code: str, message: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "r"}}}


def m_api(row: str, status: int, code: str, expect: str, act: str = "busy", service: str = "microsoft") -> Case:
    return case(row, service, act, status, graph(code), expect)


def schedule(error: dict[str, Any]) -> dict[str, Any]:
    return {"value": [{"scheduleId": "Room@x.example", "error": error}]}


def part(place: int, status: int, body: Any) -> dict[str, Any]:
    return {"id": str(place), "status": status, "headers": {}, "body": body}


CLAIMS = {"WWW-Authenticate": 'Bearer realm="", error="insufficient_claims", claims="eyJ9"'}
DENIED = reply(403, graph("ErrorAccessDenied"))
MFA = "reconnect connection mfa_required"
ADMIN, GONE = "reconnect connection admin_blocked", "reconnect connection account_gone"

MICROSOFT = (
    *m_token("M01", "50173", "reconnect connection revoked"),
    *m_token("M02", "700082 70008 70000 70043 50089", "reconnect connection expired"),
    *m_token("M03", "50072 50074 50076 50078 50079 50158", "reconnect connection mfa_required", "interaction_required"),
    *m_token("M04", "65001", "reconnect connection consent_missing"),
    case("M04", "microsoft", None, 400, sts(1, suberror="consent_required"), "reconnect connection consent_missing"),
    *m_token("M05", "53000 53003 530032 50105 90094 90095", ADMIN),
    *m_token("M06", "50057", "reconnect connection account_disabled"),
    *m_token("M07", "50034 51004 50020", GONE),
    *m_token("M08", "50055 50132 50133", "reconnect connection password_changed"),
    *m_token("M09", "7000215 7000218 7000222 700027", "app_config app -", "invalid_client", 401),
    *m_token("M10", "50011 70011 90130 650056 650057", "app_config app -", "invalid_request"),
    *m_token("M10c", "7000112 700016 70001 650052", ADMIN, "unauthorized_client"),
    *m_token("M10d", "999999", "app_config app -", "unauthorized_client"),
    *m_token("M10d", "999999", "app_config app -", "invalid_client", 401),
    *m_token("M10e", "50053", "retry - -"),
    *m_token("M11", "54005", "bad_request - -"),
    *m_token("M12", "50033 50087 90006 90012 90024 90033 90055 90090 70012 80001 80002", "retry - -", "server_error"),
    case("M12", "microsoft", None, 503, refused("temporarily_unavailable"), "retry - -"),
    case("M13", "microsoft", None, 400, sts(50196), "rate_limited - -", seconds=300),
    *m_token("M14", "123456", "reconnect connection expired"),
    *m_token("M14", "123456", "reconnect connection expired", "interaction_required"),
    case("M15", "microsoft", None, 429, "", "rate_limited - -", {"Retry-After": "33"}, 33),
    case("M15", "microsoft", None, 429, "", "rate_limited - -", seconds=60),
    several("M16", "microsoft", "busy", reply(401, graph("InvalidAuthenticationToken")), reply(200, {"value": []}),
            expect="success"),
    m_api("M17", 401, "InvalidAuthenticationToken", "reconnect connection revoked"),
    case("M18", "microsoft", "busy", 401, graph("InvalidAuthenticationToken"), MFA, CLAIMS),
    m_api("M19", 403, "ErrorAccessDenied", "reconnect connection scope_missing"),
    m_api("M19", 403, "Authorization_RequestDenied", "reconnect connection scope_missing", "check", "teams"),
    several("M20", "microsoft", "busy", DENIED, reply(200, {"id": "own"}), expect="bad_request calendar -"),
    several("M20", "microsoft", "put", DENIED, reply(200, {"id": "own"}), expect="bad_request calendar -"),
    m_api("M21", 404, "MailboxNotEnabledForRESTAPI", "reconnect connection no_mailbox", "check"),
    m_api("M21", 401, "MailboxNotSupportedForRESTAPI", "reconnect connection no_mailbox", "check"),
    m_api("M22", 404, "ErrorItemNotFound", "not_found calendar -"),
    m_api("M22", 404, "ErrorFolderNotFound", "not_found calendar -"),
    m_api("M22", 404, "ResourceNotFound", "not_found calendar -"),
    m_api("M22", 404, "ErrorItemNotFound", "success", "delete_id"),
    m_api("M22", 404, "NotFound", "success", "delete_meeting", "teams"),
    m_api("M22", 404, "NotFound", "not_found event -", "move_meeting", "teams"),
    m_api("M23", 404, "ErrorInvalidUser", GONE, "check"),
    m_api("M23", 404, "Request_ResourceNotFound", GONE, "check"),
    m_api("M23", 404, "ResourceNotFound", GONE, "check"),
    m_api("M24", 410, "syncStateNotFound", "bad_request calendar -"),
    m_api("M24", 400, "resyncRequired", "bad_request calendar -"),
    m_api("M24", 410, "SyncStateInvalid", "bad_request calendar -"),
    m_api("M25", 400, "ErrorTimeIntervalTooBig", "bad_request - -", "rooms"),
    m_api("M25", 400, "ErrorMailboxDataArrayTooBig", "bad_request - -", "rooms"),
    m_api("M25", 400, "ErrorInvalidRequest", "bad_request - -"),
    case("M26", "microsoft", "busy", 429, graph("ApplicationThrottled"), "rate_limited - -", {"Retry-After": "9"}, 9),
    case("M26", "microsoft", "busy", 429, "", "rate_limited - -", seconds=30),
    case("M26", "microsoft", "busy", 429, "", "rate_limited - -", {"Retry-After": "0"}, 5),
    case("M27", "microsoft", "busy", 503, "", "rate_limited - -", {"Retry-After": "12"}, 12),
    m_api("M28", 500, "ErrorInternalServerError", "retry - -"),
    case("M28", "microsoft", "busy", 503, "", "retry - -"),
    case("M29", "microsoft", "rooms", 200, schedule({"responseCode": "5009"}), "not_found calendar -"),
    case("M30", "microsoft", "rooms", 200, schedule({"responseCode": "5001"}), "retry calendar -"),
    case("M30", "microsoft", "rooms", 200, {"value": []}, "retry calendar -"),
    case(
        "M31",
        "microsoft",
        "busy2",
        200,
        {"responses": [part(0, 200, {"value": []}), part(1, 404, graph("ErrorItemNotFound"))]},
        "not_found calendar -",
    ),
    case(
        "M31",
        "microsoft",
        "busy2",
        200,
        {"responses": [part(0, 200, {"value": []}), part(1, 429, graph("ApplicationThrottled"))]},
        "rate_limited - -",
    ),
    case("M32", "teams", "meeting", 201, {"id": "m", "joinWebUrl": None}, "reconnect capability licence_missing"),
    m_api("M33", 403, "Forbidden", "reconnect capability licence_missing", "meeting", "teams"),
    case("M34", "teams", "meeting", 403, graph("Forbidden", "No application access policy found for this app."),
         "app_config app -"),
    m_api("M35", 412, "ErrorIrresolvableConflict", "bad_request event -", "delete_id"),
    m_api("M35", 409, "Conflict", "bad_request event -", "delete_id"),
)  # fmt: skip

# Zoom


def z_token(row: str, status: int, body: Content, expect: str) -> Case:
    return case(row, "zoom", None, status, body, expect)


def z_api(
    row: str, status: int, code: int, message: str, expect: str, act: str = "check", seconds: int | None = None
) -> Case:
    return case(row, "zoom", act, status, {"code": code, "message": message}, expect, seconds=seconds)


CLIENT_CODES = (4702, 4704, 4706, 4709, 4717)
ROTATED = "reconnect connection rotated_elsewhere"
LACKS = "Invalid access token, does not contain scopes:[meeting:write:meeting]."
FOREIGN = "Invalid access token, does not contain scopes:[report:read:user:admin]."

ZOOM = (
    z_token("Z01", 400, {"reason": "Invalid Token!", "error": "invalid_grant"}, ROTATED),
    z_token("Z01", 401, {"reason": "Invalid Token!", "error": "invalid_request"}, ROTATED),
    z_token("Z01", 401, {"reason": "Invalid Token!"}, ROTATED),
    *(
        z_token("Z02", 400, {"code": code, "reason": "Some prose"}, f"reconnect connection {reason}")
        for code, reason in (
            (4711, "revoked"),
            (4735, "account_gone"),
            (4737, "revoked"),
            (4738, "admin_blocked"),
            (4740, "revoked"),
            (4741, "rotated_elsewhere"),
        )
    ),
    z_token("Z03", 401, {"reason": "Invalid client_id", "error": "invalid_client"}, "app_config app -"),
    z_token("Z03", 400, {"error": "unauthorized_client"}, "app_config app -"),
    *(z_token("Z03", 400, {"code": code, "reason": "?"}, "app_config app -") for code in CLIENT_CODES),
    *(z_token("Z04", 400, {"code": code, "reason": "?"}, "bad_request - -") for code in (4733, 4734)),
    z_token("Z05", 400, {"code": 4732, "reason": "?"}, "retry - -"),
    z_token("Z05", 502, "<html>", "retry - -"),
    several("Z06", "zoom", "check", reply(401, {"code": 124}), reply(200, {"id": "u"}), expect="success"),
    z_api("Z07", 401, 124, "Access token is expired.", "reconnect connection revoked"),
    z_api("Z08", 400, 4711, LACKS, "reconnect connection scope_missing", "meeting"),
    z_api("Z08", 400, 104, LACKS, "reconnect connection scope_missing", "meeting"),
    z_api("Z08", 401, 4700, LACKS, "reconnect connection scope_missing", "meeting"),
    z_api("Z08", 400, 4711, FOREIGN, "app_config app -", "meeting"),
    z_api("Z09", 404, 1001, "User does not exist: somebody.", "reconnect connection account_gone"),
    z_api("Z10", 404, 1010, "User not found on this account", "reconnect connection account_gone"),
    z_api("Z10", 400, 1010, "User not found on this account", "reconnect connection account_gone"),
    z_api("Z11", 403, 403, "Access to the Zoom REST API has been denied for this user", ADMIN),
    z_api("Z12", 404, 3001, "Meeting does not exist: 17.", "not_found event -", "move_meeting"),
    z_api("Z12", 404, 3001, "Meeting does not exist: 17.", "success", "delete_meeting"),
    z_api("Z13", 400, 300, "Validation Failed.", "bad_request - -", "meeting"),
    z_api("Z14", 429, 429, "You have exceeded the daily rate limit (100)", "rate_limited - -", "meeting", 12 * 3600),
    z_api("Z15", 429, 429, "You have reached the maximum per-second rate limit", "rate_limited - -", seconds=5),
    case("Z15", "zoom", "check", 429, {"code": 429}, "rate_limited - -", {"Retry-After": "2031-03-05T12:00:08Z"}, 8),
    z_api("Z16", 400, 3161, "not allowed meeting hosting", "reconnect capability licence_missing", "meeting"),
    case("Z17", "zoom", "check", 200, "<xml/>", "retry - -"),
    case("Z17", "zoom", "check", 404, "<html>Not Found</html>", "retry - -"),
    case("Z17", "zoom", "check", 503, "<html>", "retry - -", {"Retry-After": "90"}, 90),
    z_api("Z19", 500, 0, "", "retry - -"),
    case("Z19", "zoom", "check", 503, {"message": "?"}, "retry - -", {"Retry-After": "90"}, 90),
    case("Z19", "zoom", "check", 503, {"message": "?"}, "retry - -"),
)  # fmt: skip

# CalDAV

NEXTCLOUD = '<d:error xmlns:d="DAV:" xmlns:o="http://owncloud.org/ns"><o:hint>{}</o:hint></d:error>'
ERROR = '<d:error xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><{}/></d:error>'


def d(row: str, act: str, status: int, body: str, expect: str, **more: Any) -> Case:
    return case(row, "caldav", act, status, body, expect, **more)


OURS = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{KEY}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
THEIRS = OURS.replace(KEY, "another")
ABSENT, TAKEN = reply(404), reply(412)

CALDAV = (
    d("D01", "check", 401, NEXTCLOUD.format("password login forbidden"), "reconnect connection app_password_invalid"),
    d("D02a", "check", 401, "<html>Unauthorized</html>", "retry - -", seconds=600),
    d("D03", "busy", 403, ERROR.format("d:valid-sync-token"), "bad_request calendar -"),
    d("D04", "put", 403, ERROR.format("d:need-privileges"), "bad_request calendar -"),
    *(d("D05", "busy", status, "", "not_found calendar -") for status in (403, 404, 410)),
    d("D06", "delete", 404, "", "success"),
    d("D06", "delete", 410, "", "success"),
    several("D06", "caldav", "put", ABSENT, reply(404), expect="not_found event -"),
    several("D07", "caldav", "put", ABSENT, TAKEN, reply(200, OURS, {"ETag": '"1"'}), reply(204), expect="success"),
    several("D08", "caldav", "put", ABSENT, TAKEN, reply(200, THEIRS, {"ETag": '"1"'}), expect="bad_request event -"),
    d("D08", "delete", 423, "", "bad_request event -"),
    d("D08", "delete", 409, "", "bad_request event -"),
    d("D09", "busy", 429, NEXTCLOUD.format("too many requests"), "rate_limited - -", seconds=600),
    d("D10", "busy", 503, "System in maintenance mode.", "retry - -"),
    d("D10", "busy", 503, "Upgrade needed", "retry - -", headers={"Retry-After": "86400"}, seconds=3600),
    several("D11", "caldav", "put", ABSENT, reply(507), expect="reconnect capability storage_full"),
    d("D12", "busy", 501, "", "bad_request - -"),
    d("D12", "busy", 405, "", "bad_request - -"),
    d("D13", "busy", 200, "<html><body>Hello</body></html>", "retry - -"),
    d("D13", "busy", 207, '<d:multistatus xmlns:d="DAV:"><d:resp', "retry - -"),
    d("D14", "busy", 500, "", "retry - -"),
    d("D14", "busy", 502, "", "retry - -", headers={"Retry-After": "Wed, 05 Mar 2031 12:02:00 GMT"}, seconds=120),
)  # fmt: skip

# Any service

DOWN = (
    httpx2.ConnectTimeout("slow"),
    httpx2.ReadTimeout("slow"),
    httpx2.ConnectError("[Errno -2] Name or service not known"),
    httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"),
    httpx2.ReadError("Connection reset by peer"),
    httpx2.RemoteProtocolError("Server disconnected"),
)
SERVICES = ("google", "microsoft", "teams", "zoom", "caldav")
SHARED = (
    *(Case("X01", service, "check", (problem,), "retry - -") for service in SERVICES for problem in DOWN),
    *(Case("X01", service, None, (DOWN[1],), "retry - -") for service in SERVICES[:4]),
    *(case("X02", service, "check", 200, '{"id": "u', "retry - -") for service in ("google", "microsoft", "teams")),
    *(case("X02", service, "check", 200, [1, 2], "retry - -") for service in ("google", "microsoft", "teams")),
    *(case("X02", service, None, 200, {"token_type": "Bearer"}, "retry - -") for service in SERVICES[:4]),
    case("X02", "zoom", "check", 200, {"email": "no id"}, "retry - -"),
    *(
        case("X03", "microsoft", act, 403, graph("Forbidden"), "bad_request - -")
        for act in ("busy", "put", "delete_id", "check")
    ),
    *(case("X03", service, "check", 418, {"error": {}}, "bad_request - -") for service in SERVICES),
    *(case("X03", service, None, 418, {"error": "teapot"}, "bad_request - -") for service in SERVICES[:4]),
)

CASES = (*GOOGLE, *MICROSOFT, *ZOOM, *CALDAV, *SHARED)
