"""Example bodies of `/api/tags` for the OpenAPI document."""

from typing import Final

from fastapi.openapi.models import Example

TAGS: Final[dict[str, Example]] = {
    "members": {
        "summary": "A tag for members",
        "value": {"appid": "wx1f2e3d4c5b6a7980", "name": "会员"},
    }
}
NAMES: Final[dict[str, Example]] = {
    "members": {"summary": "Another name", "value": {"name": "老会员"}}
}
PULLS: Final[dict[str, Example]] = {
    "account": {"summary": "Of one account", "value": {"appid": "wx1f2e3d4c5b6a7980"}}
}
PEOPLE: Final[dict[str, Example]] = {
    "store": {
        "summary": "All followers who came by one QR code",
        "value": {"action": "tag", "filter": {"scene": "store_0042"}, "key": "store-42-2026"},
    },
    "named": {
        "summary": "Two people",
        "value": {
            "action": "untag",
            "openids": ["oDEMO0aBcDeFgHiJkLmNoPqRsTuV", "oDEMO1aBcDeFgHiJkLmNoPqRsTuV"],
        },
    },
}
COUNTS: Final[dict[str, Example]] = {
    "lately": {
        "summary": "Who was seen this year",
        "value": {"filter": {"seen_since": "2026-01-01T00:00:00+08:00"}},
    }
}
