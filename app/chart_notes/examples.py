"""Example bodies of `/api/chart-notes` for the OpenAPI document."""

from typing import Final

from fastapi.openapi.models import Example

NOTES: Final[dict[str, Example]] = {
    "day": {
        "summary": "A day, for every account",
        "value": {"text": "Double Eleven sale begins", "day": "2026-11-11"},
    },
    "moment": {
        "summary": "A moment",
        "value": {"text": "Shop was closed for an hour", "at": "2026-11-20T14:00:00+08:00"},
    },
}
