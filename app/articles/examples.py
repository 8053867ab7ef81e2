"""Example bodies about articles for the OpenAPI document."""

from typing import Final

from fastapi.openapi.models import Example

PLACEMENTS: Final[dict[str, Example]] = {
    "card": {
        "summary": "A card in the article of a campaign",
        "value": {
            "mark": "art9",
            "title": "夏季促销",
            "text": "进店看看",
            "image_url": "https://mmbiz.example.com/shop.jpg",
        },
    }
}
DRAFTS: Final[dict[str, Example]] = {
    "article": {
        "summary": "An article with a card in its middle",
        "value": {
            "title": "夏季促销开始了",
            "content": "<p>全场八折。</p>{mini_program}<p>欢迎光临。</p>",
            "thumb_media_id": "MEDIA_ID_OF_THE_COVER",
            "mini_program": {
                "mark": "art9",
                "image_url": "https://mmbiz.example.com/shop.jpg",
            },
        },
    }
}
