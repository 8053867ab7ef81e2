"""Keyword rules for measurements, and a plain search that finds the expected reply."""

import json
import random
from dataclasses import dataclass
from typing import Final, Self

# Characters that occur in keywords only, so that other text cannot match by accident.
KEYWORD_CHARACTERS: Final = "春夏秋冬梅兰竹菊琴棋书画诗酒茶花龙凤虎鹤松柏桃杏梨桂荷莲枫柳"
KEYWORD_LENGTHS: Final = range(4, 7)
FALLBACK_REPLY: Final = "您好，您的消息已收到，我们会尽快回复您。"


@dataclass(frozen=True, slots=True)
class Keywords:
    """Keywords, half `exact` and half `contains`, in the order in which their rules are stored."""

    exact: tuple[str, ...]
    contains: tuple[str, ...]
    _exact: frozenset[str]
    _order: dict[str, int]

    @classmethod
    def draw(cls, count: int, rng: random.Random) -> Self:
        """Return `count` different random keywords."""
        drawn: dict[str, None] = {}
        while len(drawn) < count:
            drawn["".join(rng.choices(KEYWORD_CHARACTERS, k=rng.choice(KEYWORD_LENGTHS)))] = None
        exact, contains = tuple(drawn)[::2], tuple(drawn)[1::2]
        order = {keyword: number for number, keyword in enumerate(contains)}
        return cls(exact, contains, frozenset(exact), order)

    def answer(self, text: str) -> str:
        """Return the reply for `text`: of an exact keyword, else of the longest and oldest one."""
        if text in self._exact:
            return _reply(text)
        parts = (
            text[start : start + length] for length in KEYWORD_LENGTHS for start in range(len(text))
        )
        found = [part for part in parts if part in self._order]
        best = min(found, key=lambda part: (-len(part), self._order[part]), default=None)
        return FALLBACK_REPLY if best is None else _reply(best)

    def rows(self) -> list[tuple[str, str, str]]:
        """Return name, trigger and replies of each rule, as columns of the table `rules`."""
        return [
            *(_row(word, "exact") for word in self.exact),
            *(_row(word, "contains") for word in self.contains),
            ("fallback", _json({"on": "fallback"}), _replies(FALLBACK_REPLY)),
        ]


def _reply(keyword: str) -> str:
    return f"关于{keyword}的回复：感谢您的关注，详情请点击菜单。"


def _row(keyword: str, match: str) -> tuple[str, str, str]:
    trigger = {"on": "text", "match": match, "keyword": keyword}
    return keyword, _json(trigger), _replies(_reply(keyword))


def _replies(content: str) -> str:
    return _json([{"msgtype": "text", "via": "passive", "content": content}])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
