"""Example bodies of `/api/links` for the OpenAPI document."""

from typing import Final

from fastapi.openapi.models import Example

LINKS: Final[dict[str, Example]] = {
    "campaign": {
        "summary": "One short URL for a campaign",
        "value": {
            "slug": "summer26",
            "name": "Summer sale",
            "appid": "wx0123456789abcdef",
            "path": "pages/shop/index",
            "query": "from={link}&ref={ref}",
            "utm": {"source": "sms", "campaign": "summer26"},
            "fallback_url": "https://shop.example.com/summer",
        },
    }
}

SCHEMES: Final[dict[str, Example]] = {
    "week": {"summary": "A URL Scheme for a week", "value": {"days": 7}}
}
SHORT_LINKS: Final[dict[str, Example]] = {
    "chat": {"summary": "For a chat", "value": {"title": "夏季促销", "permanent": False}}
}
CODES: Final[dict[str, Example]] = {
    "poster": {"summary": "For a poster", "value": {"width": 1280, "transparent": True}}
}
