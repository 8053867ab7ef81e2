"""What an errcode means to an operator and what to do about it, in English and Chinese."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from app.wechat.errcodes.account import ACCOUNT
from app.wechat.errcodes.link import LINK
from app.wechat.errcodes.menu import MENU
from app.wechat.errcodes.message import MESSAGE
from app.wechat.errcodes.notice import NOTICE
from app.wechat.errcodes.words import LATER, NOTHING, Words

Language: TypeAlias = Literal["en", "zh"]

CATALOGUE: Final[dict[int, Words]] = {**ACCOUNT, **MESSAGE, **MENU, **NOTICE, **LINK}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an errcode means, and what to do about it."""

    meaning: str
    fix: str


def explain(
    errcode: int, language: Language, rid: str | None = None, *, is_repeated: bool = True
) -> Explanation:
    """Return what an errcode means.

    rid: of the request; it is named where the errcode is unknown, since WeChat's own log of the
    request is then all that helps. is_repeated: whether OA Bridge makes the call again by itself;
    one for whose answer somebody waits is not. Source: protocol 11; linkage 1.6, 2, 3, 5, 8, 9, 12.
    """
    known = CATALOGUE.get(errcode)
    if known is not None:
        meaning, fix = known
        if fix is NOTHING and not is_repeated:
            fix = LATER
        return Explanation(getattr(meaning, language), getattr(fix, language))
    return _unknown_en(errcode, rid) if language == "en" else _unknown_zh(errcode, rid)


def _unknown_en(errcode: int, rid: str | None) -> Explanation:
    meaning = f"OA Bridge does not know the errcode {errcode}."
    if rid is None:
        return Explanation(meaning, "Look it up in WeChat's documentation.")
    fix = (
        f"Look it up in WeChat's documentation, or look the request up by its rid {rid}: WeChat "
        "keeps it for seven days (openapi/rid/get)."
    )
    return Explanation(meaning, fix)


def _unknown_zh(errcode: int, rid: str | None) -> Explanation:
    meaning = f"OA Bridge 不认识错误码 {errcode}。"
    if rid is None:
        return Explanation(meaning, "请查阅微信官方文档。")
    fix = f"请查阅微信官方文档，或用 rid {rid} 查询该请求：微信保留七天（openapi/rid/get）。"
    return Explanation(meaning, fix)
