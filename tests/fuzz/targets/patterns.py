"""Keywords and patterns against texts: one rule for each way to compare, and what follows.

An input: a byte of choices (raw, not, voice), the keyword up to the first line feed, then the text.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import TypeAdapter, ValidationError

from app.rules.definition.rule import Rule
from app.rules.definition.triggers import TextTrigger, Trigger
from app.rules.explaining.text_near_miss import TextNearMiss
from app.rules.matching.compile_valid import compile_valid
from app.rules.matching.render_replies import render_replies
from app.rules.text.normalize import NormalizedText, normalise
from app.rules.text.regex_cost import cost_of
from app.wechat.ids import AppId
from app.wechat.outbound import REPLY
from tests.fuzz.target import Target, Values
from tests.rules.makers import NOON, text

_TRIGGER: Final[TypeAdapter[Trigger]] = TypeAdapter(Trigger)
_APPID: Final = AppId("wx0000000000000001")
_MATCHES: Final = ("exact", "prefix", "suffix", "contains", "regex", "all", "any")
_REPLIES: Final = (
    REPLY.validate_python({"msgtype": "text", "via": "passive", "content": "{0} {1}"}),
    REPLY.validate_python({"msgtype": "text", "via": "passive", "content": "ok"}),
)
_RAW: Final = 8
_NEGATED: Final = 16
_MIXED: Final = 32
_PAIRS: Final = Path(__file__).parents[2] / "rules" / "matching" / "text_pairs.yaml"


def try_case(data: bytes) -> Values:
    """Save a rule, let it answer a text, and say why it does not."""
    choices = data[0] if data else 0
    first, _, rest = data[1:].partition(b"\n")
    keyword, typed = first.decode(errors="replace"), rest.decode(errors="replace")
    trigger = _trigger(choices, keyword)
    form = normalise(typed)
    assert normalise(form) == form
    if trigger is None:
        return ()
    compiled = compile_valid([Rule(1, "Rule", None, 100, trigger, _REPLIES)], 1)
    assert not compiled.broken
    message = text(typed)
    chosen = compiled.rules.choose(_APPID, message, None, NOON)
    if not chosen:
        TextNearMiss(NormalizedText(typed), spoken=bool(choices & _MIXED)).reason(trigger)
        return ()
    return [
        reply.reply.model_dump_json()
        for reply in render_replies(chosen, message, appid=_APPID, push_key=b"k" * 16)
    ]


def _trigger(choices: int, keyword: str) -> TextTrigger | None:
    match = _MATCHES[choices % 8 % len(_MATCHES)]
    words: dict[str, Any] = {"keyword": keyword}
    if match in {"all", "any"}:
        words = {"keywords": keyword.split(";")}
    members = {"on": "text", "match": match, "raw": bool(choices & _RAW), **words}
    try:
        trigger = _TRIGGER.validate_python({**members, "not": bool(choices & _NEGATED)})
    except ValidationError:
        return None
    assert isinstance(trigger, TextTrigger)
    return trigger


def seeds() -> Iterable[bytes]:
    """Give the documented pairs, and patterns that are large for their length."""
    pairs = yaml.safe_load(_PAIRS.read_text())
    for kind, keywords, typed, *_ in pairs:
        match, _, flags = kind.partition(" ")
        choices = _MATCHES.index(match) | _RAW * ("raw" in flags) | _NEGATED * ("not" in flags)
        yield bytes([choices]) + f"{';'.join(keywords)}\n{typed}".encode()
    for pattern in (
        "[^a]{0,999}b",
        "(?i)(a|b|c){1,30}$",
        "(?P<n>\\pL+) (\\d{1,9})",
        "\\bshop\\b|商城",
        "(((((((((a?){9}){9}){9})))))))",
        "\\x{1F600}",
        "[[:alpha:]]+",
        "(?s).*",
        "\\Qa.b\\E",
    ):
        for choices in (4, 4 | _RAW, 4 | _NEGATED):
            yield bytes([choices]) + f"{pattern}\nshop a 商城 123 😀".encode()
    yield bytes([0]) + ("a" + "\u0301" * 200 + "\n" + "a" + "\u0301" * 1500).encode()


_WORDS: Final = (
    *("(?:", "(?i)", "(?P<n>", ")", "[^", "]", "{0,999}", "{2}", "\\pL", "\\b", "\\d", "\\Q", "|"),
    *(
        "\\x{",
        "[[:alpha:]]",
        "^",
        "$",
        ".*",
        "+?",
        ";",
        "\u200b",
        "\u200d",
        "\u0301",
        "\u3000",
        "\n",
    ),
    *(
        "商城",
        "［微笑］",
        "[微笑]",
        "😀",
        "ß",
        "ﬃ",
        "ŉ",
        "Σς",
        "İ",
        "ｶﾞ",
        "~",
        "{0}",
        "\\",
        "\u1e9e",
    ),
)

TARGET: Final = Target(try_case, seeds, _WORDS, cost_of.cache_clear, max_bytes=2048)
