"""The schedule `arrivals.settle`: finds by which door each arrival came.

One transaction settles at a time, with the only row of `arrival_progress` locked: so positions
become visible in their order, and a reader that follows them misses none.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.arrivals import find_last, find_refs
from app.arrivals.door import (
    DOOR_COLUMNS,
    Evidence,
    FoundDoor,
    Settlement,
    WaitingArrival,
    settlement_of,
)
from app.arrivals.find_refs import RefDoor
from app.arrivals.models import ArrivalKind, ArrivalProgress, Basis
from app.arrivals.new_arrival import MAX_CLOCK_SKEW
from app.clock import Clock
from app.db.engine import SessionFactory
from app.tombstones.erasure_secret import ErasureSecret
from app.tombstones.people import erased_among
from app.tombstones.pseudonyms import pseudonyms
from app.wechat.ids import AccountOpenId

# An erasure of one of these people waits for a batch.
BATCH: Final = 1000
MAX_BATCHES: Final = 500
# Coming back from the list of tasks repeats the previous scene. Source: linkage 11.2.
REPEAT_WINDOW: Final = timedelta(minutes=5)
_PROGRESS: Final = 1


@dataclass(frozen=True, slots=True)
class Settler:
    """The dependencies of settling. secret: for the pseudonyms of erased people."""

    sessions: SessionFactory
    clock: Clock
    secret: ErasureSecret

    async def settle(self) -> None:
        """Settle what is due. A run that is killed has settled whole batches alone.

        Launches come first, so that conversions find them.
        """
        for kind in ArrivalKind:
            for _ in range(MAX_BATCHES):
                if not await self._settle_batch(kind):
                    break

    async def _settle_batch(self, kind: ArrivalKind) -> bool:
        """Settle one batch; return whether more may be due."""
        now = self.clock.now()
        async with self.sessions.begin() as session:
            progress = await session.get_one(ArrivalProgress, _PROGRESS, with_for_update=True)
            # A plan for small tables would read them whole when they are large.
            await session.execute(_BY_INDEX)
            # First, so that no erasure begins that would not see what is written here.
            await erased_among(session, self.secret, ())
            waiting = await _waiting(session, kind, now)
            if not waiting:
                return False
            settled, later = await _decided(session, waiting, now)
            settled = await self._without_erased(session, settled)
            await _write(session, waiting, settled, progress.position)
            await _postpone(session, {one: now + pause for one, pause in later.items()})
            progress.position += len(settled)
            return len(waiting) == BATCH

    async def _without_erased(
        self, session: AsyncSession, settled: dict[UUID, Settlement]
    ) -> dict[UUID, Settlement]:
        """Replace recipients whose erasure is under way by their pseudonyms."""
        erased = await erased_among(session, self.secret, _recipients(settled.values()))
        if not erased:
            return settled
        names = await pseudonyms(session, self.secret)
        result = dict(settled)
        for arrival_id, one in settled.items():
            for appid, openid in _recipients([one]):
                tombstone = erased.get((appid, openid))
                sent_at = one.door.sent_at if one.door else None
                if (
                    tombstone
                    and tombstone.identity_erased
                    and (sent_at is None or sent_at <= tombstone.until)
                ):
                    name = names.of_openid(appid, openid)
                    result[arrival_id] = replace(one, door=_sent_to(one.door, name))
        return result


def _sent_to(door: FoundDoor | None, recipient: str) -> FoundDoor | None:
    return None if door is None else replace(door, recipient=recipient)


def _recipients(settled: Iterable[Settlement]) -> set[AccountOpenId]:
    return {
        (one.door.account, one.door.recipient)
        for one in settled
        if one.door is not None and one.door.account and one.door.recipient
    }


async def _waiting(
    session: AsyncSession, kind: ArrivalKind, now: datetime
) -> Sequence[WaitingArrival]:
    rows = await session.execute(_WAITING, {"kind": kind, "now": now, "limit": BATCH})
    return [
        WaitingArrival(
            id=row.id,
            kind=ArrivalKind(row.kind),
            appid=row.appid,
            at=row.at,
            openid=row.openid,
            # What is known of a person counts more than what a report says.
            unionid=row.known_unionid or row.unionid,
            scene=row.scene,
            path=row.path,
            referrer_appid=row.referrer_appid,
            refs=tuple(row.refs),
            tries=row.tries,
        )
        for row in rows
    ]


async def _decided(
    session: AsyncSession, waiting: Sequence[WaitingArrival], now: datetime
) -> tuple[dict[UUID, Settlement], dict[UUID, timedelta]]:
    """Return how arrivals are settled, and in what time the others are looked at again."""
    doors = await find_refs.doors_of(
        session, {ref for one in waiting for ref in one.refs}, now + MAX_CLOCK_SKEW
    )
    by_ref = {one.id: _door_by_ref(one, doors) for one in waiting}
    recipients = await _unionids(session, [found[1] for found in by_ref.values() if found])
    without = [one for one in waiting if by_ref[one.id] is None]
    by_scene = await find_last.sent_last(session, without)
    by_scene |= await find_last.menus_of(session, without)
    launches = await find_last.last_launches(session, without)
    repeated = await find_last.repeats(session, [one.id for one in waiting], REPEAT_WINDOW)
    settled, later = dict[UUID, Settlement](), dict[UUID, timedelta]()
    for one in waiting:
        ref = by_ref[one.id]
        door = ref[1] if ref else None
        known = Evidence(
            by_ref=ref,
            recipient=recipients.get((door.account or "", door.recipient or "")) if door else None,
            is_repeat=one.id in repeated,
            by_scene=by_scene.get(one.id),
            last_launch=launches.get(one.id),
        )
        found = settlement_of(one, known)
        if isinstance(found, timedelta):
            later[one.id] = found
        else:
            settled[one.id] = found
    return settled, later


def _door_by_ref(
    arrival: WaitingArrival, doors: Mapping[str, RefDoor]
) -> tuple[str, FoundDoor] | None:
    found = ((ref, doors[ref]) for ref in arrival.refs if ref in doors)
    return next(((ref, one.door) for ref, one in found if one.leads_to(arrival.appid)), None)


async def _unionids(
    session: AsyncSession, doors: Collection[FoundDoor]
) -> dict[AccountOpenId, str]:
    people = _recipients(Settlement(Basis.REF, door=door) for door in doors)
    rows = await session.execute(
        _UNIONIDS,
        {"appids": [appid for appid, _ in people], "openids": [openid for _, openid in people]},
    )
    return {(row.appid, row.openid): row.unionid for row in rows}


async def _write(
    session: AsyncSession,
    waiting: Sequence[WaitingArrival],
    settled: dict[UUID, Settlement],
    position: int,
) -> None:
    unionids = {one.id: one.unionid for one in waiting}
    nowhere = dict.fromkeys(DOOR_COLUMNS)
    columns: dict[str, list[object]] = {
        "ids": list(settled),
        "positions": list(range(position + 1, position + 1 + len(settled))),
        "unionids": [unionids[one] for one in settled],
        "bases": [one.basis for one in settled.values()],
        "left_outs": [one.left_out for one in settled.values()],
        "refs": [one.ref for one in settled.values()],
    }
    for name in DOOR_COLUMNS:
        columns[name] = [
            nowhere[name] if one.door is None else getattr(one.door, name)
            for one in settled.values()
        ]
    await session.execute(_SETTLE, columns)


async def _postpone(session: AsyncSession, later: dict[UUID, datetime]) -> None:
    await session.execute(_POSTPONE, {"ids": list(later), "ats": list(later.values())})


_BY_INDEX: Final = text("SET LOCAL enable_seqscan = off")

# What an erasure holds is left for the next run.
_WAITING: Final = text("""
SELECT a.id, a.kind, a.appid, a.at, a.openid, a.unionid, a.scene, a.path, a.referrer_appid, a.refs,
       a.tries, (SELECT o.unionid FROM openids o
                 WHERE o.appid = a.appid AND o.openid = a.openid) AS known_unionid
FROM arrivals a
WHERE a.try_at <= :now AND a.kind = :kind
ORDER BY a.try_at LIMIT :limit FOR UPDATE OF a SKIP LOCKED
""")

_UNIONIDS: Final = text("""
SELECT o.appid, o.openid, o.unionid
FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[])) AS w(appid, openid)
JOIN openids o ON o.appid = w.appid AND o.openid = w.openid
WHERE o.unionid IS NOT NULL
""")

_TYPES: Final = {
    "door": "text",
    "account": "text",
    "recipient": "text",
    "sent_at": "timestamptz",
    "callback_id": "uuid",
    "reply_id": "uuid",
    "rule_id": "bigint",
    "qrcode_id": "uuid",
    "notice_id": "uuid",
    "send_id": "uuid",
    "link_id": "uuid",
    "menu_number": "bigint",
    "menu_position": "text",
}
_SET: Final = ", ".join(f"{name} = s.{name}" for name in DOOR_COLUMNS)
_ARRAYS: Final = ", ".join(f"CAST(:{name} AS {_TYPES[name]}[])" for name in DOOR_COLUMNS)
_NAMES: Final = ", ".join(DOOR_COLUMNS)

_SETTLE: Final = text(
    f"""
    UPDATE arrivals a SET position = s.position, unionid = s.unionid, basis = s.basis,
           left_out = s.left_out, ref = s.ref, refs = '{{}}', try_at = NULL, {_SET}
    FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS bigint[]), CAST(:unionids AS text[]),
                CAST(:bases AS text[]), CAST(:left_outs AS text[]), CAST(:refs AS text[]),
                {_ARRAYS})
         AS s(id, position, unionid, basis, left_out, ref, {_NAMES})
    WHERE a.id = s.id
    """  # noqa: S608 - constants of this module
)
_POSTPONE: Final = text("""
UPDATE arrivals a SET tries = a.tries + 1, try_at = s.at
FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[])) AS s(id, at) WHERE a.id = s.id
""")
