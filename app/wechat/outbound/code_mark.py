"""The mark that stands in a queued message where the code of its person goes. Pure.

A code is taken when the message is sent, and not while WeChat waits for the answer to its push. So
the message is stored with a mark, as long as the longest code, that nobody but the service knows:
it is made of the id of the reply, which its person can't compute (see `reply_id`).
"""

from typing import Final
from uuid import UUID

from app.wechat.outbound.messages import Text
from app.wechat.outbound.mini_program_card import MiniProgramPage
from app.wechat.outbound.registry import Message

MAX_CODE_LENGTH: Final = 64
CODE: Final = "code"
"""The name of the placeholder, `{code}`."""


def code_mark(reply_id: UUID) -> str:
    """Return the mark in the message of a reply."""
    return f"code-{reply_id.hex}-".ljust(MAX_CODE_LENGTH, "x")


def takes_code(message: Message, reply_id: UUID) -> bool:
    """Return whether a message waits for a code."""
    return code_mark(reply_id) in _words_of(message)


def with_code(message: Message, reply_id: UUID, code: str) -> Message:
    """Return a message with its code. code: letters that need no escape anywhere."""
    mark = code_mark(reply_id)
    match message:
        case Text():
            return message.model_copy(update={"content": message.content.replace(mark, code)})
        case MiniProgramPage():
            return message.model_copy(update={"pagepath": message.pagepath.replace(mark, code)})
    return message


def without_code(message: Message) -> Text | None:
    """Return what is said to a person for whom there is no code; None if that is nothing."""
    words = message.otherwise if isinstance(message, Text | MiniProgramPage) else None
    return None if words is None else Text.model_construct(via="customer_service", content=words)


def _words_of(message: Message) -> str:
    match message:
        case Text():
            return message.content
        case MiniProgramPage():
            return message.pagepath
    return ""
