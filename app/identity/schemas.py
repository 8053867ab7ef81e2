"""JSON shape of one person at one account, and the type of WeChat ids in requests."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field

from app.api_model import ApiModel
from app.identity.models import ResolveState

# No id of WeChat contains a NUL character, and Postgres rejects it in a query.
WeChatId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00]*$")]

UnionIdInPath = Annotated[WeChatId, Path(description="The person at all accounts")]


class OpenIdOut(ApiModel):
    """One person at one account.

    Reasons: not_yet_asked; no_answer: WeChat was asked and gave no answer, since the call failed or
    was refused (`/readyz` says why), or runs now; not_bound: the account is not bound to an Open
    Platform account; not_following; not_an_oa: a mini-program's backend has to report it;
    not_answered: WeChat's answer lacked this OpenID; bad_openid: WeChat does not accept this
    OpenID; erased: the UnionID belongs to an erased person, and this OpenID will be erased too.
    With a UnionID the reason is null or unionid_conflict: a report or WeChat's batch call named
    another one, which counts only if a call about this one person names it too.
    """

    appid: str
    """The account."""
    openid: str
    """The person at this account."""
    unionid: str | None
    """The person at all accounts; null until it is known."""
    state: ResolveState
    """The state of the search for the UnionID."""
    reason: str | None
    """Why there is no UnionID; null when there is one."""
    next_try_at: datetime | None
    """When WeChat is asked again; null when only a new push of the person or a login report can
    help.
    """
    former_unionids: list[str]
    """Earlier UnionIDs, the latest first."""
    remark: str | None
    """What an operator calls the person in WeChat's console; null if nothing is known."""
    first_seen_at: datetime
    """When the person was first seen at this account."""
    last_seen_at: datetime
    """When the person was last seen at this account."""
