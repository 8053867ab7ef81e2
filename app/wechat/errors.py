"""Errors of what goes between WeChat and the service.

WeChatError
 ├ PushRefused       a push that the service refuses; `reason` is a slug for metrics and logs
 │  ├ BadSignature   403
 │  ├ Stale          403
 │  └ BadEnvelope    400
 └ ApiError          a call to WeChat's API that failed; `action` says what to do about it
    └ TransportError no readable response: no connection, cut off, timed out, HTTP 5xx, not JSON
"""

from app.wechat.errcodes import Action


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
