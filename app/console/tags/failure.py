"""What WeChat said to a call of these pages, in the language of the page."""

from dataclasses import dataclass
from typing import Final, Self

from fastapi import Request

from app.console.language import language_of
from app.console.messages import N_, Messages
from app.tags.errors import TagError
from app.wechat.errcodes import Language, explain
from app.wechat.errors import ApiError

GONE: Final = N_("This tag is not known any more, or it is one of WeChat's own.")


@dataclass(frozen=True, slots=True)
class Failure:
    """text: what happened and what to do. errcode, rid: as WeChat gave them."""

    text: str
    errcode: int | None = None
    rid: str | None = None

    @classmethod
    def of(cls, request: Request, error: ApiError | TagError) -> Self:
        """Return what to show."""
        if isinstance(error, TagError):
            return cls(Messages(language_of(request)).text(GONE))
        if error.errcode is None:
            return cls(error.errmsg)
        language: Language = "en" if language_of(request) == "en" else "zh"
        known = explain(error.errcode, language, error.rid, is_repeated=False)
        return cls(f"{known.meaning} {known.fix}", error.errcode, error.rid)
