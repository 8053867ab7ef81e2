"""Example bodies of `/api/notices` and `/api/templates` for the OpenAPI document."""

from typing import Final

from fastapi.openapi.models import Example

NOTICES: Final[dict[str, Example]] = {
    "parcel": {
        "summary": "A parcel has arrived",
        "value": {
            "appid": "wx1f2e3d4c5b6a7980",
            "template_id": "TPL_parcel",
            "data": {"thing3": "请在今天取件", "time5": "2026-11-28 18:00"},
            "miniprogram": {
                "appid": "wx0123456789abcdef",
                "pagepath": "pages/order/detail?ref={ref}",
                "utm": {"source": "notice"},
            },
            "recipients": [
                {
                    "openid": "oDEMO0aBcDeFgHiJkLmNoPqRsTuV",
                    "data": {"character_string1": "K-0088"},
                }
            ],
        },
    }
}

REFRESH: Final[dict[str, Example]] = {
    "account": {"summary": "Of one account", "value": {"appid": "wx1f2e3d4c5b6a7980"}}
}

_AUDIENCE: Final = {
    "appid": "wx1f2e3d4c5b6a7980",
    "template_id": "TPL_parcel",
    "audience": {"following": True, "seen_since": "2026-01-01T00:00:00+08:00"},
}
AUDIENCES: Final[dict[str, Example]] = {
    "followers": {"summary": "Followers that were seen this year", "value": _AUDIENCE}
}
SENDS: Final[dict[str, Example]] = {
    "followers": {
        "summary": "To followers that were seen this year",
        "value": {
            **_AUDIENCE,
            "name": "Moved pick-up point",
            "data": {
                "character_string1": "A-1",
                "thing3": "取件点已迁至二楼",
                "time5": "2026-11-28 18:00",
            },
            "max_recipients": 5000,
            "rate": 20,
        },
    }
}
