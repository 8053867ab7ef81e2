"""Keeps a copy of the served rules on disk, for a start while the database is unavailable.

All processes of a machine share one file. It is replaced as a whole, so that a reader sees the old
copy or the new one. A copy that is damaged, or of another format, counts as none. A rule in it that
this release does not take is left out, as it is when the rules are read from the database.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from app.rules import store
from app.rules.definition.rule import Rule
from app.rules.definition.schemas import RuleIn
from app.rules.matching.rule_set import RuleSet
from app.wechat.outbound import STORED

FORMAT: Final = 1
MAX_COPY_BYTES: Final = 256 * 1024 * 1024
"""More than twice the largest set of rules that can be imported."""

log = structlog.get_logger(__name__)


class _Head(BaseModel):
    """The first line of a copy. count: of rules, one on each further line."""

    model_config = ConfigDict(extra="ignore")

    format: int
    version: int
    saved_at: AwareDatetime
    count: int


@dataclass(frozen=True, slots=True)
class Copy:
    """Rules as of `version`, and when they were saved."""

    version: int
    saved_at: datetime
    rules: tuple[Rule, ...]


class DiskCopy:
    """The copy in a folder. Its methods wait for the disk, so call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rules.jsonl"
        self._lock_path = folder / "rules.lock"

    def save(self, rules: RuleSet, now: datetime) -> None:
        """Save the rules of a set, unless the copy has this version or another process saves it.

        Raises OSError; then the copy stays as it was.
        """
        with self._alone() as alone:
            if not alone or self._version() == rules.version:
                return
            head = _Head(
                format=FORMAT, version=rules.version, saved_at=now, count=len(rules.ranked)
            )
            new = self._path.with_suffix(".new")
            try:
                self._write(new, head, rules.ranked)
                new.replace(self._path)
            finally:
                new.unlink(missing_ok=True)

    def load(self) -> Copy | None:
        """Return the copy; None if there is none that can be used."""
        try:
            return self._read()
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("rules.copy_unusable", error=type(error).__name__)
            return None

    def _read(self) -> Copy:
        with self._path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_COPY_BYTES:
                raise ValueError("too large")
            head = _Head.model_validate_json(file.readline())
            if head.format != FORMAT:
                raise ValueError("another format")
            found = list(map(_rule_in, file))
        if len(found) != head.count:
            raise ValueError("cut off")
        rules = tuple(rule for rule in found if rule is not None)
        if found and not rules:
            raise ValueError("no rule that can be used")
        if len(rules) < len(found):
            log.warning("rules.left_out_of_copy", count=len(found) - len(rules))
        return Copy(head.version, head.saved_at, rules)

    def _version(self) -> int | None:
        try:
            with self._path.open("rb") as file:
                head = _Head.model_validate_json(file.readline())
        except (OSError, ValidationError):
            return None
        return head.version if head.format == FORMAT else None

    def _write(self, path: Path, head: _Head, rules: Iterable[Rule]) -> None:
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - of a descriptor
            size = file.write(head.model_dump_json().encode() + b"\n")
            for rule in rules:
                size += file.write(orjson.dumps(_members(rule)) + b"\n")
                if size > MAX_COPY_BYTES:
                    raise OSError("the rules are too large for a copy on disk")
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Run the block; yield whether no other process runs it."""
        with self._lock_path.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


def _members(rule: Rule) -> dict[str, Any]:
    parts = {"trigger": rule.trigger, "conditions": rule.conditions, "utm": rule.utm}
    return {
        "id": rule.id,
        "name": rule.name,
        "appid": rule.appid,
        "priority": rule.priority,
        "replies": [reply.model_dump(mode="json", by_alias=True) for reply in rule.replies],
        **{
            name: part.model_dump(mode="json", by_alias=True)
            for name, part in parts.items()
            if part
        },
    }


def _rule_in(line: bytes) -> Rule | None:
    document = orjson.loads(line)
    rule_id = int(document.pop("id"))
    try:
        return store.rule_of(rule_id, RuleIn.model_validate(document, context=STORED))
    except ValidationError:
        return None
