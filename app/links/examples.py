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
