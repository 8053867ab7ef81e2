"""The response to a push: `success` or the passive reply. Source: protocol 1.4 and 5."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from starlette.types import Receive, Scope, Send

from app.wechat.crypto import Cipher, Format, VerifiedPush
from app.wechat.inbound import Inbound, subject_openid
from app.wechat.outbound import REPLY, STORED
from app.wechat.passive_reply import address, article_limit, contents

MEDIA_TYPES: Final = {Format.XML: b"application/xml", Format.JSON: b"application/json"}
MAX_CACHED_REPLIES: Final = 16_384
# The key in the extensions of a request: a function that writes a response with status 200 in one
# piece, given its headers, an empty line and its body, and returns True. It writes nothing and
# returns False where the server has more to say.
WHOLE_RESPONSE: Final = "oa_bridge.whole_response"
_NO_EXTENSIONS: Final[Mapping[str, object]] = {}


class CallbackResponse:
    """A response with status 200. Plain ASGI, since every push ends in one.

    awaited_by: the callback whose queued replies follow it; None if there is none.
    """

    __slots__ = ("_media_type", "awaited_by", "body")

    def __init__(self, body: bytes, media_type: bytes, *, awaited_by: UUID | None = None) -> None:
        self.body = body
        self.awaited_by = awaited_by
        self._media_type = media_type

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it, in one piece where the server takes it so."""
        length = b"%d" % len(self.body)
        write_whole = scope.get("extensions", _NO_EXTENSIONS).get(WHOLE_RESPONSE)
        if write_whole is not None and write_whole(
            b"content-length: %b\r\ncontent-type: %b\r\n\r\n%b"
            % (length, self._media_type, self.body)
        ):
            return
        headers = [(b"content-length", length), (b"content-type", self._media_type)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


SUCCESS: Final = CallbackResponse(b"success", b"text/plain; charset=utf-8")


def callback_response(
    cipher: Cipher,
    opened: VerifiedPush,
    message: Inbound,
    passive: str | None,
    *,
    fixed: bool,
    now: datetime,
    awaited_by: UUID | None = None,
) -> CallbackResponse:
    """Return `success`, or the passive reply, encrypted if the push was.

    passive: JSON text of an `outbound` reply; None means `success`. fixed: whether it is the same
    for every follower, and may be remembered.
    """
    # WeChat shows a failure to the person if a reply does not say from which account it is.
    if passive is None or not message.to_user:
        return SUCCESS
    seconds = int(now.timestamp())
    contents_of = _fixed_contents if fixed else _contents
    text = address(
        contents_of(passive, opened.format, article_limit(message)),
        openid=subject_openid(message),
        original_id=message.to_user,
        now=seconds,
        format=opened.format,
    )
    body = (
        cipher.encrypt_reply(text, nonce=opened.nonce, timestamp=seconds, format=opened.format)
        if opened.encrypted
        else text.encode()
    )
    return CallbackResponse(body, MEDIA_TYPES[opened.format], awaited_by=awaited_by)


def _contents(passive: str, format: Format, max_articles: int) -> str:
    return contents(REPLY.validate_json(passive, context=STORED), format, max_articles=max_articles)


# Most rules say the same to everybody, and building the text costs more than encrypting it. What
# was filled in for one follower is not remembered: it may be erased.
_fixed_contents: Final = lru_cache(maxsize=MAX_CACHED_REPLIES)(_contents)
