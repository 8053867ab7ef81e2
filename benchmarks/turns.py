"""Loads that are compared in pairs of turns, so that what disturbs one disturbs the other."""

import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import load_client
from benchmarks.keywords import Keywords
from benchmarks.load_client import Load
from benchmarks.pushes import write_pushes

CONNECTIONS: Final = 64
# More than any machine so far answers in a second.
PUSHES_PER_SECOND: Final = 20_000


@dataclass(frozen=True, slots=True)
class Turns:
    """What all turns share. program: wxload. rules: of the servers. seconds: of one turn.

    followers: see `write_pushes`.
    """

    program: Path
    folder: Path
    rules: int
    seconds: float
    followers: int | None = None

    def load(self, port: int, number: int) -> Load:
        """Send the pushes of the turn with this number, which no other one has."""
        pushes = self.folder / "pushes"
        keywords = Keywords.draw(self.rules, random.Random(1))
        count = int(PUSHES_PER_SECOND * self.seconds)
        rng = random.Random(number)
        write_pushes(pushes, count, keywords, rng, followers=self.followers)
        load = load_client.run(
            self.program,
            pushes,
            self.folder / "samples",
            port=port,
            connections=CONNECTIONS,
            seconds=self.seconds,
        )
        if load.faults:
            sys.exit(f"callbacks: {load.faults}")
        return load
