"""Runs one case and says what is wrong with it."""

import time
import traceback
from dataclasses import dataclass
from typing import Final

from tests.fuzz.storable import refusal
from tests.fuzz.target import Target

MAX_SECONDS: Final = 0.05
_RUNS: Final = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one case did. fault: None if all is well, else a line that is the same for one cause.

    seconds: of this thread on a processor.
    """

    fault: str | None
    seconds: float


def judge(target: Target, data: bytes, *, max_seconds: float = MAX_SECONDS) -> Verdict:
    """Try one input, as often as its time is in doubt: others may have been interrupted."""
    verdict = _once(target, data)
    for _ in range(_RUNS):
        if verdict.fault is not None or verdict.seconds <= max_seconds:
            return verdict
        target.forget()
        again = _once(target, data)
        verdict = again if again.seconds < verdict.seconds else verdict
    return Verdict(f"slow: over {max_seconds * 1000:.0f} ms", verdict.seconds)


def _once(target: Target, data: bytes) -> Verdict:
    began = time.thread_time_ns()
    try:
        values = target.try_case(data)
        seconds = (time.thread_time_ns() - began) / 1e9
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return Verdict(_cause(error), (time.thread_time_ns() - began) / 1e9)
    refused = refusal(values)
    return Verdict(None if refused is None else f"unstorable: {refused}", seconds)


def _cause(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/app/" in frame.filename] or frames
    place = ours[-1]
    name = place.filename.rpartition("/app/")[2]
    return f"exception: {type(error).__name__} in {name}:{place.name}:{place.lineno}"
