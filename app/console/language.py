"""Which language a page has: the operator's, else what the browser asks for, else Chinese."""

from typing import Final

from babel import negotiate_locale
from fastapi import Request

from app.console.messages import CHINESE, ENGLISH, LANGUAGES
from app.console.visitor import visitor_of
from app.wechat.errcodes import Language

# For somebody who has not signed in.
COOKIE: Final = "oa_language"
MAX_ASKED: Final = 20


def language_of(request: Request) -> Language:
    """Return one of LANGUAGES."""
    visitor = visitor_of(request)
    chosen = visitor.language if visitor is not None else request.cookies.get(COOKIE)
    if chosen not in LANGUAGES:
        chosen = accepted_language(request.headers.get("accept-language", ""))
    return "en" if chosen == ENGLISH else "zh"


def accepted_language(header: str) -> str:
    """Return the language that Accept-Language prefers; Chinese if it names none of them."""
    asked = header.split(",")[:MAX_ASKED]
    ranked = sorted(enumerate(asked), key=lambda item: (-_quality(item[1]), item[0]))
    wanted = [part.split(";")[0].strip().split("-")[0] for _, part in ranked if _quality(part) > 0]
    return negotiate_locale(wanted, LANGUAGES) or CHINESE


def _quality(part: str) -> float:
    _, _, parameter = part.partition(";q=")
    try:
        return float(parameter) if parameter else 1.0
    except ValueError:
        return 0.0
