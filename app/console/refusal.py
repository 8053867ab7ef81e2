"""What WeChat said to a call for whose answer a page waited, in the language of the page."""

from dataclasses import dataclass
from typing import Self

from fastapi import Request

from app.console.failure_phrases import failures_in
from app.console.language import language_of
from app.wechat.errcodes import explain
from app.wechat.errors import ApiError


@dataclass(frozen=True, slots=True)
class Refusal:
    """text: what happened and what to do. errcode, rid: as WeChat gave them."""

    text: str
    errcode: int | None = None
    rid: str | None = None

    @classmethod
    def of(cls, request: Request, error: ApiError) -> Self:
        """Return what to show."""
        if error.errcode is None:
            return cls(failures_in(language_of(request))(error.errmsg))
        known = explain(error.errcode, language_of(request), error.rid, is_repeated=False)
        return cls(f"{known.meaning} {known.fix}", error.errcode, error.rid)

    @property
    def words(self) -> str:
        """The text, with the errcode of WeChat where there is one."""
        return self.text if self.errcode is None else f"{self.text} ({self.errcode})"
