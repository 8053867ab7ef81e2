"""A slow and obvious matcher that compares every rule with the message, one after the other."""

import math
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from app.rules.matching.follower_facts import Facts
from app.rules.matching.rule_set import Rule
from app.wechat import inbound
from app.wechat.inbound import Inbound, subject_openid

# As Unicode names them: what a screen leaves out. Tags are left out of the strategies.
UNSEEN = "\u00ad\u200b\u200c\u200e\u2060\u202a\u202c\u3164\ufe0f\ufeff"
EMOJIS = "❤🎉👩💻"

KINDS = ["exact", "prefix", "suffix", "all", "contains", "any", "regex"]


def slow_choice(
    rules: list[Rule],
    appid: str,
    message: Inbound,
    facts: Facts | None,
    now: datetime,
    most: int,
) -> list[int]:
    """Return the ids of the rules that answer, best first."""
    able = [
        rule
        for rule in sorted(rules, key=strength)
        if rule.appid in {None, appid}
        and fits(rule, message)
        and may_answer(rule, appid, message, facts, now)
    ]
    best = [rule.id for rule in able if rule.trigger.on != "fallback"][:most]
    return best or [rule.id for rule in able][:1]


def strength(rule: Rule) -> tuple[object, ...]:
    written = members(rule)
    match rule.trigger.on:
        case "text" if written.get("not"):
            kind = 8
        case "text":
            kind = 1 + KINDS.index(written["match"])
        case "event":
            kind = 3
        case "subscribe_msg":
            kind = 2 - ("template" in written) - ("status" in written)
        case "subscribe" | "view" | "view_miniprogram" if len(written) == 1:
            kind = 2
        case _:
            kind = 1 if any(name.endswith("_prefix") for name in written) else 0
    return rule.trigger.on == "fallback", -rule.priority, kind, -longest(rule), rule.id


def longest(rule: Rule) -> float:
    written = members(rule)
    match rule.trigger.on:
        case "text":
            if written["match"] == "regex":
                return 0
            return max(len(seen(word)) for word in written.get("keywords") or [written["keyword"]])
        case "location":
            return -float(written["radius_metres"])
        case "msgmenu":
            return len(written["id"])
        case "subscribe" | "scan" | "view" | "view_miniprogram":
            return max((len(key) for name, key in written.items() if name != "on"), default=0)
    return 0


def members(rule: Rule) -> dict[str, Any]:
    written: dict[str, Any] = rule.trigger.model_dump(mode="json", by_alias=True)
    return written


def words(written: dict[str, Any]) -> list[str]:
    given = written["keywords"] if "keywords" in written else [written["keyword"]]
    if written.get("raw"):
        return [seen(word) for word in given]
    strip = STRIPPED.get(written["match"], plain)
    return [strip(plain(word)) for word in given]


def seen(text: str) -> str:
    """Leave out what cannot be seen. A joiner stays where it makes one emoji of two."""
    kept = "".join(character for character in text if character not in UNSEEN)
    return "".join(
        character
        for position, character in enumerate(kept)
        if character != "\u200d" or joins(kept[:position], kept[position + 1 :])
    )


def joins(before: str, after: str) -> bool:
    return before.endswith(tuple(EMOJIS)) and after.startswith(tuple(EMOJIS))


def plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", seen(text)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def bare(text: str) -> str:
    without_start = re.sub(r"^[\W_]+", keep_symbols, text)
    return re.sub(r"[\W_]+$", keep_last_symbols, without_start) or text


def bare_start(text: str) -> str:
    return re.sub(r"^[\W_]+", keep_symbols, text) or text


def bare_end(text: str) -> str:
    return re.sub(r"[\W_]+$", keep_last_symbols, text) or text


def keep_symbols(edge: re.Match[str]) -> str:
    """Of what is no letter only punctuation and blanks go, from the outside in."""
    kept = edge.group()
    while kept and (kept[0] in " ~" or unicodedata.category(kept[0]).startswith("P")):
        kept = kept[1:]
    return kept


def keep_last_symbols(edge: re.Match[str]) -> str:
    kept = edge.group()
    while kept and (kept[-1] in " ~" or unicodedata.category(kept[-1]).startswith("P")):
        kept = kept[:-1]
    return kept


STRIPPED = {"exact": bare, "prefix": bare_start, "suffix": bare_end}


def fits(rule: Rule, message: Inbound) -> bool:
    written = members(rule)
    if isinstance(message, inbound.BaseMessage):
        return fits_message(rule.trigger.on, written, message)
    return fits_event(rule.trigger.on, written, message)


def fits_message(on: str, written: dict[str, Any], message: inbound.BaseMessage) -> bool:
    match on, message:
        case "text", inbound.Text(content=content):
            fit = fits_text(written, content)
        case "text", inbound.Voice(recognition=content):
            fit = bool(written.get("voice")) and fits_text(written, content)
        case "unsupported", inbound.Unsupported():
            fit = True
        case "msgmenu", inbound.Text(bizmsgmenuid=menu_id):
            fit = menu_id == written["id"]
        case "location", inbound.Location(location_x=north, location_y=east):
            fit = fits_place(written, float(north or "nan"), float(east or "nan"))
        case _:
            fit = on == "fallback"
    return fit


def fits_event(on: str, written: dict[str, Any], message: Inbound) -> bool:
    fit = False
    match on, message:
        case "subscribe" | "scan", inbound.Subscribe(scene=key):
            fit = fits_key(written, "scene", key)
        case "scan", inbound.Scan(scene=key):
            fit = fits_key(written, "scene", key)
        case "click", inbound.Click(event_key=key):
            fit = fits_key(written, "key", key)
        case "view", inbound.View(event_key=key):
            fit = fits_key(written, "url", key)
        case "view_miniprogram", inbound.ViewMiniProgram(event_key=key):
            fit = fits_key(written, "pagepath", key)
        case "subscribe_msg", inbound.ConsentEvent(items=items):
            told = [(item.template_id, item.subscribe_status) for item in items]
            fit = any(fits_result(written, *result) for result in told)
        case "subscribe_msg", inbound.SubscribeMsgSent(items=deliveries):
            codes = {"0": "sent", "43101": "failed"}
            fit = any(
                fits_result(written, delivery.template_id, codes[delivery.error_code or ""])
                for delivery in deliveries
            )
        case "event", _:
            fit = written["name"].lower() == getattr(message, "event", "").lower()
        case "unsubscribe", inbound.Unsubscribe():
            fit = True
    return fit


def fits_text(written: dict[str, Any], content: str) -> bool:
    if not seen(content).strip():
        return False
    found = any(fits_form(written, form) for form in forms(written, content))
    return found != bool(written.get("not"))


def forms(written: dict[str, Any], content: str) -> list[str]:
    if written.get("raw"):
        return [seen(content)]
    if written["match"] == "regex":
        shown = " ".join(unicodedata.normalize("NFKC", seen(content)).split())
        return [shown, bare(shown)]
    return [strip(plain(content)) for strip in (str, bare_start, bare_end, bare)]


def fits_form(written: dict[str, Any], form: str) -> bool:
    if written["match"] == "regex":
        flags = re.NOFLAG if written.get("raw") else re.IGNORECASE
        pattern = written["keyword"]
        pattern = pattern.replace("$", r"\Z")  # Python's $ is also before a last line break.
        return re.search(seen(pattern), form, flags) is not None
    wanted = words(written)
    return {
        "exact": form == wanted[0],
        "prefix": form.startswith(wanted[0]),
        "suffix": form.endswith(wanted[0]),
        "contains": wanted[0] in form,
        "all": all(word in form for word in wanted),
        "any": any(word in form for word in wanted),
    }[written["match"]]


def fits_key(written: dict[str, Any], name: str, key: str | None) -> bool:
    if name in written:
        return bool(key == written[name])
    if f"{name}_prefix" in written:
        return key is not None and key.startswith(written[f"{name}_prefix"])
    return True


def fits_result(written: dict[str, Any], template: str | None, status: str | None) -> bool:
    return written.get("template", template) == template and written.get("status", status) == status


def fits_place(written: dict[str, Any], north: float, east: float) -> bool:
    """By the angle between two vectors, which is another formula than the engine's."""
    here, there = vector(north, east), vector(written["latitude"], written["longitude"])
    cross = math.dist(
        (0, 0, 0),
        (
            here[1] * there[2] - here[2] * there[1],
            here[2] * there[0] - here[0] * there[2],
            here[0] * there[1] - here[1] * there[0],
        ),
    )
    metres = 6_371_008.8 * math.atan2(cross, sum(a * b for a, b in zip(here, there, strict=True)))
    return bool(metres <= written["radius_metres"])


def vector(north: float, east: float) -> tuple[float, float, float]:
    phi, lam = math.radians(north), math.radians(east)
    return math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)


def may_answer(
    rule: Rule, appid: str, message: Inbound, facts: Facts | None, now: datetime
) -> bool:
    if rule.conditions is None:
        return True
    wanted = rule.conditions.model_dump(mode="json", by_alias=True)
    holding = [
        "from" not in wanted or now >= datetime.fromisoformat(wanted["from"]),
        "until" not in wanted or now < datetime.fromisoformat(wanted["until"]),
        "hours" not in wanted or within_hours(wanted["hours"], now),
        "share" not in wanted or is_drawn(wanted["share"], appid, subject_openid(message)),
    ]
    if {"follower", "unionid", "cooldown_seconds"} & wanted.keys():
        holding.append(facts is not None and facts_hold(rule.id, wanted, message, facts, now))
    return all(holding)


def facts_hold(
    rule_id: int, wanted: dict[str, Any], message: Inbound, facts: Facts, now: datetime
) -> bool:
    follows, since = facts.following is not False, facts.followed_at
    if isinstance(message, inbound.Subscribe):
        follows, since = True, datetime.fromtimestamp(message.create_time, UTC)
    follower = wanted.get("follower", {})
    least, most = follower.get("min_age_seconds"), follower.get("max_age_seconds")
    known = since is not None
    age = (now - since).total_seconds() if since is not None else 0
    last = facts.fired.get(rule_id)
    cooldown = timedelta(seconds=wanted.get("cooldown_seconds", 0))
    return all(
        [
            "state" not in follower or follows == (follower["state"] == "following"),
            least is None or (known and age >= least),
            most is None or (known and age <= most),
            "unionid" not in wanted or facts.unionid_known == (wanted["unionid"] == "known"),
            last is None or "cooldown_seconds" not in wanted or last + cooldown <= now,
        ]
    )


def is_drawn(share: dict[str, Any], appid: str, openid: str) -> bool:
    """Whoever is answered today is answered tomorrow, so this formula may not change."""
    drawn = blake2b("\0".join([share["salt"], appid, openid]).encode(), digest_size=8).hexdigest()
    return Fraction(int(drawn, 16) % 10_000, 100) < Fraction(str(share["percent"]))


def within_hours(hours: dict[str, Any], now: datetime) -> bool:
    """Minute by minute: walk back to the last start, and see whether an end came since."""
    moment = now.astimezone(ZoneInfo(hours["tz"])).replace(tzinfo=None, second=0, microsecond=0)
    for _ in range(24 * 60):
        clock = f"{moment:%H:%M}"
        if clock == hours["start"]:
            return "days" not in hours or moment.isoweekday() in hours["days"]
        if clock == hours["end"].replace("24:00", "00:00"):
            return False
        moment -= timedelta(minutes=1)
    raise AssertionError("no day lacks a minute")
