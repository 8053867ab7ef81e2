"""Finds what in a rule's replies could never be sent, or never as it is written. Pure."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from app import refs
from app.rules.definition.mini_programs import opened_mini_programs
from app.rules.definition.schemas import ANSWERING_MESSAGES, RuleIn
from app.rules.definition.templates import ALWAYS_KNOWN, Unfillable, filled, is_plain
from app.rules.definition.text_triggers import captures_of
from app.wechat.outbound import Message, News, Text, rule_instead, text_instead
from app.wechat.outbound.code_mark import CODE, MAX_CODE_LENGTH

FieldPath = tuple[str | int, ...]

_BRACED: Final = re.compile(r"\{(\w+)\}")
_ANY_APPID: Final = "wx" + 16 * "0"
_SHORTEST_VALUES: Final = {"rule": "1", "ref": refs.LENGTH * "0"}
# A code may be that long, and is not known yet when a text is cut to its length.
_LONGEST_CODE: Final = MAX_CODE_LENGTH * "0"
_NOT_CHECKED: Final = {"content", "pagepath", "otherwise", "otherwise_rule", "media", "thumb"}
"""Members of a reply that are templates or files, so that braces in them are no mistake."""


def unsendable(rule: RuleIn, mini_programs: Collection[str]) -> Iterator[tuple[FieldPath, str]]:
    """Yield the path of each faulty field of a rule, and what to do about it.

    mini_programs: AppIDs of the mini-programs that may be opened; empty: any.
    """
    for number, reply in enumerate(rule.replies):
        for member, words in (
            *(_unknown_mini_programs(reply, mini_programs) if mini_programs else ()),
            *_never_fits(reply, rule),
            *_text_instead_never_fits(reply, rule),
            *_names_itself(reply, rule),
            *_too_many_articles(reply, rule),
            *_never_filled(reply, rule),
        ):
            yield ("replies", number, *member), words


def _unknown_mini_programs(
    reply: Message, known: Collection[str]
) -> Iterator[tuple[FieldPath, str]]:
    unknown = [
        (member, appid) for member, appid in opened_mini_programs(reply) if appid not in known
    ]
    for member, appid in unknown[:1]:
        yield (
            (member,),
            f"{appid} is not a mini-program that is configured here: correct it, or add it to "
            "ACCOUNTS_FILE or MINI_PROGRAM_APPIDS",
        )


def _never_fits(reply: Message, rule: RuleIn) -> Iterator[tuple[FieldPath, str]]:
    """Yield a reply that is too long even if its placeholders get the shortest values possible."""
    if is_plain(reply, rule.utm):
        return
    is_text = isinstance(reply, Text)
    # A pattern may capture nothing. But an empty text is never sent, so a text gets one character.
    words = dict.fromkeys(captures_of(rule.trigger), "x" if is_text else "")
    try:
        account = rule.appid or _ANY_APPID
        values = {CODE: _LONGEST_CODE, **words, "account": account, **_SHORTEST_VALUES}
        filled(reply, values, rule.utm)
    except Unfillable as error:
        yield ("content" if is_text else "pagepath",), f"can't be sent: {error}; shorten it"


def _text_instead_never_fits(reply: Message, rule: RuleIn) -> Iterator[tuple[FieldPath, str]]:
    instead = text_instead(reply)
    if instead is not None:
        for _, words in _never_fits(instead, rule):
            yield ("otherwise",), words


def _names_itself(reply: Message, rule: RuleIn) -> Iterator[tuple[FieldPath, str]]:
    if rule_instead(reply) == rule.name:
        yield ("otherwise_rule",), "is this rule itself: name another one"


def _too_many_articles(reply: Message, rule: RuleIn) -> Iterator[tuple[FieldPath, str]]:
    if not isinstance(reply, News) or not isinstance(rule.trigger, ANSWERING_MESSAGES):
        return
    if len(reply.articles) > 1:
        yield (
            ("articles",),
            "must be at most 1 in answer to a message, only events are answered with more: "
            "remove the others",
        )


def _never_filled(reply: Message, rule: RuleIn) -> Iterator[tuple[FieldPath, str]]:
    """Yield members with placeholders that are never filled, because they are not templates."""
    if isinstance(reply, Text):
        return
    for member, text in _texts(reply.model_dump(exclude=_NOT_CHECKED)):
        braced = _BRACED.findall(text)
        known = {CODE, *ALWAYS_KNOWN, *(captures_of(rule.trigger) if braced else ())}
        names = [name for name in braced if name in known]
        if names:
            yield (
                member,
                f"holds {{{names[0]}}}, and placeholders are filled only in the content of a text "
                "and the pagepath of a card: put it there, or remove it",
            )


def _texts(part: object, *path: str | int) -> Iterator[tuple[FieldPath, str]]:
    match part:
        case str():
            yield path, part
        case dict():
            for name, inner in part.items():
                yield from _texts(inner, *path, name)
        case tuple():
            for number, inner in enumerate(part):
                yield from _texts(inner, *path, number)
