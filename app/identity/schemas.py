"""JSON shape of one person at one account, and the type of WeChat ids in requests."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from app.identity.models import ResolveState

# No id of WeChat contains a NUL character, and Postgres rejects it in a query.
WeChatId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]


class OpenIdOut(BaseModel):
    """One person at one account.

    reason: why there is no UnionID; null when there is one. not_yet_asked; no_answer: WeChat was
    asked and gave no answer, since the call failed or was refused (`/readyz` says why), or runs
    now; not_bound: the account
    is not bound to an Open Platform account; not_following; not_an_oa: a mini-program's backend has
    to report it; not_answered: WeChat's answer lacked this OpenID; bad_openid: WeChat does not
    accept this OpenID; erased: the UnionID belongs to an erased person, and this OpenID will be
    erased too. With a UnionID the reason is null or unionid_conflict: a report or WeChat's batch
    call named another one, which counts only if a call about this one person names it too.
    next_try_at: when WeChat is asked again, also while its account pauses after a refusal; a past
    time means that it is due; null when only a new push of the person or a login
    report can help. former_unionids: earlier UnionIDs, the latest first.
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
