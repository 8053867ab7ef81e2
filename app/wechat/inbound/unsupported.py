"""Recognises the texts that WeChat pushes in place of what an account can't receive.

A sticker arrives as a text message. Its words are WeChat's, and the follower never typed them.
"""

import re
from typing import Final

MAX_PLACEHOLDER_CHARACTERS: Final = 100

# WeChat documents none of them. Accounts report the Chinese text in both kinds of brackets; of the
# English one only its words are certain.
_PLACEHOLDER: Final = re.compile(
    r"[【\[［]\s*(?:收到不支持的消息类型|"
    r"[^【\[［】\]］]*(?:\bunsupported\s+message|\bmessage\b[^】\]］]*\bnot\s+supported)\b)"
    r"[^【\[［】\]］]*[】\]］]",
    re.IGNORECASE,
)


def is_placeholder(content: str) -> bool:
    """Return whether a text is WeChat's own words about a message that can't be shown.

    Only the whole text counts, in brackets: a follower may write about such messages.
    """
    text = content.strip()
    if text[:1] not in "【[［" or len(text) > MAX_PLACEHOLDER_CHARACTERS:
        return False
    return _PLACEHOLDER.fullmatch(text) is not None
