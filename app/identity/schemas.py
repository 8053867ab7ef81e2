"""One person at one account, as the API returns it, and the form of WeChat's ids."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from app.identity.models import ResolveState

# No id of WeChat's holds a NUL, and Postgres can't look one up.
WeChatId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]


class OpenIdOut(BaseModel):
    """One person at one account.

    reason: why there is no UnionID: not_yet_asked, not_bound (to an Open Platform account),
    not_following, not_an_oa (a mini-program's backend has to report it), not_answered,
    bad_openid, erased (it is that of somebody who was erased, and this OpenID goes too); null when
    there is one. next_try_at: when WeChat is asked again; null when only
    a push of theirs or a report can help. former_unionids: which it had before, the latest first.
    """

    appid: str
    openid: str
    unionid: str | None
    state: ResolveState
    reason: str | None
    next_try_at: datetime | None
    former_unionids: list[str]
    first_seen_at: datetime
    last_seen_at: datetime
