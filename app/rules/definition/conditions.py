"""The conditions of a rule: when it answers, and whom."""

import re
from datetime import datetime, time
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    StrictFloat,
    StrictInt,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.rules.definition.fields import Moment, Strict, Words, unset

MAX_SECONDS: Final = 10 * 366 * 24 * 3600
_MIDNIGHT: Final = "24:00"
_TIME_OF_DAY: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")

Seconds = Annotated[StrictInt, Field(ge=0, le=MAX_SECONDS)]


def _a_time_of_day(text: str) -> str:
    if _TIME_OF_DAY.fullmatch(text) is None:
        raise ValueError("is not a time of day: write it like 09:30")
    return text


def _an_end(text: str) -> str:
    return text if text == _MIDNIGHT else _a_time_of_day(text)


def _a_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(
            "is not a time zone: write it like Asia/Shanghai or Europe/Berlin"
        ) from None
    return name


TimeOfDay = Annotated[str, AfterValidator(_a_time_of_day)]


class Hours(Strict):
    """Daily hours, written as HH:MM.

    If `end` is earlier than `start`, the hours go past midnight.
    """

    start: TimeOfDay
    """First minute, such as 09:30."""
    end: Annotated[str, AfterValidator(_an_end)]
    """Exclusive end; 24:00 is the end of a day, so that 00:00 to 24:00 is a whole day."""
    tz: Annotated[str, AfterValidator(_a_time_zone)] = "Asia/Shanghai"
    """Time zone by its IANA name."""
    days: Annotated[
        tuple[Annotated[StrictInt, Field(ge=1, le=7)], ...] | None,
        Field(min_length=1, max_length=7),
    ] = Field(default=None, exclude_if=unset)
    """Days of the week on which the hours start, 1 is Monday; left out, every day."""

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.start == self.end:
            raise PydanticCustomError(
                "empty_hours",
                "is the same as start: a whole day is from 00:00 to 24:00",
                {"field": "end"},
            )
        return self

    def hold(self, now: datetime) -> bool:
        """Tell whether `now` is within the hours."""
        local = now.astimezone(ZoneInfo(self.tz))
        moment, day = local.time().replace(tzinfo=None), local.isoweekday()
        start = time.fromisoformat(self.start)
        if self.end == _MIDNIGHT:
            return moment >= start and self._on(day)
        end = time.fromisoformat(self.end)
        if start < end:
            return start <= moment < end and self._on(day)
        # Past midnight: the early hours belong to the day before.
        return (moment >= start and self._on(day)) or (moment < end and self._on((day - 2) % 7 + 1))

    def _on(self, day: int) -> bool:
        return self.days is None or day in self.days


class Follower(Strict):
    """What the service must know of the follower.

    A follower whose follow was not recorded has no known age and matches neither limit.
    """

    state: Literal["following", "not_following"] | None = Field(default=None, exclude_if=unset)
    """`not_following`: known to have unfollowed; `following`: every other one."""
    min_age_seconds: Seconds | None = Field(default=None, exclude_if=unset)
    """The least time since the last follow."""
    max_age_seconds: Seconds | None = Field(default=None, exclude_if=unset)
    """The longest time since the last follow."""

    @model_validator(mode="after")
    def _some_age(self) -> Self:
        least, most = self.min_age_seconds, self.max_age_seconds
        if least is not None and most is not None and least > most:
            raise PydanticCustomError(
                "empty_ages",
                "is below min_age_seconds, so that no follower matches: raise it",
                {"field": "max_age_seconds"},
            )
        return self


class Share(Strict):
    """A fixed part of the followers, such as 10 %; the same followers belong to it every time."""

    percent: Annotated[StrictFloat | StrictInt, Field(ge=0.01, le=100)]
    """The size of the part, in steps of 0.01."""
    salt: Annotated[Words, Field(max_length=64)] = "share"
    """Another salt selects another part of the same size."""


class Conditions(Strict):
    """Conditions that must all hold."""

    from_: Moment | None = Field(default=None, alias="from", exclude_if=unset)
    """The first moment at which the rule answers."""
    until: Moment | None = Field(default=None, exclude_if=unset)
    """The moment at which it stops to answer."""
    hours: Hours | None = Field(default=None, exclude_if=unset)
    """The hours of the day at which it answers."""
    follower: Follower | None = Field(default=None, exclude_if=unset)
    """What must be known of the follower."""
    unionid: Literal["known", "unknown"] | None = Field(default=None, exclude_if=unset)
    """Whether the UnionID of the follower is known."""
    cooldown_seconds: Annotated[StrictInt, Field(ge=1, le=MAX_SECONDS)] | None = Field(
        default=None, exclude_if=unset
    )
    """The least time between two answers of the rule to the same follower."""
    share: Share | None = Field(default=None, exclude_if=unset)
    """The part of the followers whom it answers."""

    @model_validator(mode="after")
    def _some_period(self) -> Self:
        if self.from_ is not None and self.until is not None and self.from_ >= self.until:
            raise PydanticCustomError(
                "empty_period",
                "is not after from, so that the rule never answers: move it",
                {"field": "until"},
            )
        return self

    @property
    def ask_facts(self) -> bool:
        """Whether they depend on what the database knows of the follower."""
        return not (
            self.follower is None and self.unionid is None and self.cooldown_seconds is None
        )
