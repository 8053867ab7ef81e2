"""What WeChat tells about up to 100 people, also when one of their OpenIDs is bad."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from app.wechat.api_responses import UserInfo
from app.wechat.errors import ApiError
from app.wechat.ids import OpenId

Batchget: TypeAlias = Callable[[Sequence[OpenId]], Awaitable[list[UserInfo]]]


async def batchget_halving(
    batchget: Batchget, openids: Sequence[OpenId]
) -> tuple[list[UserInfo], list[OpenId]]:
    """Return what WeChat tells about these people, and the OpenIDs that it does not know.

    One bad OpenID fails its whole call with 40003: the call is halved until that OpenID stands
    alone. batchget: makes one call; raises ApiError. Any other error is raised as it comes.
    Source: protocol 8.
    """
    try:
        return await batchget(openids), []
    except ApiError as error:
        if error.errcode != BAD_OPENID:
            raise
    if len(openids) == 1:
        return [], list(openids)
    middle = len(openids) // 2
    infos, bad = await batchget_halving(batchget, openids[:middle])
    more, more_bad = await batchget_halving(batchget, openids[middle:])
    return [*infos, *more], [*bad, *more_bad]


BATCHGET_LIMIT = 100


BAD_OPENID = 40003
