"""Faults that a test switches on for paths of the API."""

from enum import StrEnum
from secrets import SystemRandom
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Drop(StrEnum):
    """When the connection is cut: before the request is read, or after it has taken effect."""

    BEFORE = "before"
    AFTER = "after"


class Fault(BaseModel):
    """What happens to calls of `path`; several effects can be combined.

    count: the number of calls that it affects; None: all calls until it is cleared. probability:
    that it affects a call.

    status, body and location replace the answer, and the call has no effect: body is text in this
    encoding. changed and removed change members of the JSON answer after the call had its effect.
    """

    model_config = ConfigDict(extra="forbid")

    path: str = Field(description="such as /cgi-bin/message/custom/send")
    latency_seconds: float = Field(default=0.0, ge=0)
    errcode: int | None = None
    status: int | None = Field(default=None, ge=200, le=599)
    body: str | None = None
    encoding: Literal["utf-8", "utf-8-sig", "gb18030"] = "utf-8"
    location: str | None = None
    changed: dict[str, Any] = Field(default_factory=dict)
    removed: tuple[str, ...] = ()
    drop: Drop | None = None
    count: int | None = Field(default=None, ge=1)
    probability: float = Field(default=1.0, gt=0, le=1)


class Faults:
    """The faults that are switched on, oldest first."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._dice = SystemRandom()

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        self.active.append(fault)

    def clear(self, path: str | None = None) -> None:
        """Switch off the faults of one path, or all faults."""
        self.active = [f for f in self.active if path is not None and f.path != path]

    def next_for(self, path: str) -> Fault | None:
        """Return the fault for this call and lower its count by one; None without any."""
        for fault in self.active:
            if fault.path == path and self._dice.random() < fault.probability:
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count == 0:
                        self.active.remove(fault)
                return fault
        return None
