"""The triggers of rules that answer what a follower types or says. Source: protocol 4.2."""

from enum import StrEnum
from typing import Annotated, Final, Literal, LiteralString, Self

from pydantic import AfterValidator, Field, StrictBool, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from app.rules.definition.fields import Strict, Trimmed, Words, unset
from app.rules.definition.validation_messages import BAD_NORMALIZED_REGEX, BAD_REGEX, SLOW_REGEX
from app.rules.text.normalize import bare, bare_end, bare_start, normalise
from app.rules.text.regex import BadPattern, compile_pattern
from app.rules.text.regex_cost import MAX_COST_SECONDS, STORED_LENIENCY, cost_of
from app.rules.text.regex_normalize import pattern_form
from app.rules.text.regex_prefilter import Prefilter
from app.wechat.outbound.base import is_stored
from app.wechat.visible_text import visible, visible_pattern

MAX_KEYWORD_CHARACTERS = 1024
MAX_KEYWORDS = 200
MAX_ID_CHARACTERS = 64


class Match(StrEnum):
    """How keywords are compared with a text; the most specific kind comes first."""

    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    ALL = "all"
    CONTAINS = "contains"
    ANY = "any"
    REGEX = "regex"


WITH_KEYWORDS = frozenset({Match.ALL, Match.ANY})


def _in_ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


def _seen(keyword: str) -> str:
    if not normalise(keyword):
        raise ValueError("holds nothing that can be seen: write at least one visible character")
    return keyword


def _normalised(keyword: str) -> str:
    # Return the same object if nothing changes: a hundred thousand copies would cost memory.
    form = normalise(keyword)
    return keyword if form == keyword else form


def _bare(keyword: str) -> str:
    return bare(_normalised(keyword))


def _bare_start(keyword: str) -> str:
    return bare_start(_normalised(keyword))


def _bare_end(keyword: str) -> str:
    return bare_end(_normalised(keyword))


def _pattern(keyword: str) -> str:
    return pattern_form(visible_pattern(keyword))


Keyword = Annotated[Words, Field(max_length=MAX_KEYWORD_CHARACTERS), AfterValidator(_seen)]


class TextTrigger(Strict):
    """The follower typed something."""

    on: Literal["text"]
    """The kind of trigger."""
    match: Match
    """How the keyword is compared with the text."""
    keyword: Keyword | None = Field(default=None, exclude_if=unset)
    """A plain word, or an RE2 pattern for `regex`; not for `all` and `any`."""
    keywords: Annotated[
        tuple[Keyword, ...] | None, Field(min_length=1, max_length=MAX_KEYWORDS)
    ] = Field(default=None, exclude_if=unset)
    """The words for `all` and `any`."""
    negated: StrictBool = Field(default=False, alias="not", exclude_if=unset)
    """Answer the texts that do not match."""
    raw: StrictBool = Field(default=False, exclude_if=unset)
    """Compare with the text exactly as typed, except that characters that can't be seen do not
    count.
    """
    voice: StrictBool = Field(default=False, exclude_if=unset)
    """Answer voice messages too, by the text that WeChat recognised."""

    @model_validator(mode="after")
    def _keyword_suits_the_kind(self, info: ValidationInfo) -> Self:
        needed, other = "keyword", "keywords"
        if self.match in WITH_KEYWORDS:
            needed, other = other, needed
        if getattr(self, other) is not None:
            raise PydanticCustomError(
                "misplaced",
                "match {match} takes {needed}: remove this",
                {"field": other, "match": self.match.value, "needed": needed},
            )
        if getattr(self, needed) is None:
            raise PydanticCustomError("missing", "is missing", {"field": needed})
        if self.match is Match.REGEX:
            self._require_a_pattern(STORED_LENIENCY if is_stored(info) else 1)
        return self

    def _require_a_pattern(self, leniency: float) -> None:
        written, (form,) = self.keyword or "", self.words()
        self._compile(written, BAD_REGEX)
        if form != written:
            self._compile(form, BAD_NORMALIZED_REGEX)
        cost = cost_of(form, case_sensitive=self.raw)
        if cost > MAX_COST_SECONDS * leniency:
            raise PydanticCustomError(
                "slow_pattern",
                SLOW_REGEX,
                {"field": "keyword", "cost": _in_ms(cost), "most": _in_ms(MAX_COST_SECONDS)},
            )

    def _compile(self, pattern: str, words: LiteralString) -> None:
        try:
            compile_pattern(pattern, case_sensitive=self.raw)
            Prefilter.of([(0, pattern)], case_sensitive=self.raw)
        except BadPattern as error:
            context = {"field": "keyword", "reason": str(error)}
            raise PydanticCustomError("bad_pattern", words, context) from None

    def words(self) -> tuple[str, ...]:
        """Return the keywords, or the pattern, in the form in which they are compared."""
        written = self.keywords if self.keyword is None else (self.keyword,)
        forms, usual = (_RAW_FORMS, visible) if self.raw else (_FORMS, _normalised)
        form = forms.get(self.match, usual)
        return tuple(form(keyword) for keyword in written or ())


_FORMS: Final = {
    Match.EXACT: _bare,
    Match.PREFIX: _bare_start,
    Match.SUFFIX: _bare_end,
    Match.REGEX: _pattern,
}
_RAW_FORMS: Final = {Match.REGEX: visible_pattern}


class MsgMenuTrigger(Strict):
    """A follower tapped an item of a `msgmenu`.

    The tap arrives as a text message.
    """

    on: Literal["msgmenu"]
    """The kind of trigger."""
    id: Annotated[Trimmed, Field(max_length=MAX_ID_CHARACTERS)]
    """The id of the item, as the reply named it (bizmsgmenuid)."""


class UnsupportedTrigger(Strict):
    """A follower sent a sticker, or something else that WeChat does not pass on.

    It arrives as a text in WeChat's words. No keyword is compared with them.
    """

    on: Literal["unsupported"]
    """The kind of trigger."""


class FallbackTrigger(Strict):
    """A follower sent a message that no other rule answers. Events never match."""

    on: Literal["fallback"]
    """The kind of trigger."""


def captures_of(trigger: object) -> frozenset[str]:
    """Return the placeholders that a trigger's pattern fills: its groups by number and by name."""
    if not isinstance(trigger, TextTrigger) or trigger.match is not Match.REGEX or trigger.negated:
        return frozenset()
    pattern = compile_pattern(trigger.words()[0], case_sensitive=trigger.raw, capture=True)
    numbers = (str(number) for number in range(pattern.groups + 1))
    return frozenset({*numbers, *pattern.groupindex})
