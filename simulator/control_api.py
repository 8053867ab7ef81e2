"""Control calls: time, faults, accounts, followers, and a look at the state."""

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
    """A person the account is to know.

    person: shared by the OpenIDs of one human (default: the OpenID itself).
    with_unionid: False gives a person of whom no UnionID is ever told.
    """

    model_config = ConfigDict(extra="forbid")

    openid: str = Field(min_length=1)
    person: str | None = None
    following: bool = True
    with_unionid: bool = True

    def known_as(self) -> str | None:
        """Return the person that the UnionID comes from."""
        return (self.person or self.openid) if self.with_unionid else None


class NewFollowers(BaseModel):
    """Many persons at once, of one account."""

    model_config = ConfigDict(extra="forbid")

    appid: str
    followers: list[NewFollower]


@router.post("/clock")
async def move_clock(move: ClockMove, state: StateDep) -> JsonObject:
    """Move the time of tokens, media and send windows forward; pushes keep the real time."""
    state.clock.advance(timedelta(seconds=move.advance_seconds))
    return {"now": state.clock.now().isoformat()}


@router.post("/faults")
async def add_fault(fault: Fault, state: StateDep) -> JsonObject:
    """Switch a fault on, after those already there."""
    state.faults.add(fault)
    return {"faults": state.faults.active}


@router.delete("/faults")
async def clear_faults(state: StateDep, path: str | None = None) -> JsonObject:
    """Switch off the faults of one path, or all."""
    state.faults.clear(path)
    return {"faults": state.faults.active}


@router.post("/accounts")
async def put_account(account: Account, state: StateDep) -> JsonObject:
    """Add an account, or replace its settings; tokens and followers stay."""
    state.accounts[account.appid] = account
    return shown(account)


@router.post("/followers")
async def add_followers(new: NewFollowers, state: StateDep) -> JsonObject:
    """Add people to an account; who is known already starts anew."""
    account_named(state, new.appid)
    for one in new.followers:
        follower = Follower(new.appid, one.openid, one.known_as())
        if one.following:
            follower.follow(state.clock.now())
        state.followers[new.appid][one.openid] = follower
    return {"added": len(new.followers)}


@router.get("/followers")
async def list_followers(
    state: StateDep, appid: str | None = None, limit: Annotated[int, Query(ge=0)] = 200
) -> list[JsonObject]:
    """Return the people an account knows, with their UnionID and open send windows."""
    everyone = state.followers[account_named(state, appid).appid].values()
    return [described(follower, state) for follower in islice(everyone, limit)]


@router.get("/state")
async def show_state(state: StateDep) -> JsonObject:
    """Return what the simulator holds, without credentials."""
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
    """Return the account, the first one for None; HTTP 404 when there is none."""
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
    """Return one person as a control call shows them."""
    standing = follower.windows.standing(state.clock.now())
    return {
        "openid": follower.openid,
        "following": follower.following,
        "unionid": None if follower.person is None else unionid_of(follower.person),
        "windows": {
            trigger: {"until": window.until.isoformat(), "left": window.left}
            for trigger, window in standing.items()
        },
    }
