"""Control calls: time, faults, accounts, followers and state."""

from datetime import timedelta
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from simulator.accounts import Account
from simulator.callers import JsonObject
from simulator.faults import Fault
from simulator.followers import Follower, unionid_of
from simulator.state import State, StateDep

router = APIRouter(prefix="/_sim")


class ClockMove(BaseModel):
    """How far to move the simulated time forward."""

    model_config = ConfigDict(extra="forbid")

    advance_seconds: float = Field(ge=0)


class NewFollower(BaseModel):
    """A person who is added to an account.

    person: the same for all OpenIDs of one human; left out, the OpenID itself. with_unionid:
    whether the person has a UnionID. remark: what an operator calls the person.
    """

    model_config = ConfigDict(extra="forbid")

    openid: str = Field(min_length=1)
    person: str | None = None
    following: bool = True
    with_unionid: bool = True
    remark: str = Field(default="", max_length=30)

    def unionid_source(self) -> str | None:
        """Return the person from whom the UnionID is derived; None without a UnionID."""
        return (self.person or self.openid) if self.with_unionid else None


class NewFollowers(BaseModel):
    """People who are added to one account."""

    model_config = ConfigDict(extra="forbid")

    appid: str
    followers: list[NewFollower]


@router.post("/clock")
async def move_clock(move: ClockMove, state: StateDep) -> JsonObject:
    """Move the time of tokens, media and send windows forward. Pushes carry the real time."""
    state.clock.advance(timedelta(seconds=move.advance_seconds))
    return {"now": state.clock.now().isoformat()}


@router.post("/faults")
async def add_fault(fault: Fault, state: StateDep) -> JsonObject:
    """Switch a fault on; faults that were switched on earlier apply first."""
    state.faults.add(fault)
    return {"faults": state.faults.active}


@router.delete("/faults")
async def clear_faults(state: StateDep, path: str | None = None) -> JsonObject:
    """Switch off the faults of one path, or all faults."""
    state.faults.clear(path)
    return {"faults": state.faults.active}


@router.post("/accounts")
async def put_account(account: Account, state: StateDep) -> JsonObject:
    """Add an account, or replace its settings; its tokens and followers are kept."""
    state.accounts[account.appid] = account
    return shown(account)


@router.post("/followers")
async def add_followers(new: NewFollowers, state: StateDep) -> JsonObject:
    """Add people to an account; a person who exists already is replaced."""
    account_named(state, new.appid)
    for one in new.followers:
        follower = Follower(new.appid, one.openid, one.unionid_source(), remark=one.remark)
        if one.following:
            follower.follow(state.clock.now())
        state.followers[new.appid][one.openid] = follower
    return {"added": len(new.followers)}


@router.get("/followers")
async def list_followers(
    state: StateDep, appid: str | None = None, limit: Annotated[int, Query(ge=0)] = 200
) -> list[JsonObject]:
    """Return the people of an account, with their UnionIDs and open send windows."""
    everyone = state.followers[account_named(state, appid).appid].values()
    return [described(follower, state) for follower in islice(everyone, limit)]


@router.get("/state")
async def show_state(state: StateDep) -> JsonObject:
    """Return the state of the simulator, without credentials."""
    return {
        "now": state.clock.now().isoformat(),
        "accounts": [shown(account) for account in state.accounts.values()],
        "followers": {appid: len(people) for appid, people in state.followers.items()},
        "media": len(state.media),
        "faults": state.faults.active,
        "ledger_entries": len(state.ledger),
        "pending_pushes": len(state.pending),
    }


def account_named(state: State, appid: str | None) -> Account:
    """Return the account, or the first one for None. Raises HTTPException 404."""
    account = next(iter(state.accounts.values()), None)
    if appid is not None:
        account = state.accounts.get(appid)
    if account is None:
        raise HTTPException(404, "unknown appid")
    return account


def shown(account: Account) -> JsonObject:
    """Return an account without its credentials."""
    return account.model_dump(mode="json", exclude={"secret", "token", "encoding_aes_key"})


def described(follower: Follower, state: State) -> JsonObject:
    """Return one person in the form in which control calls show them."""
    open_windows = follower.windows.open_windows(state.clock.now())
    return {
        "openid": follower.openid,
        "following": follower.following,
        "unionid": None if follower.person is None else unionid_of(follower.person),
        "windows": {
            trigger: {"until": window.until.isoformat(), "left": window.left}
            for trigger, window in open_windows.items()
        },
    }
