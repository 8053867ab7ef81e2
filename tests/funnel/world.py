"""A small world of pushes, replies, notices and reports: stored as the service stores them, and
remembered, so that its figures can be reckoned slowly, one by one."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import asyncpg
from uuid_utils.compat import uuid4

from app.funnel.steps import Basis, DoorKind, Step
from app.stats.funnel_store import Counts, FunnelWanted
from tests.service import APPID, CARD_APPID

# Clocks change in Europe.
START = datetime(2026, 10, 25, tzinfo=UTC)
NAMES = UUID(int=7)
TABLES = (
    *("callbacks", "replies", "notices", "arrivals", "openids", "follow_events", "followers"),
    *("qrcodes", "identity_events", "funnel_marks", "funnel_touches", "funnel_days"),
    *("funnel_pairs", "funnel_month_pairs", "cohort_members", "campaigns", "funnel_campaigns"),
    *("funnel_day_changes", "funnel_pair_changes", "funnel_month_pair_changes"),
)
CLEAR = f"""
{"".join(f"DELETE FROM {table};" for table in TABLES)}
UPDATE funnel_progress SET callback_id = '00000000-0000-0000-0000-000000000000', position = 0,
       arrival_position = 0, time_zone = NULL, making_time_zone = NULL, counted_until = NULL;
"""  # noqa: S608 - constants of this module
PUSH = """
WITH push AS (
    INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, event, occurred_at, received_at,
                           payload, rule_id, passive_id, passive_msgtype)
    VALUES ($1, $2, int4send(0) || uuid_send($1), $3, $4, $5, $6, $7, $8, $9, $10::uuid,
            CASE WHEN $10::uuid IS NOT NULL THEN 'text' END)
), known AS (
    INSERT INTO openids (appid, openid, first_seen_at, last_seen_at) VALUES ($2, $3, $6, $6)
    ON CONFLICT DO NOTHING
), event AS (
    INSERT INTO follow_events (id, callback_id, appid, openid, action, scene, occurred_at)
    SELECT $12, $1, $2, $3, $13::varchar, $11, $6 WHERE $13::varchar IS NOT NULL
    RETURNING *
)
INSERT INTO followers AS f (appid, openid, following, scene, last_at, last_id, followed_at)
SELECT appid, openid, action = 'follow', scene, occurred_at, id, occurred_at FROM event
WHERE action <> 'scan'
ON CONFLICT (appid, openid) DO UPDATE SET
    following = EXCLUDED.following, scene = EXCLUDED.scene, last_at = EXCLUDED.last_at,
    last_id = EXCLUDED.last_id, followed_at = EXCLUDED.followed_at
WHERE (EXCLUDED.last_at, EXCLUDED.last_id) > (f.last_at, f.last_id)
"""
REPLY = """
INSERT INTO replies (id, callback_id, position, appid, openid, rule_id, via, msgtype, content,
                     status, created_at)
VALUES ($1, $2, 0, $3, $4, $6, 'customer_service', 'text', '{}', 'pending', $5)
"""
NOTICE = """
INSERT INTO notices (id, send_id, appid, openid, template_id, kind, status, created_at, next_at,
                     tried_at)
VALUES ($1, $2, $3, $4, 't', 'template', 'sending', $5, $5, $5)
"""
ARRIVAL = """
INSERT INTO arrivals (id, kind, appid, report_key, received_at, at, unionid, refs, position, basis,
                      left_out, door, account, recipient, sent_at, callback_id, notice_id, link_id,
                      menu_number, menu_position)
VALUES ($1, $2, $3, uuid_send($1), $4, $4, $5, '{}',
        (SELECT COALESCE(max(position), 0) + 1 FROM arrivals), $6, $7, $8, $9, $10, $11, $12, $13,
        $14, $15, $16)
"""
BUTTON = """
INSERT INTO menu_buttons (appid, number, position, event, event_key, live_from)
VALUES ($1, $2, $3, 'CLICK', 'key', $4) ON CONFLICT DO NOTHING
"""
CODE = """
INSERT INTO qrcodes (id, slug, appid, scene, kind, name, created_at, attempts, renew_at)
VALUES ($1, $2, $3, $2, 'permanent', $2, now(), 0, now())
"""


CAMPAIGN = """
INSERT INTO campaigns (id, name, starts_at, ends_at, warn_below, revision, created_at, updated_at)
VALUES ($1, 'c', $2, $3, 0, 1, now(), now())
ON CONFLICT (id) DO UPDATE SET starts_at = EXCLUDED.starts_at, ends_at = EXCLUDED.ends_at,
    revision = campaigns.revision + 1, deleted_at = NULL
"""
CAMPAIGN_DOORS = """
WITH former AS (DELETE FROM campaign_doors WHERE campaign_id = $1 AND NOT door_id = ANY($3))
INSERT INTO campaign_doors (campaign_id, kind, door_id)
SELECT $1, * FROM unnest($2::text[], $3::text[]) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign. doors: as touches name them, but for buttons: kind and position."""

    starts_at: datetime
    ends_at: datetime
    doors: tuple[str, ...]

    def has(self, touch: "Touch") -> bool:
        """Whether a touch belongs to it."""
        names = {
            f"button:{door.rpartition(':')[2]}" if door.startswith("button:") else door
            for door in touch.doors
            if not door.endswith(":")
        }
        return self.starts_at <= touch.at < self.ends_at and bool(names & {*self.doors})


@dataclass(slots=True)
class Touch:
    """One touch, as `funnel_touches` has it. forgotten: no later report belongs to it.

    campaigns: of one of which an erasure has made it, or that it was taken from; None: those that
    it belongs to now. apart: the doors by which it counts within campaigns alone, and for nothing
    else; empty: it counts for all.
    """

    id: UUID
    source: str
    at: datetime
    person: str
    doors: list[str]
    matched: bool = False
    followed: bool = False
    sent: bool = False
    opened_after: int | None = None
    converted_after: int | None = None
    opened_exact: bool = False
    converted_exact: bool = False
    forgotten: bool = False
    campaigns: frozenset[str] | None = None
    apart: tuple[str, ...] = ()

    def report(self, kind: str, after: int, *, exact: bool) -> None:
        """Note a report that came so many seconds after the send."""
        if kind == "launch":
            self.opened_after = min(n for n in (after, self.opened_after) if n is not None)
            self.opened_exact |= exact
        else:
            self.converted_after = min(n for n in (after, self.converted_after) if n is not None)
            self.converted_exact |= exact

    def steps(self, basis: Basis) -> set[str]:
        """Return the steps that it reached, and what is estimated."""
        known = [one for one in (self.opened_after, self.converted_after) if one is not None]
        opened = bool(known) and min(known) <= basis.opened_days * 86_400
        converted = (
            opened
            and self.converted_after is not None
            and self.converted_after <= basis.converted_days * 86_400
        )
        sent = self.sent or (opened and self.source != "launch")
        push = self.source == "push"
        reached = {
            Step.RECEIVED: push,
            Step.MATCHED: push and (self.matched or sent),
            Step.FOLLOWED: self.followed,
            Step.SENT: sent,
            Step.OPENED: opened,
            Step.CONVERTED: converted,
            "opened_estimated": opened and not (self.opened_exact or self.converted_exact),
            "converted_estimated": converted and not self.converted_exact,
        }
        return {str(name) for name, value in reached.items() if value}


def campaign_id(number: int) -> UUID:
    """Return the id of a campaign."""
    return uuid5(NAMES, f"campaign-{number}")


def link_id(link: int) -> UUID:
    """Return the id of a link."""
    return uuid5(NAMES, f"link-{link}")


def send_id(number: int) -> UUID:
    """Return the id of a send of notices."""
    return uuid5(NAMES, f"send-{number}")


def code_id(scene: str) -> UUID:
    """Return the id of a QR code."""
    return uuid5(NAMES, f"code-{scene}")


def button_at(moment: datetime) -> tuple[int, str]:
    """Return version and position of the button of the key: another version is live since START."""
    return (3, "2-1") if moment >= START else (2, "1")


@dataclass(slots=True)
class World:
    """What has happened. begin: of the ids. seconds: how many pushes have arrived, one each second.

    follows: OpenID, time, action and scene. texts: OpenID and time. reports, of what was sent:
    OpenID, time and kind. conversions, by links and buttons: UnionID, door, time, whether it is
    exact.
    """

    connection: asyncpg.Connection
    touches: list[Touch] = field(default_factory=list)
    follows: list[tuple[str, datetime, str, str | None]] = field(default_factory=list)
    texts: list[tuple[str, datetime]] = field(default_factory=list)
    reports: list[tuple[str, datetime, str]] = field(default_factory=list)
    conversions: list[tuple[str, str, datetime, bool]] = field(default_factory=list)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    begin: datetime = START - timedelta(days=100)
    seconds: int = 0
    erasures: int = 0

    @property
    def now(self) -> datetime:
        """The time by the ids of callbacks; it has no bearing on when things happened."""
        return self.begin + timedelta(seconds=self.seconds)

    def new_id(self, seconds_ago: int = 0) -> UUID:
        """Return a UUIDv7 of now."""
        moment = int((self.now - timedelta(seconds=seconds_ago)).timestamp() * 1000)
        low = int(uuid4()) & ((1 << 62) - 1)
        return UUID(int=moment << 80 | 7 << 76 | 2 << 62 | low)

    async def push(
        self,
        openid: str,
        at: datetime,
        event: str | None = None,
        *,
        scene: str | None = None,
        rule_id: int | None = None,
        passive: bool = False,
        late: bool = False,
        appid: str = APPID,
    ) -> Touch | None:
        """Store a push. late: it was in a spool, so that its id is lower than others."""
        self.seconds += 1
        id_ = self.new_id(50 if late else 0)
        actions = {"subscribe": "follow", "unsubscribe": "unfollow", "SCAN": "scan"}
        action = actions.get(event or "")
        await self.connection.execute(
            PUSH,
            id_,
            appid,
            openid,
            "event" if event else "text",
            event,
            at,
            self.now,
            '{"EventKey": "key"}' if event == "CLICK" else "{}",
            rule_id,
            uuid4() if passive and rule_id is not None else None,
            scene,
            uuid4(),
            action,
        )
        if not late:
            await self.connection.execute("DELETE FROM funnel_marks WHERE touch_id = $1", id_)
        if action in {"follow", "unfollow"}:
            self.follows.append((openid, at, action, scene))
        if event is None:
            self.texts.append((openid, at))
        if event == "unsubscribe" and rule_id is None:
            return None
        doors = [""] if rule_id is None else ["", f"rule:{rule_id}"]
        if scene in {"a", "b"} and event != "unsubscribe":
            doors += ["qrcode:", f"qrcode:{code_id(scene)}"]
        if event == "CLICK":
            number, position = button_at(at)
            doors += ["button:", f"button:{number}:{position}"]
        touch = Touch(
            id_,
            "push",
            at,
            openid,
            doors,
            matched=rule_id is not None,
            followed=event == "subscribe",
            sent=passive and rule_id is not None,
        )
        self.touches.append(touch)
        return touch

    async def reply(self, touch: Touch) -> None:
        """Send a queued reply to a push."""
        id_ = uuid4()
        rule_id = next(int(door[5:]) for door in touch.doors if door.startswith("rule:"))
        await self.connection.execute(REPLY, id_, touch.id, APPID, touch.person, touch.at, rule_id)
        await self.connection.execute("UPDATE replies SET status = 'sent' WHERE id = $1", id_)
        touch.sent = True

    async def notice(self, openid: str, at: datetime, number: int) -> Touch:
        """Send a notice."""
        id_, send = uuid4(), send_id(number)
        await self.connection.execute(NOTICE, id_, send, APPID, openid, at)
        await self.connection.execute("UPDATE notices SET status = 'sent' WHERE id = $1", id_)
        doors = ["notice:", f"notice:{send}"]
        touch = Touch(id_, "notice", at, openid, doors, sent=True)
        self.touches.append(touch)
        return touch

    async def undelivered(self, touch: Touch) -> None:
        """Report that a notice did not arrive."""
        await self.connection.execute(
            "UPDATE notices SET status = 'undelivered' WHERE id = $1", touch.id
        )
        touch.sent = False

    async def report(
        self, touch: Touch, kind: str, after: int, *, exact: bool = True, left_out: bool = False
    ) -> None:
        """Report what a reply or a notice led to."""
        await self._arrival(
            kind,
            touch.at + timedelta(seconds=after),
            exact=exact,
            left_out=left_out,
            door="notice" if touch.source == "notice" else "reply",
            touch=touch,
        )
        if not left_out:
            self.reports.append((touch.person, touch.at + timedelta(seconds=after), kind))
            touch.report(kind, after, exact=exact)

    async def visit(
        self,
        kind: str,
        unionid: str,
        at: datetime,
        place: int | tuple[int, str],
        *,
        exact: bool = True,
    ) -> None:
        """Report what a link or a button led to. unionid: empty if nobody knows it.

        place: the number of the link, or the version and the position of the button.
        """
        if isinstance(place, int):
            door = f"link:{link_id(place)}"
        else:
            door = f"button:{place[0]}:{place[1]}"
        id_ = await self._arrival(kind, at, exact=exact, door=door, unionid=unionid, place=place)
        if kind == "launch":
            touch = Touch(id_, "launch", at, unionid, [f"{door.partition(':')[0]}:", door])
            touch.report("launch", 0, exact=exact)
            self.touches.append(touch)
        else:
            self.conversions.append((unionid, door, at, exact))

    async def _arrival(
        self,
        kind: str,
        at: datetime,
        *,
        exact: bool,
        door: str,
        left_out: bool = False,
        touch: Touch | None = None,
        unionid: str = "",
        place: int | tuple[int, str] | None = None,
    ) -> UUID:
        id_ = self.new_id()
        is_button = isinstance(place, tuple)
        number, position = place if isinstance(place, tuple) else (None, None)
        await self.connection.execute(
            ARRIVAL,
            id_,
            kind,
            CARD_APPID,
            at,
            unionid or None,
            "ref" if exact else "launch",
            "repeat" if left_out else None,
            "menu" if is_button else door.partition(":")[0],
            APPID if touch is not None or is_button else None,
            None if touch is None else touch.person,
            None if touch is None else touch.at,
            None if touch is None or touch.source == "notice" else touch.id,
            None if touch is None or touch.source == "push" else touch.id,
            link_id(place) if isinstance(place, int) else None,
            number,
            position,
        )
        return id_

    async def campaign(self, number: int, campaign: Campaign) -> None:
        """Add a campaign, or change it. One that was deleted never comes back."""
        if number in self.deleted:
            return
        id_ = campaign_id(number)
        await self.connection.execute(CAMPAIGN, id_, campaign.starts_at, campaign.ends_at)
        kinds = [door.partition(":")[0].replace("button", "menu_button") for door in campaign.doors]
        ids = [
            f"{APPID}/{door[7:]}" if door.startswith("button:") else door.partition(":")[2]
            for door in campaign.doors
        ]
        await self.connection.execute(CAMPAIGN_DOORS, id_, kinds, ids)
        self.campaigns[f"campaign:{id_}"] = campaign

    async def delete_campaign(self, number: int) -> None:
        """Delete a campaign, if there is one."""
        id_ = campaign_id(number)
        await self.connection.execute(
            "UPDATE campaigns SET deleted_at = now(), revision = revision + 1 WHERE id = $1", id_
        )
        self.campaigns.pop(f"campaign:{id_}", None)
        self.deleted.add(number)
        for touch in self.touches:
            if touch.campaigns is not None:
                touch.campaigns -= {f"campaign:{id_}"}

    def campaigns_of(self, touch: Touch) -> frozenset[str]:
        """Return the campaigns that a touch belongs to."""
        if touch.campaigns is not None:
            return touch.campaigns
        return frozenset(name for name, one in self.campaigns.items() if one.has(touch))

    def erase(self, openid: str, until: datetime, *, of_identity: bool) -> None:
        """Remember that somebody was erased.

        What they did by a QR code, a button or a campaign counts for nobody known, and by which
        rule or notice of a campaign it was for somebody else again.
        """
        self.erasures += 1
        for touch in list(self.touches):
            if touch.source == "launch" or touch.at > until or touch.person != openid:
                continue
            codes = [door for door in touch.doors if door.startswith(("qrcode:", "button:"))]
            campaigns = self.campaigns_of(touch)
            if codes or campaigns:
                person = f"anonymous {self.erasures}"
                self.touches.append(
                    replace(touch, id=uuid4(), doors=codes, person=person, campaigns=campaigns)
                )
                touch.doors = [door for door in touch.doors if door not in codes]
            apart = tuple(door for door in touch.doors if door)
            if campaigns and apart:
                other = replace(touch, id=uuid4(), doors=[], campaigns=campaigns, apart=apart)
                other.person = f"apart {self.erasures}"
                self.touches.append(other)
            touch.campaigns = frozenset()
            if of_identity:
                touch.person = f"erased:{openid}"

    def forget(self, unionid: str, until: datetime) -> None:
        """Remember that a UnionID was erased, after all reports were counted."""
        for touch in _with_conversions(self):
            if touch.source == "launch" and touch.person == unionid and touch.at <= until:
                touch.person, touch.forgotten = f"erased:{unionid}", True


def figures(
    world: World, wanted: FunnelWanted
) -> tuple[Counts, dict[date, Counts], dict[str, Counts]]:
    """Return the total, the days and the doors, by a walk through all touches."""
    zone = ZoneInfo(wanted.basis.time_zone)
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    for touch in _with_conversions(world):
        day = touch.at.astimezone(zone).date()
        if wanted.date_range.since <= day <= wanted.date_range.until:
            for door in _all_doors(touch, world.campaigns_of(touch)):
                for name in (door, f"{door} {day}"):
                    tallies[name].add(touch, touch.steps(wanted.basis))
    door = wanted.total_door
    days = {
        day: tallies[f"{door} {day}"].counts()
        for day in wanted.date_range.days
        if f"{door} {day}" in tallies and not tallies[f"{door} {day}"].is_empty
    }
    begin = "" if wanted.door or wanted.kind is DoorKind.ACCOUNT else f"{wanted.kind.value}:"
    if begin and wanted.campaign:
        begin = f"within:{wanted.campaign}/{begin}"
    doors = {
        name: tally.counts()
        for name, tally in tallies.items()
        if begin and name.startswith(begin) and name != begin and " " not in name
    }
    return tallies[door].counts(), days, {k: v for k, v in doors.items() if any(v.times.values())}


def _all_doors(touch: Touch, campaigns: frozenset[str]) -> list[str]:
    """Return the doors by which a touch counts: its own, its campaigns, and its own within them."""
    own = touch.apart or [door for door in touch.doors if door]
    within = [f"within:{name.partition(':')[2]}/{door}" for name in campaigns for door in own]
    if touch.apart:
        return within
    return [*touch.doors, *campaigns, *(["campaign:"] if campaigns else []), *within]


def _with_conversions(world: World) -> Iterator[Touch]:
    for touch in world.touches:
        if touch.source == "launch" and touch.person and not touch.forgotten:
            touch.converted_after, touch.converted_exact = None, False
            for unionid, door, at, exact in world.conversions:
                after = at - touch.at
                same = unionid == touch.person and door in touch.doors
                if same and timedelta() <= after <= timedelta(days=90):
                    touch.report("conversion", int(after.total_seconds()), exact=exact)
        yield touch


NUMBERS = (*(step.value for step in Step), "opened_estimated", "converted_estimated")


@dataclass(slots=True)
class Tally:
    """The figures of one door."""

    times: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NUMBERS, 0))
    people: dict[str, set[str]] = field(default_factory=lambda: {step: set() for step in Step})

    def add(self, touch: Touch, steps: set[str]) -> None:
        """Count a touch."""
        for step in steps:
            self.times[step] += 1
            if step in self.people and touch.person:
                self.people[step].add(touch.person)

    def counts(self) -> Counts:
        """Return the figures."""
        return Counts(self.times, {str(step): len(found) for step, found in self.people.items()})

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not any(self.times.values())
