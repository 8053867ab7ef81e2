"""A person as `/api/users` tells them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from app.identity.models import ResolveState

# No id of WeChat's holds a NUL, and Postgres can't look one up.
WeChatId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]


class OpenIdOut(BaseModel):
    """One person at one account.

    reason: why there is no UnionID yet: not_bound, not_following, not_an_oa, not_answered,
    bad_openid; null while it has not been asked for.
    """

    appid: str
    openid: str
    unionid: str | None
    state: ResolveState
    reason: str | None
    first_seen_at: datetime
    last_seen_at: datetime


class UserOut(BaseModel):
    """One person at every account that has seen them. unionid: null until it is known."""

    unionid: str | None
    openids: list[OpenIdOut]
