"""The documentation of the API as one page of our own, made from the schema: no script, nothing from elsewhere."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

from awase.api.problems import KINDS

Context = dict[str, Any]
JSON = "application/json"


class ServerRendered(DocsBase):
    """Renders templates/api/docs.html."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        schema = api.get_openapi_schema()
        context = {
            "description": schema["info"]["description"],
            "schema_url": self.get_openapi_url(api, kwargs),
            "operations": [
                _operation(method, path, operation)
                for path, operations in schema["paths"].items()
                for method, operation in operations.items()
            ],
            "shapes": [
                {
                    "name": name,
                    "text": shape.get("description", ""),
                    "fields": _fields(shape),
                    "values": shape.get("enum", ()),
                }
                for name, shape in sorted(schema["components"]["schemas"].items())
            ],
            "problems": [{"code": code, "kind": kind} for code, kind in KINDS.items()],
        }
        return render(request, "api/docs.html", context)


def _operation(method: str, path: str, operation: Context) -> Context:
    body = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")
    answers = [
        (status, answer["content"][JSON]["schema"])
        for status, answer in operation["responses"].items()
        if JSON in answer.get("content", {})
    ]
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "text": operation["description"],
        "scope": operation["security"][0]["apiKey"][0],
        "parameters": [
            {
                "name": parameter["name"],
                "place": parameter["in"],
                "type": _type(parameter["schema"]),
                "required": parameter["required"],
                "text": parameter.get("description", ""),
            }
            for parameter in operation["parameters"]
        ],
        "body": _type(body) if body else None,
        "answers": [{"status": status, "type": _type(shape)} for status, shape in answers],
        "problems": [
            code
            for answer in operation["responses"].values()
            for code in answer["description"].removeprefix("Problem: ").split(", ")
            if code in KINDS
        ],
    }


def _fields(shape: Context) -> list[Context]:
    return [
        {
            "name": name,
            "type": _type(field),
            "required": name in shape.get("required", ()),
            "text": field.get("description", ""),
        }
        for name, field in shape.get("properties", {}).items()
    ]


def _type(shape: Context) -> Context:
    """A type as words, with the name of the shape to link to where it is one."""
    if "$ref" in shape:
        return {"words": "", "link": shape["$ref"].rsplit("/", 1)[-1]}
    if "anyOf" in shape:
        kinds = [_type(kind) for kind in shape["anyOf"]]
        link = next((kind["link"] for kind in kinds if kind["link"]), "")
        return {"words": " | ".join(kind["words"] for kind in kinds if kind["words"]), "link": link}
    if shape.get("type") == "array":
        of = _type(shape["items"])
        return {"words": f"array of {of['words']}".rstrip(), "link": of["link"]}
    if "enum" in shape:
        return {"words": " | ".join(map(str, shape["enum"])), "link": ""}
    return {"words": shape.get("format", shape.get("type", "any")), "link": ""}
