"""Stores a share of the fuzzer's pushes in a real Postgres, as the inbox does.

What the oracle in `storable` lets through must be taken there.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from app.callback.commit_batch import BatchCommitter
from app.callback.errors import BadData
from app.callback.record import Record
from app.db import embedded, migrate
from app.db.engine import open_database

STORED: Final = ("envelopes", "pushes")
_BATCH: Final = 50
_SECONDS: Final = 60


def check(samples: Mapping[str, Path]) -> Iterator[str]:
    """Store the pushes; yield a line for each that Postgres refuses, and one with their number.

    samples: folders with inputs, by target.
    """
    records = [record for name in STORED if name in samples for record in _records(name, samples)]
    if not records:
        return
    with tempfile.TemporaryDirectory(prefix="oa-bridge-fuzz-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        folder.chmod(0o755)
        refused = asyncio.run(refused_by(embedded.start(folder), records))
    yield from (f"Postgres refuses the push {record.payload[:200]!r}" for record in refused)
    yield f"{len(records):,} pushes were stored in Postgres; it refused {len(refused)}."


def _records(name: str, samples: Mapping[str, Path]) -> Iterator[Record]:
    module = import_module(f"tests.fuzz.targets.{name}")
    for file in sorted(samples[name].iterdir()):
        record = module.record(file.read_bytes())
        if record is not None:
            yield record


async def refused_by(url: str, records: Sequence[Record]) -> list[Record]:
    """Return the records that a fresh database at `url` refuses."""
    database = open_database(url)
    await migrate.upgrade(database.engine)
    await database.close()
    committer = BatchCommitter(url)
    refused: list[Record] = []
    for start in range(0, len(records), _BATCH):
        batch = records[start : start + _BATCH]
        results = await committer.commit(batch, seconds=_SECONDS)
        refused += [
            one for one, result in zip(batch, results, strict=True) if isinstance(result, BadData)
        ]
    committer.close()
    return refused
