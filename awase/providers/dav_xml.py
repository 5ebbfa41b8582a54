"""WebDAV's XML: questions as texts, answers as values. Read with defusedxml, since servers are not trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

DAV = "{DAV:}"
CAL = "{urn:ietf:params:xml:ns:caldav}"
APPLE = "{http://apple.com/ns/ical/}"
SERVER = "{http://calendarserver.org/ns/}"

_OPEN = (
    '<?xml version="1.0" encoding="utf-8"?><d:{name} xmlns:d="DAV:"'
    ' xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:a="http://apple.com/ns/ical/">'
)

WHO = _OPEN.format(name="propfind") + (
    "<d:prop><d:current-user-principal/><d:displayname/><c:calendar-home-set/>"
    "<c:calendar-user-address-set/></d:prop></d:propfind>"
)
KIND = _OPEN.format(name="propfind") + "<d:prop><d:resourcetype/></d:prop></d:propfind>"
ZONE = _OPEN.format(name="propfind") + "<d:prop><c:calendar-timezone/></d:prop></d:propfind>"
STATE = (
    '<?xml version="1.0" encoding="utf-8"?><d:propfind xmlns:d="DAV:" xmlns:s="http://calendarserver.org/ns/">'
    "<d:prop><d:sync-token/><s:getctag/></d:prop></d:propfind>"
)
CALENDARS = _OPEN.format(name="propfind") + (
    "<d:prop><d:resourcetype/><d:displayname/><d:current-user-privilege-set/><a:calendar-color/>"
    "<c:calendar-timezone/><c:supported-calendar-component-set/></d:prop></d:propfind>"
)


def query(start: str, end: str) -> str:
    """A calendar-query for the events that touch [start, end), both as iCalendar UTC stamps."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
        "<d:prop><d:getetag/><c:calendar-data/></d:prop>"
        '<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">'
        f"<c:time-range start={quoteattr(start)} end={quoteattr(end)}/>"
        "</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
    )


def sync_collection(token: str) -> str:
    """A sync-collection report: the members that changed since the token."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><d:sync-collection xmlns:d="DAV:">'
        f"<d:sync-token>{escape(token)}</d:sync-token><d:sync-level>1</d:sync-level>"
        "<d:prop><d:getetag/></d:prop></d:sync-collection>"
    )


def multiget(hrefs: Sequence[str]) -> str:
    """A calendar-multiget for these members, named as the server named them."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<c:calendar-multiget xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
        "<d:prop><d:getetag/><c:calendar-data/></d:prop>"
        + "".join(f"<d:href>{escape(href)}</d:href>" for href in hrefs)
        + "</c:calendar-multiget>"
    )


@dataclass(frozen=True, slots=True)
class Resource:
    """One `response` of a multistatus: its address, its own status (0: none) and the properties found."""

    href: str
    status: int
    properties: dict[str, Element]

    def text(self, name: str) -> str:
        """The text of a property, "" if it is missing or empty."""
        found = self.properties.get(name)
        return (found.text or "").strip() if found is not None else ""

    def hrefs(self, name: str) -> Sequence[str]:
        """The addresses inside a property."""
        found = self.properties.get(name)
        return [] if found is None else [text for each in found.iter(f"{DAV}href") if (text := _text(each))]

    def names(self, name: str) -> frozenset[str]:
        """The tags of all elements inside a property."""
        found = self.properties.get(name)
        return frozenset() if found is None else frozenset(each.tag for each in found.iter())


def parse(body: bytes) -> Element | None:
    """The root element, or None if this is no harmless XML."""
    try:
        root: Element = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    return None if local_name(root.tag) == "html" else root


@dataclass(frozen=True, slots=True)
class Multistatus:
    """A 207 answer: its resources, and the token that a sync-collection ends with ("" elsewhere)."""

    resources: Sequence[Resource]
    sync_token: str


def multistatus(body: bytes) -> Multistatus | None:
    """The content of a 207 answer, or None if it is none."""
    root = parse(body)
    if root is None or root.tag != f"{DAV}multistatus":
        return None
    resources = [_resource(response) for response in root.iter(f"{DAV}response")]
    return Multistatus(resources, _text(root.find(f"{DAV}sync-token")))


def local_name(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2]


def _resource(response: Element) -> Resource:
    return Resource(
        _text(response.find(f"{DAV}href")),
        _status(response.find(f"{DAV}status")),
        {element.tag: element for element in _found(response)},
    )


def _found(response: Element) -> Iterator[Element]:
    for propstat in response.iter(f"{DAV}propstat"):
        prop = propstat.find(f"{DAV}prop")
        if prop is not None and _status(propstat.find(f"{DAV}status")) in (0, 200):
            yield from prop


def _status(element: Element | None) -> int:
    """The number in "HTTP/1.1 404 Not Found"; 0 where there is none."""
    words = _text(element).split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def _text(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""
