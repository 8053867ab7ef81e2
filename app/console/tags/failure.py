"""Why a change of these pages was not made, in the language of the page."""

from typing import Final

from fastapi import Request

from app.console.language import language_of
from app.console.messages import N_, Messages
from app.console.refusal import Refusal
from app.tags.errors import TagError
from app.wechat.errors import ApiError

GONE: Final = N_("This tag is not known any more, or it is one of WeChat's own.")


def failure_of(request: Request, error: ApiError | TagError) -> Refusal:
    """Return what to show."""
    if isinstance(error, TagError):
        return Refusal(Messages(language_of(request)).text(GONE))
    return Refusal.of(request, error)
