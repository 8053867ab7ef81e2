"""Recognises the texts that WeChat pushes in place of what an account can't receive.

A sticker arrives as a text message. Its words are WeChat's, and the follower never typed them.
"""

import re
from typing import Final

from app.wechat.visible_text import visible

MAX_PLACEHOLDER_CHARACTERS: Final = 100

# WeChat documents none of them. Accounts report the Chinese text in both kinds of brackets, with
# several endings. Of the traditional and the English one only the words are known, not their order.
_CHINESE: Final = "收到不支[持援]的[消訊]息[类類]型"
_ENGLISH: Final = (
    r"(?=[^】\]］]*\bmessages?\b)"
    r"(?=[^】\]］]*\b(?:unsupported|not\s+supported|(?:can't|can’t|cannot)\s+be\s+displayed)\b)"
)
_PLACEHOLDER: Final = re.compile(
    rf"[【\[［]\s*(?:{_CHINESE}|{_ENGLISH})[^【\[［】\]］]*[】\]］]", re.IGNORECASE
)
_WORDS: Final = re.compile(_CHINESE)


def is_placeholder(content: str) -> bool:
    """Return whether a text is WeChat's own words about a message that can't be shown.

    Only the whole text counts, in brackets: a follower may write about such messages. Characters
    that cannot be seen do not count.
    """
    text = visible(content[: 2 * MAX_PLACEHOLDER_CHARACTERS]).strip()
    if text[:1] not in "【[［" or len(text) > MAX_PLACEHOLDER_CHARACTERS:
        return False
    return _PLACEHOLDER.fullmatch(text) is not None


def is_placeholder_keyword(keyword: str) -> bool:
    """Return whether a keyword is WeChat's own words, with the brackets or without them.

    Without brackets only the Chinese words count: the English ones may be a follower's.
    """
    return is_placeholder(keyword) or _WORDS.match(visible(keyword).strip()) is not None
