"""Errors of access tokens and uploaded media.

ApiError
 └ NoToken         there is no access token, so the call that needs it has not been made
MediaUnavailable   a picture, sound or video can't be read, or WeChat would not accept it
 └ MediaNotFetched  its address did not answer; it may do so later
"""

from app.wechat.errors import ApiError


class NoToken(ApiError):
    """There is no access token for a call. The error carries the reason of `cause`."""

    def __init__(self, cause: ApiError) -> None:
        super().__init__(cause.errcode, cause.errmsg, cause.action, cause.rid)


class MediaUnavailable(Exception):
    """A medium can't be read, or WeChat would not accept it. The text says why."""


class MediaNotFetched(MediaUnavailable):
    """The address of a medium did not answer, or not with the medium; it may do so later."""
