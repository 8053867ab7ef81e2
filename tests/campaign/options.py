"""The options of a campaign."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """rounds: kills, or rolling restarts. rate: pushes a second. seed: of what is drawn.

    logs: a folder that keeps the logs of all programs; None: they go with the temporary folders.
    """

    rounds: int = 20
    rate: float = 40.0
    seed: int = 1
    logs: Path | None = None
