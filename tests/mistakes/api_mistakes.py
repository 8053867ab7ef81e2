"""Wrong requests, made from the OpenAPI document: members that are missing or of another type."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.service import APPID, CARD_APPID, OPENID, Json, card, text_reply

RULE: Json = {
    "name": "Shop",
    "trigger": {"on": "text", "match": "exact", "keyword": "shop"},
    "replies": [text_reply(), card()],
}
LINK: Json = {
    "slug": "summer26",
    "name": "Summer sale",
    "appid": CARD_APPID,
    "path": "pages/shop/index",
    "query": "from={link}",
    "utm": {"source": "sms"},
    "env_version": "release",
    "fallback_url": "https://shop.example.com/",
}
PLACEMENT: Json = {
    "mark": "art9",
    "title": "Shop",
    "text": "Open the shop",
    "image_url": "https://mmbiz.example.com/shop.jpg",
}
NOTICES: Json = {
    "appid": APPID,
    "template_id": "TPL_parcel",
    "data": {"thing1": "Shop"},
    "miniprogram": {
        "appid": CARD_APPID,
        "pagepath": "pages/shop/index?ref={ref}",
        "utm": {"source": "notice"},
    },
    "url": "https://shop.example.com/",
    "recipients": [{"openid": OPENID, "data": {"thing1": "Shop"}}],
}
CAMPAIGN: Json = {
    "name": "Summer",
    "starts_at": "2026-07-01T00:00:00+08:00",
    "ends_at": "2026-08-01T00:00:00+08:00",
    "doors": [{"kind": "rule", "id": "1"}],
    "target": {"appid": CARD_APPID, "pagepath": "pages/sale"},
    "cost": {"amount": "5000.00", "currency": "CNY"},
    "warn_below": 100,
}
MENU: Json = {
    "button": [{"name": "Shop", "type": "click", "key": "shop"}],
    "conditional": [
        {"matchrule": {"tag_id": "108"}, "button": [{"name": "VIP", "type": "click", "key": "vip"}]}
    ],
}
AUDIENCE: Json = {
    "appid": APPID,
    "template_id": "TPL_parcel",
    "audience": {
        "following": True,
        "scene": "store",
        "seen_since": "2026-01-01T00:00:00Z",
        "seen_before": "2026-02-01T00:00:00Z",
        "unionids": ["uONE"],
    },
}
RECEIVER: Json = {
    "name": "On call",
    "kind": "email",
    "language": "en",
    "enabled": True,
    "mail": {
        "host": "smtp.example.com",
        "port": 465,
        "security": "tls",
        "username": "alarms@example.com",
        "sender": "alarms@example.com",
        "recipients": ["oncall@example.com"],
    },
    "password": "of the mailbox",
}
# A good body of each schema.
BODIES: dict[str, Json] = {
    "RuleIn": RULE,
    "RuleReplacement": RULE,
    "Imported": {"rules": [RULE]},
    "Question": {"appid": APPID, "text": "shop"},
    "Identities": {"identities": [{"appid": CARD_APPID, "openid": "oONE", "unionid": "uONE"}]},
    "Reports": {
        "reports": [
            {
                "id": "one",
                "kind": "launch",
                "appid": CARD_APPID,
                "at": "2026-01-01T00:00:00Z",
                "scene": 1074,
                "query": {"ref": "hV3kQ9_x2A"},
            }
        ]
    },
    "WebhookIn": {"url": "https://example.com/hook", "description": "", "types": ["*"]},
    "WebhookReplacement": {
        "url": "https://example.com/hook",
        "description": "",
        "types": ["*"],
        "enabled": True,
    },
    "ReceiverIn": RECEIVER,
    "ReceiverReplacement": RECEIVER,
    "ThresholdIn": {"enabled": True, "value": 30},
    "Rotation": {"overlap_hours": 1},
    "Replay": {"from": 1},
    "NoticesIn": NOTICES,
    "AudienceIn": AUDIENCE,
    "AudienceSendIn": AUDIENCE
    | {name: NOTICES[name] for name in ("data", "miniprogram", "url")}
    | {"name": "Moved", "max_recipients": 10, "rate": 20},
    "TemplatesRefresh": {"appid": APPID},
    "LinkIn": LINK,
    "LinkReplacement": LINK,
    "SchemeIn": {"days": 30},
    "ShortLinkIn": {"title": "Shop", "permanent": False},
    "CodeIn": {"scene": "shop", "width": 430, "transparent": False},
    "ArticlePlacement": PLACEMENT,
    "ArticleDraftIn": {
        "appid": APPID,
        "title": "Summer",
        "author": "Shop",
        "digest": "Sale",
        "content": "<p>Sale</p>",
        "content_source_url": "https://shop.example.com/",
        "thumb_media_id": "COVER",
        "need_open_comment": True,
        "only_fans_can_comment": True,
        "mini_program": PLACEMENT,
    },
    "Menu": MENU,
    "DraftIn": {"menu": MENU, "revision": 1},
    "PublishIn": {"revision": 1},
    "FollowerIn": {"openid": "oONE"},
    "QrCodeIn": {"name": "Store 42", "appid": APPID, "kind": "permanent", "scene": "store_42"},
    "QrCodeName": {"name": "Store 42"},
    "TagIn": {"appid": APPID, "name": "会员"},
    "TagName": {"name": "会员"},
    "PullIn": {"appid": APPID},
    "TagCountIn": {
        "appid": APPID,
        "filter": {
            "scene": "store_42",
            "how": "ADD_SCENE_QR_CODE",
            "seen_since": "2026-01-01T00:00:00Z",
            "seen_before": "2026-02-01T00:00:00Z",
            "tag_id": 100,
        },
    },
    "TagPeopleIn": {"action": "tag", "openids": ["oONE"], "key": "one"},
    "ChartNoteIn": {"text": "Sale", "day": "2026-11-11", "appid": APPID},
    "CampaignIn": CAMPAIGN,
    "CampaignReplacement": CAMPAIGN,
    "DrawIn": {"count": 10, "key": "first", "prefix": "S-", "length": 16},
    "GiveIn": {"appid": CARD_APPID, "openid": "oONE", "door": {"kind": "rule", "id": "1"}},
    "InvitationIn": {"appid": APPID, "openid": "oONE"},
    "RedemptionIn": {
        "code": "CODE-1",
        "key": "order-1",
        "redeemed_at": "2026-07-01T00:00:00+08:00",
    },
    "RetryIn": {"status": "failed", "errcode": 40166},
}
# Any text may be asked for: no rule may answer it.
TAKEN = {("text", "NUL")}
# In place of ids in paths.
ID = "00000000-0000-0000-0000-000000000000"
IDS = {
    "webhook_id": ID,
    "reply_id": ID,
    "link_id": ID,
    "notice_id": ID,
    "note_id": ID,
    "send_id": ID,
    "receiver_id": "01890000-0000-7000-8000-000000000000",
    "kind": "quota",
    "qrcode_id": ID,
    "campaign_id": ID,
    "import_id": ID,
    "list_id": ID,
    "run_id": ID,
    "tag_id": "100",
    "retry_id": ID,
    "erasure_id": ID,
    "rule_id": "1",
    "appid": APPID,
    "number": "1",
    "revision": "1",
    "unionid": "uONE",
}
# A value of each type of JSON.
VALUES: dict[str, Any] = {"object": {"wrong": 1}, "array": [[]], "string": "wrong", "null": None}
ALL_TYPES = {*VALUES, "integer", "number", "boolean"}
# Values of the right type that are none: no column and no screen holds them.
ABSURD: dict[str, dict[str, Any]] = {
    "string": {"NUL": "a\0b", "half a character": "\ud800", "too long": "x" * 50_000},
    "integer": {"too large": 10**30},
    "number": {"too large": 10**30, "no number": float("nan")},
}
# Texts that are of the right form, before and behind what a time zone can reckon with.
ABSURD_TIMES = {
    "date": ("0001-01-01", "9999-12-31"),
    "date-time": ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
}


class WrongBody(NamedTuple):
    """body: with one mistake. member: what is missing or of another type."""

    body: Json
    member: str
    mistake: str


class WrongQuery(NamedTuple):
    """A parameter of a query with a value that is none of its type."""

    name: str
    value: str


def wrong_bodies(document: Json, schema: Json, good: Json) -> Iterator[WrongBody]:
    """Yield the good body with each member in turn missing, or of each type that is not its own."""
    schema = resolved(document, schema, good)
    for name, member in schema.get("properties", {}).items():
        if name in schema.get("required", ()):
            without = {other: value for other, value in good.items() if other != name}
            yield WrongBody(without, name, "missing")
        allowed = types_of(document, member)
        for kind, value in VALUES.items():
            if kind not in allowed:
                yield WrongBody({**good, name: value}, name, kind)
        if name in good:  # others are read-only
            for mistake, value in absurd_values(document, member):
                if (name, mistake) not in TAKEN:
                    yield WrongBody({**good, name: value}, name, mistake)
        yield from _inside(document, member, good, name)


def absurd_values(document: Json, schema: Json) -> Iterator[tuple[str, Any]]:
    """Yield values that have one of the types of a schema and still can't be meant."""
    for kind in sorted(types_of(document, schema) & ABSURD.keys()):
        yield from ABSURD[kind].items()
    for form in formats_of(document, schema) & ABSURD_TIMES.keys():
        yield from ((f"absurd {form}", moment) for moment in ABSURD_TIMES[form])


def formats_of(document: Json, schema: Json) -> set[str]:
    """Return the formats that a schema names, as date and date-time."""
    if "$ref" in schema:
        return formats_of(document, at(document, schema["$ref"]))
    found = {schema["format"]} if "format" in schema else set()
    return found.union(*(formats_of(document, part) for part in schema.get("anyOf", ())))


def _inside(document: Json, member: Json, good: Json, name: str) -> Iterator[WrongBody]:
    value = good.get(name)
    if isinstance(value, dict):
        for wrong in wrong_bodies(document, member, value):
            yield wrong._replace(body={**good, name: wrong.body})
    elif isinstance(value, list) and isinstance(value[0], dict):
        items = resolved(document, member, {})["items"]
        for number, item in enumerate(value):
            for wrong in wrong_bodies(document, items, item):
                changed = [*value[:number], wrong.body, *value[number + 1 :]]
                yield wrong._replace(body={**good, name: changed})


def wrong_queries(document: Json, operation: Json) -> Iterator[WrongQuery]:
    """Yield each parameter that is not any text, with a text."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "query":
            continue
        types = types_of(document, parameter["schema"])
        if "string" not in types or _is_narrow(document, parameter["schema"]):
            yield WrongQuery(parameter["name"], "wrong")
        for mistake, value in absurd_values(document, parameter["schema"]):
            if mistake != "half a character":  # an address has bytes
                yield WrongQuery(parameter["name"], str(value)[:5000])


def patterns(document: Any) -> Iterator[str]:  # noqa: ANN401 - any part of the document
    """Yield every pattern of a text in a part of the document."""
    if isinstance(document, dict):
        if isinstance(document.get("pattern"), str):
            yield document["pattern"]
        document = [*document.values()]
    if isinstance(document, list):
        for part in document:
            yield from patterns(part)


def _is_narrow(document: Json, schema: Json) -> bool:
    """Whether a text has to be one of a list, or a time."""
    parts = [resolved(document, part, {}) for part in schema.get("anyOf", [schema])]
    texts = [part for part in parts if part.get("type") == "string" or "enum" in part]
    return all("enum" in part or "const" in part or "format" in part for part in texts)


def types_of(document: Json, schema: Json) -> set[str]:
    """Return the types of JSON that a schema allows."""
    if "$ref" in schema:
        return types_of(document, at(document, schema["$ref"]))
    for name in ("anyOf", "oneOf", "allOf"):
        if name in schema:
            return set().union(*(types_of(document, part) for part in schema[name]))
    if "type" in schema:
        return {schema["type"]}
    return {"string"} if "enum" in schema or "const" in schema else ALL_TYPES


def resolved(document: Json, schema: Json, good: Json) -> Json:
    """Return the schema itself: the one that a reference, or a member of the good value, names."""
    if "$ref" in schema:
        return resolved(document, at(document, schema["$ref"]), good)
    if "discriminator" in schema:
        names = schema["discriminator"]
        chosen = names["mapping"].get(good.get(names["propertyName"]))
        return schema if chosen is None else resolved(document, {"$ref": chosen}, good)
    for part in schema.get("anyOf", ()):
        found = resolved(document, part, good)
        if found.get("type") in {"object", "array"}:
            return found
    return schema


def at(document: Json, reference: str) -> Json:
    """Return the schema that a reference names."""
    schema: Json = document["components"]["schemas"][reference.rpartition("/")[2]]
    return schema
