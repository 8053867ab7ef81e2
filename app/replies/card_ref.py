"""The ref of a card: an arrival from it is known by the ref in the query of its page. Pure."""

from uuid import UUID

from app import refs
from app.wechat.outbound import Message, MiniProgramPage
from app.wechat.outbound.mini_program_card import MAX_PAGEPATH_BYTES


def card_with_ref(message: Message, reply_id: UUID) -> Message:
    """Return a card whose page has the ref of its reply. Other messages stay as they are.

    So does a card whose page has a `ref` already, or has no room for it. A callback that is stored
    does not wait for this: it happens when the card is sent.
    """
    if not isinstance(message, MiniProgramPage):
        return message
    page = refs.page_with_ref(message.pagepath, refs.of_reply(reply_id))
    if page == message.pagepath or len(page.encode()) > MAX_PAGEPATH_BYTES:
        return message
    return message.model_copy(update={"pagepath": page})
