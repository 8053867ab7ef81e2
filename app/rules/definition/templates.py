"""Fills the placeholders in replies.

`{1}` and `{name}` stand for what a pattern captured. `{account}`, `{rule}` and `{ref}` are known
to every reply. `{code}` stands for the person's code of a campaign, unless a pattern captures it: a
mark takes its place until the reply is sent.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from app.rules.definition.utm import Utm
from app.wechat.outbound import OF_RULE, Message, MiniProgramPage, Text, text_instead
from app.wechat.outbound.code_mark import CODE
from app.wechat.outbound.mini_program_card import MAX_PAGEPATH_BYTES
from app.wechat.outbound.otherwise import MAX_TEXT_BYTES
from app.wechat.passive_reply import truncate
from app.wechat.visible_text import cut, shows_nothing
from app.wechat.xml_document import strip_illegal

# What most rules say to everybody. It belongs to the rules, and holds nothing of a follower.
MAX_REMEMBERED_REPLIES: Final = 8192

ALWAYS_KNOWN: Final = frozenset({"account", "rule", "ref"})
"""account: the AppID. rule: the id of the rule. ref: by which an arrival from it is known."""

_BRACES: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_LINK_PATH: Final = re.compile(r"""(data-miniprogram-path\s*=\s*(["']))(.*?)(\2)""", re.DOTALL)
_TAG_OPENS: Final = re.compile(r"<(?:[A-Za-z/]|\Z)")
_NO_TAGS: Final = str.maketrans("", "", "<>")


class BadTemplate(ValueError):
    """The template has a brace that belongs to no placeholder; str() says which."""


class Unfillable(Exception):
    """The filled reply can't be sent; str() says why and repeats nothing that a follower wrote."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder in a template. in_tag: whether it stands inside a tag such as `<a …>`."""

    name: str
    in_tag: bool


def parts_of(template: str) -> Iterator[str | Placeholder]:
    """Yield literal text and placeholders in their order; `{{` and `}}` are literal braces.

    Raises BadTemplate.
    """
    end = 0
    in_tag = False
    for braces in _BRACES.finditer(template):
        literal = template[end : braces.start()]
        in_tag = _still_in_tag(literal, in_tag)
        end = braces.end()
        if literal:
            yield literal
        token, name = braces.group(), braces.group(1)
        if token in {"{{", "}}"}:
            yield token[0]
        elif name is None:
            raise BadTemplate(f"holds a single {token}: write {token * 2} for the character itself")
        else:
            yield Placeholder(name, in_tag)
    if end < len(template):
        yield template[end:]


def placeholders_of(template: str) -> frozenset[str]:
    """Return the names of the placeholders of a template. Raises BadTemplate."""
    return frozenset(part.name for part in parts_of(template) if isinstance(part, Placeholder))


def captures_named_in(replies: Iterable[Message]) -> frozenset[str]:
    """Return the names of placeholders that only a pattern can fill.

    What is no valid template is skipped.
    """
    found: frozenset[str] = frozenset()
    for template in (template for reply in replies for _, template in templates_of(reply)):
        try:
            found |= placeholders_of(template)
        except BadTemplate:
            continue
    return found - ALWAYS_KNOWN


def templates_of(reply: Message) -> Iterator[tuple[str, str]]:
    """Yield the templates of a reply, each with its member."""
    match reply:
        case Text():
            yield "content", reply.content
        case MiniProgramPage():
            yield "pagepath", reply.pagepath
    instead = text_instead(reply)
    if instead is not None:
        yield "otherwise", instead.content


def is_plain(reply: Message, utm: Utm | None) -> bool:
    """Tell whether a reply is sent as it is, with nothing to fill in and no UTM to append."""
    match reply:
        case Text(content=template):
            return not _has_braces(template) and (utm is None or "<" not in template)
        case MiniProgramPage(pagepath=template):
            return not _has_braces(template) and utm is None
    return True


@lru_cache(maxsize=MAX_REMEMBERED_REPLIES)
def unchanged(reply: Message, utm: Utm | None) -> str | None:
    """Return the JSON text of a reply that `filled` returns as it is, whatever the values are.

    None for any other: what is filled in for one follower may be erased, and is not remembered.
    """
    try:
        same = is_plain(reply, utm) and filled(reply, {}, utm) is reply
    except Unfillable:
        return None
    return reply.model_dump_json(exclude=OF_RULE) if same else None


def filled(reply: Message, values: Mapping[str, str], utm: Utm | None) -> Message:
    """Return a reply with its placeholders filled and the UTM parameters appended.

    values: by name of the placeholder; some of them are what a follower wrote. Such a value can
    neither make a link in a text nor add a parameter to a page. If the filled text would be too
    long, the captured values are cut, between two characters as a reader sees them, and the text
    around them stays whole. Raises Unfillable, also for a text of which nothing can be seen.
    """
    match reply:
        case Text(content=template):
            plain = is_plain(reply, utm)
            content = truncate(template) if plain else _fitting_text(template, values, utm)
            if shows_nothing(content):
                raise Unfillable(
                    "nothing is left of the text that can be seen once its placeholders are filled"
                )
            if content == template:
                return reply
            return reply.model_copy(update={"content": content})
        case MiniProgramPage(pagepath=template) if not is_plain(reply, utm):
            pagepath = _pagepath(template, values, utm)
            if len(pagepath.encode()) > MAX_PAGEPATH_BYTES:
                raise Unfillable(
                    f"its pagepath is longer than {MAX_PAGEPATH_BYTES} bytes once it is filled"
                )
            return reply.model_copy(update={"pagepath": pagepath})
    return reply


def _fitting_text(template: str, values: Mapping[str, str], utm: Utm | None) -> str:
    """Return the filled text, with every capture cut to the greatest length that fits."""
    content = _text(template, values, utm)
    if _size(content) <= MAX_TEXT_BYTES:
        return truncate(content)
    # Bisect for the greatest length of captures with which the text still fits.
    least, most = 0, max((len(value) for value in values.values()), default=0)
    while least < most:
        middle = (least + most + 1) // 2
        if _size(_text(template, _cut(values, middle), utm)) <= MAX_TEXT_BYTES:
            least = middle
        else:
            most = middle - 1
    # Whole characters take up no more than the same number of code points.
    content = _text(template, _cut(values, least, whole=True), utm)
    if _size(content) > MAX_TEXT_BYTES:
        raise Unfillable(f"it is longer than {MAX_TEXT_BYTES} bytes once it is filled")
    return truncate(content)


def _cut(values: Mapping[str, str], length: int, *, whole: bool = False) -> Mapping[str, str]:
    """Return the values with captures of up to `length` code points.

    whole: whether they end between two characters as a reader sees them.
    """
    return {
        name: value
        if name in ALWAYS_KNOWN or name == CODE
        else cut(value, length)
        if whole
        else value[:length]
        for name, value in values.items()
    }


def _size(content: str) -> int:
    return len(strip_illegal(content).encode())


def _has_braces(template: str) -> bool:
    return "{" in template or "}" in template


def _text(template: str, values: Mapping[str, str], utm: Utm | None) -> str:
    content = "".join(
        part if isinstance(part, str) else _in_text(values.get(part.name, ""), part.in_tag)
        for part in parts_of(template)
    )
    if utm is None:
        return content
    return _LINK_PATH.sub(
        lambda link: f"{link[1]}{utm.appended_to(link[3], '&amp;')}{link[4]}", content
    )


def _in_text(value: str, in_tag: bool) -> str:
    return quote(value, safe="") if in_tag else value.translate(_NO_TAGS)


def _pagepath(template: str, values: Mapping[str, str], utm: Utm | None) -> str:
    pagepath = "".join(
        part if isinstance(part, str) else quote(values.get(part.name, ""), safe="")
        for part in parts_of(template)
    )
    return pagepath if utm is None else utm.appended_to(pagepath)


def _still_in_tag(literal: str, in_tag: bool) -> bool:
    opened = max((tag.start() for tag in _TAG_OPENS.finditer(literal)), default=-1)
    closed = literal.rfind(">")
    return in_tag if opened == closed else opened > closed
