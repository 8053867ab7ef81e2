"""What whoever runs the campaigns may choose."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """rounds: kills, or rolling restarts. rate: pushes a second. seed: of what is drawn."""

    rounds: int = 20
    rate: float = 40.0
    seed: int = 1
    quick: bool = False
