"""Which language a page has: the operator's, else what the browser asks for, else Chinese."""

import re
from typing import Final

from fastapi import Request

from app.console.messages import CHINESE, ENGLISH, LANGUAGES
from app.console.visitor import visitor_of
from app.wechat.errcodes import Language

# What a browser was told by the switch, for operators who have chosen none for themselves.
COOKIE: Final = "oa_language"
MAX_ASKED: Final = 20
ANY: Final = "*"

# A range of RFC 9110, section 12.5.4, without the white space that it may have: `zh-Hans-CN;q=0.8`.
_RANGE: Final = re.compile(
    r"(?P<language>[a-z]{1,8}|\*)(?:-[a-z0-9-]+)?(?:;q=(?P<quality>[01](?:\.\d{0,3})?))?",
    re.ASCII | re.IGNORECASE,
)


def language_of(request: Request) -> Language:
    """Return one of LANGUAGES."""
    visitor = visitor_of(request)
    chosen = visitor.language if visitor is not None else None
    chosen = chosen or request.cookies.get(COOKIE)
    if chosen not in LANGUAGES:
        chosen = accepted_language(", ".join(request.headers.getlist("accept-language")))
    return "en" if chosen == ENGLISH else "zh"


def accepted_language(header: str) -> str:
    """Return the language that Accept-Language prefers; Chinese if it names none of them.

    A language is wanted as much as the one of its variants that is wanted most. Of two that are
    wanted alike it is the one that is named first.
    """
    wanted: dict[str, float] = {}
    for part in header.split(",")[:MAX_ASKED]:
        found = _RANGE.fullmatch("".join(part.split()))
        if found is None:
            continue
        language = found["language"].lower()
        quality = 1.0 if found["quality"] is None else float(found["quality"])
        wanted[language] = max(quality, wanted.get(language, 0.0))
    named = [language for language in wanted if language in LANGUAGES]
    others = [language for language in (CHINESE, ENGLISH) if language not in named]
    ranked = {one: wanted.get(one, wanted.get(ANY, 0.0)) for one in [*named, *others]}
    best = max(ranked, key=lambda language: ranked[language])
    return best if ranked[best] > 0 else CHINESE
