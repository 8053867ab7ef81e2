"""Errors of what goes between WeChat and the service.

WeChatError
 ├ PushRefused       a push that the service refuses; `reason` is a slug for metrics and logs
 │  ├ BadSignature   403
 │  ├ Stale          403
 │  └ BadEnvelope    400
 └ ApiError          a call to WeChat's API that failed; `action` says what to do about it
    └ TransportError no readable response: no connection, cut off, timed out, HTTP 5xx, not JSON
"""

from enum import StrEnum


class WeChatError(Exception):
    """Base class of all errors of this package."""


class PushRefused(WeChatError):
    """A push is refused. The error carries a slug only, never a secret and never message text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BadSignature(PushRefused):
    """The push is not signed, or not with the account's Token. HTTP 403."""


class Stale(PushRefused):
    """The signed timestamp is too far from now, before or after. HTTP 403."""


class BadEnvelope(PushRefused):
    """The push can't be decrypted or parsed. HTTP 400."""


class Action(StrEnum):
    """What to do about an errcode. Source: protocol 11."""

    RETRY = "retry"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - an action's name, no secret
    WAIT = "wait"
    PERMANENT = "permanent"
    CONFIGURATION = "configuration"


class ApiError(WeChatError):
    """A call to WeChat's API failed.

    errcode: None when WeChat gave none (HTTP error, no connection, no response in time).
    errmsg: as WeChat wrote it, without the rid; it is for logs, do not parse it.
    rid: the request's id in WeChat's own logs; None when WeChat gave none.
    """

    def __init__(
        self, errcode: int | None, errmsg: str, action: Action, rid: str | None = None
    ) -> None:
        super().__init__(errmsg if errcode is None else f"errcode {errcode}: {errmsg}")
        self.errcode = errcode
        self.errmsg = errmsg
        self.action = action
        self.rid = rid


class TransportError(ApiError):
    """No readable response came from WeChat's API. Its action is RETRY, but see outcome_unknown.

    outcome_unknown: WeChat may have carried out the request, so repeating it may do it twice. A
    customer-service message must not be repeated then. Source: protocol 6.2.
    """

    def __init__(self, what: str, *, outcome_unknown: bool) -> None:
        super().__init__(None, what, Action.RETRY)
        self.outcome_unknown = outcome_unknown


_RETRY = {-1, 44990, 45011, 45066, 61450, 268487001, 268487002}

_REFRESH_TOKEN = {40001, 40014, 42001}

_WAIT = {43019, 43101, 44993, 45009, 45015, 45047, 48002, 61503, 85406}

_CONFIGURATION = {
    *(40002, 40013, 40036, 40037, 40125, 40164, 40166, 40168, 40200, 40243),
    *(43104, 43116, 45064, 48001, 48004, 48006, 48008),
    *(50001, 50002, 50004, 50007, 61004, 61007, 61016, 61024, 65400),
    *(85079, 85400, 85407, 85408, 89501, 89503, 89506, 89507),
}

_ACTIONS = {
    **dict.fromkeys(_RETRY, Action.RETRY),
    **dict.fromkeys(_REFRESH_TOKEN, Action.REFRESH_TOKEN),
    **dict.fromkeys(_WAIT, Action.WAIT),
    **dict.fromkeys(_CONFIGURATION, Action.CONFIGURATION),
}


def action_for(errcode: int) -> Action:
    """Return what to do about a failed call. Errcodes that the table does not name are PERMANENT.

    errcode: not 0. 40007 (media) and 45065 (mass send already done) are PERMANENT here: their
    meaning depends on the call, so the caller looks at the errcode. Source: protocol 11.
    """
    return _ACTIONS.get(errcode, Action.PERMANENT)
