"""Examples of bodies in the OpenAPI document. Each works as it stands; a test sends them all."""

from typing import Any, Final

Example = dict[str, Any]

WEBHOOKS: Final[dict[str, Example]] = {
    "all": {"summary": "All events", "value": {"url": "https://crm.example.com/oa-bridge"}},
    "some": {
        "summary": "Follows and UnionIDs",
        "value": {
            "url": "https://crm.example.com/oa-bridge",
            "description": "CRM",
            "types": ["follow.*", "identity.*"],
        },
    },
}
ROTATIONS: Final[dict[str, Example]] = {
    "overlap": {"summary": "Both secrets sign for a day", "value": {"overlap_hours": 24}},
}
REPLAYS: Final[dict[str, Example]] = {
    "all": {"summary": "All events again", "value": {"from": 1}},
}
