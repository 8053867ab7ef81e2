"""The fields of the editor, derived from the models of rules: no member can be forgotten."""

from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from app.rules.definition.event_triggers import MAX_KEY_BYTES
from app.rules.definition.schemas import RuleIn
from app.rules.definition.triggers import AnyTrigger
from app.wechat.outbound import MediaSource, Message
from app.wechat.outbound.mini_program_card import MAX_PAGEPATH_BYTES
from app.wechat.outbound.otherwise import MAX_TEXT_BYTES


class Input(StrEnum):
    """How a member is entered.

    constant: not at all, it has one value. group: by the members of `model`. kinds: by those of one
    of several models. parts: by any number of groups, or of kinds.
    """

    CONSTANT = "constant"
    TEXT = "text"
    LONG = "long"
    LINES = "lines"
    NUMBER = "number"
    DECIMAL = "decimal"
    SWITCH = "switch"
    CHOICE = "choice"
    DAYS = "days"
    MOMENT = "moment"
    GROUP = "group"
    KINDS = "kinds"
    PARTS = "parts"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a model.

    name: in the JSON. choices: its values, for a choice or a constant. models: of a group, or of
    each kind. max_bytes: counted while one types; 0: no such limit.
    """

    name: str
    input: Input
    required: bool
    default: object
    choices: tuple[str, ...] = ()
    models: tuple[type[BaseModel], ...] = ()
    max_bytes: int = 0


TRIGGERS: Final[dict[str, type[BaseModel]]] = {}
REPLIES: Final[dict[str, type[BaseModel]]] = {}

# What has more than one line, and what WeChat counts in bytes.
_LONG: Final = frozenset({"content", "description", "head_content", "tail_content", "otherwise"})
# What belongs to a kind of reply itself comes before them.
_LAST: Final = ("otherwise", "otherwise_rule")
_MAX_BYTES: Final = {
    ("Text", "content"): MAX_TEXT_BYTES,
    ("MiniProgramPage", "pagepath"): MAX_PAGEPATH_BYTES,
    ("ClickTrigger", "key"): MAX_KEY_BYTES,
}


@cache
def members_of(model: type[BaseModel]) -> tuple[Member, ...]:
    """Return the members of a model, in its order."""
    fields = model.model_fields
    names = sorted(fields, key=lambda name: name in _LAST)  # stable
    return tuple(_member(model, name, fields[name]) for name in names)


def discriminator_of(model: type[BaseModel]) -> tuple[str, str]:
    """Return the name of the member that says which kind a model is, and its value."""
    name = "on" if "on" in model.model_fields else "msgtype"
    return name, get_args(_bare(model.model_fields[name].annotation))[0]


def is_media(model: type[BaseModel]) -> bool:
    """Tell whether a group is the source of a picture, sound or video."""
    return model is MediaSource


def _member(model: type[BaseModel], name: str, field: FieldInfo) -> Member:
    bare = _bare(field.annotation)
    default = None if field.default is PydanticUndefined else field.default
    made = Member(field.alias or name, Input.TEXT, field.is_required(), default)
    return _typed(made, bare, model.__name__)


def _typed(member: Member, bare: Any, model: str) -> Member:  # noqa: ANN401, PLR0911 - an annotation; one for each kind
    def of(input: Input, **more: Any) -> Member:  # noqa: ANN401 - members of every type
        return replace(member, input=input, **more)

    origin = get_origin(bare)
    if origin is Literal:
        choices = get_args(bare)
        return of(Input.CONSTANT if len(choices) == 1 else Input.CHOICE, choices=choices)
    if origin in {Union, UnionType}:
        kinds = tuple(map(_bare, get_args(bare)))
        if float in kinds:
            return of(Input.DECIMAL)
        return of(Input.KINDS, models=kinds)
    if origin is tuple:
        part = _bare(get_args(bare)[0])
        if part is str:
            return of(Input.LINES)
        if part is int:
            return of(Input.DAYS)
        kinds = get_args(part) if get_origin(part) in {Union, UnionType} else (part,)
        return of(Input.PARTS, models=tuple(map(_bare, kinds)))
    if isinstance(bare, type) and issubclass(bare, Enum):
        return of(Input.CHOICE, choices=tuple(value.value for value in bare))
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return of(Input.GROUP, models=(bare,))
    by_type = {bool: Input.SWITCH, int: Input.NUMBER, AwareDatetime: Input.MOMENT}
    is_long = member.name in _LONG and model != "Utm"
    usual = Input.LONG if is_long else Input.TEXT
    is_text_instead = member.name == "otherwise"
    max_bytes = MAX_TEXT_BYTES if is_text_instead else _MAX_BYTES.get((model, member.name), 0)
    return of(by_type.get(bare, usual), max_bytes=max_bytes)


def _bare(annotation: Any) -> Any:  # noqa: ANN401 - annotations have every type
    """Return an annotation without None and without what is noted beside it."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _bare(kinds[0]) if len(kinds) == 1 else annotation
    return annotation


TRIGGERS.update({discriminator_of(model)[1]: model for model in get_args(AnyTrigger)})
REPLIES.update({discriminator_of(model)[1]: model for model in get_args(Message)})
RULE: Final = RuleIn
