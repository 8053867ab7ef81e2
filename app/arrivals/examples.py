"""Bodies of requests in the OpenAPI document."""

from typing import Final

REPORTS: Final = {
    "launch": {
        "summary": "Somebody opened the page of a card",
        "value": {
            "reports": [
                {
                    "id": "m3x9qk2v8c4d",
                    "kind": "launch",
                    "appid": "wx0123456789abcdef",
                    "openid": "oLVPpjqs9BhvzwPj5A-vTYAX3GLc",
                    "at": "2026-11-24T12:00:00+08:00",
                    "scene": 1074,
                    "path": "pages/shop/index",
                    "query": {"ref": "hV3kQ9_x2A"},
                }
            ]
        },
    },
    "conversion": {
        "summary": "The same person paid",
        "value": {
            "reports": [
                {
                    "id": "order-20261124-0001",
                    "kind": "conversion",
                    "appid": "wx0123456789abcdef",
                    "openid": "oLVPpjqs9BhvzwPj5A-vTYAX3GLc",
                    "at": "2026-11-24T12:03:00+08:00",
                    "ref": "hV3kQ9_x2A",
                    "name": "purchase",
                    "value": 99.5,
                    "currency": "CNY",
                }
            ]
        },
    },
}
