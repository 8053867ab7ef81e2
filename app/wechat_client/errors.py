"""What can go wrong with an account's standing at WeChat.

ApiError
 └ NoToken    no access token is to be had; what was to be done with it has not begun
Unusable      a picture or sound can't be had, or WeChat would not take it
"""

from app.wechat.errors import ApiError


class NoToken(ApiError):
    """No access token is to be had; carries why."""

    def __init__(self, cause: ApiError) -> None:
        super().__init__(cause.errcode, cause.errmsg, cause.action, cause.rid)


class MediaUnavailable(Exception):
    """The medium can't be had, or WeChat would not take it; the text says why."""
