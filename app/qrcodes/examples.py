"""Example bodies of `/api/qrcodes` for the OpenAPI document."""

from typing import Final

from fastapi.openapi.models import Example

CODES: Final[dict[str, Example]] = {
    "store": {
        "summary": "A code for one store",
        "value": {
            "name": "Store 42, counter",
            "kind": "temporary",
            "scene": "store_0042",
        },
    }
}
NAMES: Final[dict[str, Example]] = {
    "renamed": {"summary": "Another name", "value": {"name": "Store 42, window"}}
}
LIST: Final = "name,scene\nStore 41,store_0041\nStore 42,\n"
