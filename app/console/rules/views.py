"""Prepares the fields of the editor for the template: values, errors and labels. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from pydantic import BaseModel

from app.console.rules.field_labels import CHOICES, HELP, LABELS
from app.console.rules.fields import (
    RULE,
    Input,
    Member,
    discriminator_of,
    is_media,
    members_of,
)

Errors = Mapping[str, str]


@dataclass(slots=True)
class View:
    """One field as the template shows it.

    path: its name in the form. value: a text, or a list of days. parts: the fields of a group, or
    one view for each part of a list. choices: (value, message). kind: of a group that is one of
    several kinds.
    """

    path: str
    input: Input
    label: str
    help: str
    value: Any = ""
    error: str | None = None
    required: bool = False
    max_bytes: int = 0
    choices: Sequence[tuple[str, str]] = ()
    parts: list["View"] = field(default_factory=list)
    kind: str = ""
    media: bool = False


def rule_views(document: Mapping[str, Any], errors: Errors, zone: tzinfo) -> dict[str, View]:
    """Return the fields of a rule by the names of its members."""
    return {view.path: view for view in _group(RULE, document, "", errors, zone)}


def left_over(errors: Errors, views: Mapping[str, View]) -> list[str]:
    """Return the errors that stand beside no field, each with its path."""
    shown = {path for view in views.values() for path in _paths(view)}
    return [f"{path}: {words}" for path, words in errors.items() if path not in shown]


def label_of(model: type[BaseModel], name: str) -> str:
    """Return what a member is called: a message. Raises KeyError."""
    own = f"{model.__name__}.{name}"
    return LABELS[own] if own in LABELS else LABELS[name]


def _paths(view: View) -> set[str]:
    lines = {f"{view.path}.{number}" for number in range(1000)}
    own = {view.path, *(lines if view.input in {Input.LINES, Input.DAYS} else ())}
    return own.union(*(_paths(part) for part in view.parts))


def _group(
    model: type[BaseModel], values: object, prefix: str, errors: Errors, zone: tzinfo
) -> list[View]:
    known: Mapping[str, Any] = values if isinstance(values, Mapping) else {}
    return [
        _view(model, member, known, f"{prefix}{member.name}", errors, zone)
        for member in members_of(model)
    ]


def _view(
    model: type[BaseModel],
    member: Member,
    known: Mapping[str, Any],
    path: str,
    errors: Errors,
    zone: tzinfo,
) -> View:
    value = known.get(member.name, member.default)
    own = f"{model.__name__}.{member.name}"
    view = View(
        path,
        member.input,
        label_of(model, member.name),
        HELP.get(own, HELP.get(member.name, "")),
        required=member.required,
        error=errors.get(path),
        max_bytes=member.max_bytes,
    )
    match member.input:
        case Input.GROUP:
            view.media = is_media(member.models[0])
            view.parts = _group(member.models[0], value, f"{path}.", errors, zone)
        case Input.KINDS:
            view.kind, view.parts = _kind(member, value, path, errors, zone)
        case Input.PARTS:
            view.parts = [
                _part(member, part, f"{path}.{number}", errors, zone)
                for number, part in enumerate(value if isinstance(value, list | tuple) else ())
            ]
        case Input.LINES:
            view.value = "\n".join(map(str, value or ()))
            view.error = view.error or _of_lines(path, errors)
        case Input.DAYS:
            view.value = list(value or ())
        case Input.SWITCH:
            view.value = value is True
        case Input.MOMENT:
            view.value = _local(value, zone)
        case Input.CHOICE:
            view.value = "" if value is None else str(value)
            view.choices = [(choice, CHOICES[member.name][choice]) for choice in member.choices]
        case _:
            view.value = "" if value is None else str(value)
    return view


def _part(member: Member, value: object, path: str, errors: Errors, zone: tzinfo) -> View:
    view = View(path, Input.GROUP, "", "", error=errors.get(path))
    if len(member.models) > 1:
        view.kind, view.parts = _kind(member, value, path, errors, zone)
    else:
        view.parts = _group(member.models[0], value, f"{path}.", errors, zone)
    return view


def _kind(
    member: Member, value: object, path: str, errors: Errors, zone: tzinfo
) -> tuple[str, list[View]]:
    known: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    for model in member.models:
        name, kind = discriminator_of(model)
        if known.get(name) == kind:
            return kind, _group(model, known, f"{path}.", errors, zone)
    return "", []


def _of_lines(path: str, errors: Errors) -> str | None:
    found = [
        f"{int(place.rpartition('.')[2]) + 1}: {words}"
        for place, words in errors.items()
        if place.startswith(f"{path}.")
    ]
    return "; ".join(found) or None


def _local(value: object, zone: tzinfo) -> str:
    if not isinstance(value, str):
        return ""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    local = moment.astimezone(zone).replace(tzinfo=None)
    return local.isoformat(timespec="seconds" if local.second else "minutes")
