"""Reads the form of the editor as `/api/rules` takes a rule, and does what a button says. Pure.

The name of each field is its path in the rule, as `replies.0.thumb.file`, which is also the path
that a problem names. What can't be read as its type is left as it is, so that validation says why.
"""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from pydantic import BaseModel

from app.console.rules.fields import REPLIES, RULE, Input, Member, discriminator_of, members_of
from app.rules.definition.schemas import MAX_REPLIES
from app.rules.definition.text_triggers import WITH_KEYWORDS

Document = dict[str, Any]

MAX_PARTS: Final = max(MAX_REPLIES, 100)
NEW_REPLY: Final = "add.kind"


def document_of(form: Mapping[str, str], zone: tzinfo) -> Document:
    """Return the rule that a form holds. zone: of the times in it."""
    document = _group(RULE, form, "", zone)
    document.setdefault("trigger", {})
    document.setdefault("replies", [])
    _keep_keywords(document["trigger"], form)
    return document


def act(document: Document, action: str, form: Mapping[str, str]) -> Document:
    """Return the rule after a button was pressed: `add`, `remove` or `raise`, and a path."""
    verb, _, path = action.partition(":")
    if verb == "add":
        parts = _at(document, path.split("."), create=True)
        if isinstance(parts, list) and len(parts) < MAX_PARTS:
            kind = form.get(NEW_REPLY, "")
            parts.append({"msgtype": kind} if path == "replies" and kind in REPLIES else {})
    elif verb in {"remove", "raise"}:
        *outer, last = path.split(".")
        parts = _at(document, outer)
        number = int(last) if last.isdigit() else -1
        if isinstance(parts, list) and 0 <= number < len(parts):
            part = parts.pop(number)
            if verb == "raise":
                parts.insert(max(0, number - 1), part)
    return document


def put_file(document: Document, path: str, name: str) -> None:
    """Make a file the source of the picture at a path, if there is a place for one."""
    *outer, last = path.split(".")
    place = _at(document, outer)
    if isinstance(place, dict):
        place[last] = {"file": name}


def _at(document: Any, path: list[str], *, create: bool = False) -> Any:  # noqa: ANN401 - JSON
    for name in path:
        if isinstance(document, list) and name.isdigit() and int(name) < len(document):
            document = document[int(name)]
        elif isinstance(document, dict):
            if create and name not in document:
                document[name] = []
            document = document.get(name)
        else:
            return None
    return document


def _keep_keywords(trigger: Document, form: Mapping[str, str]) -> None:
    """Keep the words when the kind of comparison changes from one keyword to several, or back."""
    if "match" not in trigger:
        return
    lines = _lines(form.get("trigger.keywords", "")) or _lines(form.get("trigger.keyword", ""))
    needed, other = "keyword", "keywords"
    if trigger["match"] in WITH_KEYWORDS:
        needed, other = other, needed
    trigger.pop(other, None)
    if needed not in trigger and lines:
        trigger[needed] = lines if needed == "keywords" else lines[0]


def _group(model: type[BaseModel], form: Mapping[str, str], prefix: str, zone: tzinfo) -> Document:
    found = {}
    for member in members_of(model):
        value = _value(member, form, f"{prefix}{member.name}", zone)
        if value is not None:
            found[member.name] = value
    return found


def _value(  # noqa: PLR0911 - one for each kind of input
    member: Member, form: Mapping[str, str], path: str, zone: tzinfo
) -> object:
    text = form.get(path, "").replace("\r\n", "\n")
    match member.input:
        case Input.CONSTANT:
            return member.choices[0]
        case Input.SWITCH:
            return path in form
        case Input.LINES:
            return _lines(text) or None
        case Input.DAYS:
            days = [day for day in range(1, 8) if f"{path}.{day}" in form]
            return days or None
        case Input.NUMBER | Input.DECIMAL:
            return _number(text.strip())
        case Input.MOMENT:
            return _moment(text.strip(), zone)
        case Input.GROUP:
            return _some_group(member, form, path, zone)
        case Input.KINDS:
            return _one_of_kinds(member, form, path, zone)
        case Input.PARTS:
            return _parts(member, form, path, zone)
    return text if text.strip() else None


def _some_group(
    member: Member, form: Mapping[str, str], path: str, zone: tzinfo
) -> Document | None:
    model = member.models[0]
    found = _group(model, form, f"{path}.", zone)
    usual = {each.name: each.default for each in members_of(model)}
    given = any(value != usual.get(name) for name, value in found.items())
    return found if given or member.required else None


def _one_of_kinds(
    member: Member, form: Mapping[str, str], path: str, zone: tzinfo
) -> Document | None:
    for model in member.models:
        name, kind = discriminator_of(model)
        if form.get(f"{path}.{name}") == kind:
            return _group(model, form, f"{path}.", zone)
    return None


def _parts(
    member: Member, form: Mapping[str, str], path: str, zone: tzinfo
) -> list[Document] | None:
    found = []
    for number in range(MAX_PARTS):
        place = f"{path}.{number}"
        if place not in form:  # each part has a hidden field of its own
            break
        if len(member.models) > 1:
            found.append(_one_of_kinds(member, form, place, zone) or {})
        else:
            found.append(_group(member.models[0], form, f"{place}.", zone))
    return found


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _number(text: str) -> int | float | str | None:
    if not text:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _moment(text: str, zone: tzinfo) -> str | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()
    except ValueError:
        return text
