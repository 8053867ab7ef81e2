"""Builds the OpenAPI document, from which the page /docs is drawn and clients are generated."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app.access.scopes import SCOPE_MEMBER
from app.api_errors import Detail, Problems
from app.api_model import describe_fields
from app.callback.openapi import PATHS

Json = dict[str, Any]

TAGS: Final = [
    {"name": "rules", "description": "Keyword rules: which message or event gets which replies."},
    {"name": "replies", "description": "What became of each reply, and sending one again."},
    {"name": "users", "description": "One person at all accounts, and reports of UnionIDs."},
    {"name": "events", "description": "Followers and the history of events: lists and exports."},
    {"name": "stats", "description": "Figures by days in a time zone."},
    {"name": "webhooks", "description": "Endpoints of other systems that events are sent to."},
    {"name": "links", "description": "Short URLs that open pages of mini-programs."},
    {"name": "articles", "description": "Mini-programs of links inside of articles."},
    {"name": "menus", "description": "Custom menus: drafts, publishing, versions, taps."},
    {"name": "notices", "description": "Subscription notices and template messages."},
    {"name": "tags", "description": "Tags of followers, for conditional menus."},
    {"name": "arrivals", "description": "What mini-programs report: who arrived, who converted."},
    {"name": "alarms", "description": "Thresholds, alarms, and who is told of them."},
    {"name": "qrcodes", "description": "QR codes of Official Accounts, and who came by them."},
    {"name": "campaigns", "description": "Campaigns, their codes, and who redeemed them."},
    {"name": "privacy", "description": "Erasing a person, and the certificates of erasures."},
    {"name": "callbacks", "description": "What WeChat has pushed."},
    {"name": "callback", "description": "What WeChat calls. Generated clients do not need it."},
    {"name": "operations", "description": "Health, metrics and the audit log."},
]

API_RESPONSES: Final[dict[int | str, Json]] = {
    401: {
        "model": Detail,
        "description": "The token is missing, unknown, revoked or expired",
        "headers": {"WWW-Authenticate": {"schema": {"type": "string"}}},
    },
    403: {"model": Detail, "description": "The token lacks the scope, or the AppID"},
    422: {"model": Problems, "description": "What to correct, field by field"},
    429: {
        "model": Detail,
        "description": "Too many requests without a valid bearer token",
        "headers": {
            "Retry-After": {"description": "In seconds", "schema": {"type": "string"}},
        },
    },
    503: {
        "model": Detail,
        "description": "The database is unavailable or too slow, there is no token yet, or "
        "SECRET_KEY is not the key with which a secret was encrypted",
    },
}
"""What every route of `/api` may answer, whatever it does."""

_BODY_RESPONSES: Final = {
    "400": "The body is not UTF-8 text",
    "408": "The body did not arrive in time",
    "413": "The body is too large",
    "415": "The body is not JSON",
}
_DETAIL: Final[Json] = {
    "application/json": {"schema": {"$ref": f"#/components/schemas/{Detail.__name__}"}}
}

GATE_RESPONSES: Final[dict[int | str, Json]] = {
    status: {"description": API_RESPONSES[status]["description"], "content": _DETAIL}
    for status in (401, 403, 429, 503)
}
"""What the gate alone may answer, in JSON, whatever the route itself answers in."""


def operation_id(route: APIRoute) -> str:
    """Return the name of a route's function, which becomes a function of generated clients."""
    return route.name


def build_document(app: FastAPI) -> Json:
    """Return the document: that of FastAPI, completed by what it can't know of."""
    describe_fields()
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=TAGS,
    )
    document["paths"] = {**PATHS, **document["paths"]}
    schemas = document["components"]["schemas"]
    for operation in _api_operations(document):
        _move_definitions(operation, schemas)
        _complete_errors(operation)
        _describe_scope(operation)
        _describe_parameters(operation)
    # FastAPI's own, for errors that are never answered so.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return document


def _api_operations(document: Json) -> Iterator[Json]:
    for path, operations in document["paths"].items():
        if path.startswith("/api/"):
            yield from operations.values()


def _move_definitions(operation: Json, schemas: Json) -> None:
    """Move the schemas that a route gives for a body of its own to the others."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for name, schema in content["schema"].pop("$defs", {}).items():
            schemas.setdefault(name, schema)


def _complete_errors(operation: Json) -> None:
    """Add the errors that every body may get, and the shape of errors that have none."""
    responses: Json = operation["responses"]
    if "requestBody" in operation:
        for status, description in _BODY_RESPONSES.items():
            responses.setdefault(status, {"description": description})
    for status, response in responses.items():
        if status >= "400":
            response.setdefault("content", _DETAIL)


def _describe_scope(operation: Json) -> None:
    """Say in the description which scope the operation needs, for those who read it."""
    text = operation.get("description", "")
    operation["description"] = f"{text}\n\nScope of the token: `{operation[SCOPE_MEMBER]}`".strip()


def _describe_parameters(operation: Json) -> None:
    """Describe the schema of each parameter, too.

    FastAPI does so only for those that were described before the first request with them. The
    members are sorted, as pydantic sorts them, so that one document is as another.
    """
    for parameter in operation.get("parameters", []):
        if "description" in parameter:
            described = {"description": parameter["description"]} | parameter["schema"]
            parameter["schema"] = dict(sorted(described.items()))
