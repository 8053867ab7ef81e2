"""`GET token` and `POST stable_token`. Source: protocol 7.1 and 7.3."""

from datetime import timedelta

from fastapi import APIRouter, Request

from simulator.accounts import Account
from simulator.callers import JsonDep, JsonObject
from simulator.errors import ApiError
from simulator.state import State, StateDep

router = APIRouter(prefix="/cgi-bin")


@router.get("/token")
async def ordinary_token(request: Request, state: StateDep) -> JsonObject:
    """Issue a new ordinary token; query grant_type, appid, secret."""
    account = authenticate(state, request, dict(request.query_params))
    now = state.clock.now()
    token = state.tokens[account.appid].take_ordinary(now, lifetime_of(account))
    return {"access_token": token.value, "expires_in": token.seconds_left(now)}


@router.post("/stable_token")
async def stable_token(request: Request, body: JsonDep, state: StateDep) -> JsonObject:
    """Return the stable token; JSON grant_type, appid, secret, force_refresh."""
    account = authenticate(state, request, body)
    now = state.clock.now()
    force = body.get("force_refresh") is True
    token = state.tokens[account.appid].take_stable(now, lifetime_of(account), force=force)
    return {"access_token": token.value, "expires_in": token.seconds_left(now)}


def lifetime_of(account: Account) -> timedelta:
    """Return the lifetime of a new token of the account."""
    return timedelta(seconds=account.token_lifetime_seconds)


def authenticate(state: State, request: Request, given: JsonObject | dict[str, str]) -> Account:
    """Return the account whose credentials are given. Raises ApiError for every mistake in them."""
    if given.get("grant_type") != "client_credential":
        raise ApiError(40002)
    appid, secret = given.get("appid"), given.get("secret")
    if not appid:
        raise ApiError(41002)
    if not secret:
        raise ApiError(41004)
    account = state.accounts.get(str(appid))
    if account is None:
        raise ApiError(40013)
    check_ip(account, request)
    if secret != account.secret:
        raise ApiError(40125 if len(str(secret)) != len(account.secret) else 40001)
    return account


def check_ip(account: Account, request: Request) -> None:
    """Raise ApiError 40164, naming the address, for a caller outside the whitelist."""
    caller = request.client.host if request.client else "unknown"
    if account.ip_whitelist and caller not in account.ip_whitelist:
        raise ApiError(40164, f"{caller} ipv6 ::ffff:{caller}")
