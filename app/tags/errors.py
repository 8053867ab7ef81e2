"""Errors of tags.

TagError
 ├ UnknownTag   the account has no such tag, as far as is known
 ├ SystemTag    WeChat's own tags can't be changed
 ├ KeyTaken     another run was started with this key
 ├ TooManyRuns  too many runs of the account are not over
 └ RunIsOver    a run that is over can't be stopped
"""


class TagError(Exception):
    """Base class of all errors of this package."""


class UnknownTag(TagError):
    """The account has no such tag, as far as is known."""

    def __init__(self, tag_id: int) -> None:
        super().__init__(
            f"tag {tag_id} is not known at this account: choose one of GET /api/tags, or read them "
            "from WeChat with POST /api/tags/pull"
        )


class SystemTag(TagError):
    """WeChat's own tags can't be changed."""

    def __init__(self, tag_id: int) -> None:
        super().__init__(f"tag {tag_id} is one of WeChat's own: it can't be renamed or deleted")


class KeyTaken(TagError):
    """Another run was started with this key."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"another run was started with the key {key}: send the same request, or choose another "
            "key"
        )


class TooManyRuns(TagError):
    """Too many runs of the account are not over."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"{most} runs of this account are not over: wait for them, or stop some of them"
        )


class RunIsOver(TagError):
    """A run that is over can't be stopped."""

    def __init__(self) -> None:
        super().__init__("this run is over: there is nothing to stop")
