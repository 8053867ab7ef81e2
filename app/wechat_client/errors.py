"""Errors of access tokens and uploaded media.

ApiError
 ├ NoToken         there is no access token, so the call that needs it has not been made
 └ Paused          WeChat refuses calls of this kind, or does not answer them, and they wait
MediaUnavailable   a picture, sound or video can't be read, or WeChat would not accept it
 ├ MediaNotFetched  its address did not answer; it may do so later
 └ BadPicture       it is not a picture, or one that can't be shown
"""

from datetime import datetime

from app.wechat.errors import ApiError, TransportError


class NoToken(ApiError):
    """There is no access token for a call. The error carries the reason of `cause`.

    until: when one may be asked for again; None if that is not known. unanswered: WeChat did not
    answer.
    """

    def __init__(self, cause: ApiError) -> None:
        super().__init__(cause.errcode, cause.errmsg, cause.action, cause.rid)
        self.until = cause.until if isinstance(cause, Paused) else None
        self.unanswered = _is_unanswered(cause)


class Paused(ApiError):
    """WeChat has refused a call of this kind, and would refuse the next ones: they wait.

    Or it has answered none of several calls. It carries what WeChat said, or why no answer came.
    until: when the next call may be made. unanswered: WeChat did not answer.
    """

    def __init__(self, cause: ApiError, until: datetime) -> None:
        super().__init__(cause.errcode, cause.errmsg, cause.action, cause.rid)
        self.until = until
        self.unanswered = _is_unanswered(cause)


def _is_unanswered(cause: ApiError) -> bool:
    return isinstance(cause, TransportError) or (isinstance(cause, Paused) and cause.unanswered)


class MediaUnavailable(Exception):
    """A medium can't be read, or WeChat would not accept it. The text says why."""


class MediaNotFetched(MediaUnavailable):
    """The address of a medium did not answer, or not with the medium; it may do so later."""


class BadPicture(MediaUnavailable):
    """A picture can't be shown. The text says what is wrong with it and what to do."""
