"""Example bodies of `/api/campaigns` for the OpenAPI document."""

from typing import Final

from fastapi.openapi.models import Example

CAMPAIGNS: Final[dict[str, Example]] = {
    "summer": {
        "summary": "A summer sale with its cost",
        "value": {
            "name": "Summer sale",
            "starts_at": "2026-07-01T00:00:00+08:00",
            "ends_at": "2026-08-01T00:00:00+08:00",
            "doors": [],
            "target": {"appid": "wx0123456789abcdef", "pagepath": "pages/sale/index"},
            "cost": {"amount": "5000.00", "currency": "CNY"},
            "warn_below": 100,
        },
    }
}
CODES: Final = "code\nSUMMER-7F3K-Q2\nSUMMER-9M2D-X4\n"
DRAWN: Final[dict[str, Example]] = {
    "thousand": {
        "summary": "A thousand codes",
        "value": {"count": 1000, "key": "first-thousand", "prefix": "SUMMER-", "length": 16},
    }
}
GIVEN: Final[dict[str, Example]] = {
    "person": {
        "summary": "A person in the mini-program",
        "value": {"appid": "wx0123456789abcdef", "openid": "oUser1"},
    }
}
REDEMPTIONS: Final[dict[str, Example]] = {
    "order": {
        "summary": "By an order",
        "value": {"code": "SUMMER-7F3K-Q2", "key": "order-20260704-0001"},
    }
}
INVITATIONS: Final[dict[str, Example]] = {
    "person": {
        "summary": "A person's own QR code",
        "value": {"appid": "wx1f2e3d4c5b6a7980", "openid": "oDEMO0aBcDeFgHiJkLmNoPqRsTuV"},
    }
}
