"""`message/custom/send` and `message/custom/typing`. Source: protocol 6."""

from datetime import timedelta

from fastapi import APIRouter, Request

from simulator.accounts import Account
from simulator.callers import CallerDep, JsonDep, JsonObject
from simulator.errors import MESSAGES, ApiError
from simulator.followers import Follower
from simulator.message_checks import content_of
from simulator.state import State, StateDep

OK: JsonObject = {"errcode": 0, "errmsg": "ok"}
TYPING_LASTS = timedelta(seconds=15)
RECENT_EXCHANGE = timedelta(seconds=30)

router = APIRouter(prefix="/cgi-bin/message/custom")


@router.post("/send")
async def send(
    request: Request, message: JsonDep, account: CallerDep, state: StateDep
) -> JsonObject:
    """Show a message in the follower's chat, if their windows allow one more.

    A refused one is shown as such, with the errcode.
    """
    now = state.clock.now()
    try:
        follower = receiver(message, account, state)
        content = content_of(
            message, account, lambda key: state.media.take(account.appid, key, now)
        )
        window = follower.windows.spend(now)
    except ApiError as error:
        show_refusal(message, account, error, state)
        raise
    follower.typing_until = None
    follower.last_exchange = now
    raw = (await request.body()).decode()
    state.show(
        follower, "customer_service", str(message["msgtype"]), content, window=window, raw=raw
    )
    return OK


def show_refusal(message: JsonObject, account: Account, error: ApiError, state: State) -> None:
    """Show in the follower's chat what did not arrive, and why."""
    touser, kind = message.get("touser"), str(message.get("msgtype"))
    follower = state.followers[account.appid].get(touser) if isinstance(touser, str) else None
    if follower is None:
        return
    state.show(
        follower,
        "refused",
        kind,
        message.get(kind),
        errcode=error.errcode,
        reason=" ".join(part for part in (MESSAGES.get(error.errcode, ""), error.detail) if part),
    )


@router.post("/typing")
async def typing(message: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Show or cancel the typing indicator, which lasts 15 s."""
    follower = receiver(message, account, state)
    match message.get("command"):
        case "Typing":
            start_typing(follower, state)
        case "CancelTyping":
            follower.typing_until = None
        case _:
            raise ApiError(45072)
    return OK


def start_typing(follower: Follower, state: State) -> None:
    """Start the typing indicator.

    Raises ApiError 45080 without a message in the last 30 s, 45081 while the indicator is shown.
    """
    now = state.clock.now()
    if follower.last_exchange is None or now - follower.last_exchange > RECENT_EXCHANGE:
        raise ApiError(45080)
    if follower.typing_until is not None and now < follower.typing_until:
        raise ApiError(45081)
    follower.typing_until = now + TYPING_LASTS


def receiver(message: JsonObject, account: Account, state: State) -> Follower:
    """Return the follower that `touser` names.

    Raises ApiError 41009 without touser, 40003 for an unknown OpenID, 43004 for one that never
    followed, 45015 after an unfollow.
    """
    touser = message.get("touser")
    if not touser:
        raise ApiError(41009)
    follower = state.follower(account.appid, touser)
    if not follower.following:
        raise ApiError(43004 if follower.subscribe_time is None else 45015)
    return follower
