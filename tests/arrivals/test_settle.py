"""The schedule `arrivals.settle`: which door an arrival came through, and how sure that is."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from app import refs
from app.arrivals.settle import Settler
from app.menus.new_mark import new_mark
from app.worker import Jobs
from tests.arrivals.makers import (
    MP_OPENID,
    UNIONID,
    conversion,
    launch,
    listed,
    people,
    replied,
    report,
)
from tests.service import (
    APPID,
    CARD_APPID,
    OPENID,
    OTHER_OPENID,
    Json,
    Service,
    WeChat,
    card,
    column,
    event,
    message,
    rows,
    wechat_names,
)

DOORS = ("basis", "door", "left_out")
NOTICE = """
INSERT INTO notices (id, send_id, appid, openid, template_id, kind, status, created_at, next_at,
                     first_at, attempts)
VALUES ($1, $2, $3, $4, 'T', 'template', 'sent', $5, $5, $5, 1)
"""
VERSION = """
INSERT INTO menu_versions (id, appid, number, mark, state, menu, sent, left_out, created_at,
                           default_created, menuids, deleted_all, stop, attempts)
VALUES ($1, $2, 3, $3, 'published', '{}', '{}', '[]', $4, true, '[]', false, false, 0)
"""
BUTTON = """
INSERT INTO menu_buttons (appid, number, position, event, event_key, live_from)
VALUES ($1, 3, $2, 'view_miniprogram', $3, $4)
"""
LINK = """
INSERT INTO links (id, slug, name, appid, path, query, env_version, revision, created_at,
                   updated_at, renew_at, attempts)
VALUES ($1, 'summer26', 'Summer', $2, 'pages/a', '', 'release', 1, $3, $3, $3, 0)
"""
OWN_LINK = LINK.replace("summer26", "winter26")
OTHER_APPID = "wx00000000000000ee"


async def settled(service: Service, jobs: Jobs, *reports: Json) -> list[Json]:
    """Report, settle, and return the list, the oldest first."""
    if reports:
        await report(service, *reports)
    await jobs.settle_arrivals()
    return await listed(service)


def attribution(item: Json) -> tuple[object, ...]:
    return tuple(item[name] for name in DOORS)


async def add_notice(connection: asyncpg.Connection, at: datetime, openid: str = OPENID) -> UUID:
    number = int(at.timestamp() * 1000) << 80 | 7 << 76 | 0b10 << 62
    made = UUID(int=number | uuid4().int & ((1 << 62) - 1))
    await connection.execute(NOTICE, made, uuid4(), APPID, openid, at)
    return made


async def add_menu(connection: asyncpg.Connection, at: datetime, *pages: str) -> str:
    mark = new_mark()
    await connection.execute(VERSION, uuid4(), APPID, mark, at)
    for number, page in enumerate(pages, 1):
        await connection.execute(BUTTON, APPID, f"1-{number}", page, at)
    return mark


@pytest.mark.parametrize("via", ["passive", "customer_service"])
async def test_the_ref_of_a_reply_leads_to_its_rule(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, via: str
) -> None:
    reply, ref = await replied(service, connection, via=via)
    (rule_id,) = await column(connection, "SELECT id FROM rules")
    (callback_id,) = await column(connection, "SELECT id FROM callbacks")

    (found,) = await settled(service, jobs, launch(service, query={"from": ref}))

    assert attribution(found) == ("ref", "reply", None)
    assert (found["ref"], found["account"]) == (ref, APPID)
    assert (found["reply_id"], found["rule_id"]) == (str(reply), rule_id)
    stored = await rows(connection, "SELECT callback_id, recipient, position FROM arrivals")
    assert stored == [{"callback_id": callback_id, "recipient": OPENID, "position": 1}]


async def test_the_card_that_a_worker_sends_carries_the_ref(
    service: Service, jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card(pagepath="pages/shop?a=1"))
    wechat.open_window()
    await service.push(message(service.clock))
    (callback,) = await column(connection, "SELECT id FROM callbacks")
    await jobs.deliver({"callback_id": str(callback)})
    page = wechat.sent()[0]["content"]["pagepath"]
    path, _, query = page.partition("?")

    (found,) = await settled(service, jobs, launch(service, path=path, query=query, scene=1074))

    assert attribution(found) == ("ref", "reply", None)


async def test_a_scan_that_a_reply_answers_leads_to_its_qr_code(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    code = await service.api(
        "POST",
        "qrcodes",
        json={"appid": APPID, "kind": "temporary", "scene": "store7", "name": "Store 7"},
    )
    assert code.status_code == 201, code.text
    await service.add_rule(
        {"msgtype": "text", "via": "passive", "content": "hello {ref}"},
        trigger={"on": "scan", "scene": "store7"},
    )
    await service.push(event(service.clock, "SCAN", EventKey="store7", Ticket="t"))
    (made,) = await column(connection, "SELECT passive_id FROM callbacks")

    (found,) = await settled(service, jobs, launch(service, ref=refs.of_reply(made)))

    assert found["qrcode_id"] == code.json()["id"]


async def test_notices_links_and_buttons_are_found_by_their_refs(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    now = service.clock.now()
    notice = await add_notice(connection, now)
    mark = await add_menu(connection, now, "pages/a", "pages/b")
    link = uuid4()
    await connection.execute(LINK, link, CARD_APPID, now)

    reports = {
        "notice": launch(service, query={"ref": refs.of_notice(notice)}, path="1"),
        "old notice": launch(service, query={"ref": str(notice)}, path="2"),
        "link": launch(service, query={"scene": refs.of_link(link)}, path="3"),
        "old link": launch(service, query={"from": "summer26.abcdefghijkl"}, path="4"),
        "button": launch(service, query={"ref": refs.of_button(mark, "1-2")}, path="5"),
        "old button": launch(service, query={"ref": f"{mark}.1-1"}, path="6"),
    }
    found = dict(zip(reports, await settled(service, jobs, *reports.values()), strict=True))

    assert {attribution(one)[0] for one in found.values()} == {"ref"}
    assert {found["notice"]["notice_id"], found["old notice"]["notice_id"]} == {str(notice)}
    assert {found["link"]["link_id"], found["old link"]["link_id"]} == {str(link)}
    assert (found["button"]["menu_number"], found["button"]["menu_position"]) == (3, "1-2")
    assert found["old button"]["menu_position"] == "1-1"
    assert await listed(service, ref=found["link"]["ref"]) == [found["link"]]


async def test_another_mini_program_can_not_report_visits_of_a_link(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    link, now = uuid4(), service.clock.now()
    await connection.execute(LINK, link, OTHER_APPID, now)
    await connection.execute(OWN_LINK, uuid4(), CARD_APPID, now)
    reports = [
        launch(service, query={"ref": refs.of_link(link)}),
        # Everybody knows the slug, and the rest of this form may be anything.
        launch(service, ref="summer26.abcdefghijkl", path="2"),
        launch(service, query={"a": "summer26.x", "b": "winter26.x"}, path="3"),
    ]
    await settled(service, jobs, *reports)
    service.clock.advance(timedelta(minutes=1))
    await settled(service, jobs)
    service.clock.advance(timedelta(minutes=10))
    found = await settled(service, jobs)

    assert [attribution(one) for one in found[:2]] == [("none", None, None)] * 2
    assert (found[2]["ref"], found[2]["link_id"] == str(link)) == ("winter26.x", False)


async def test_the_whole_id_that_earlier_releases_sent_is_still_read(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    reply, _ = await replied(service, connection)

    first, second = await settled(
        service,
        jobs,
        launch(service, query={"from": reply.hex}),
        launch(service, query=f"ref={reply}"),
    )

    assert first["reply_id"] == second["reply_id"] == str(reply)


async def test_what_was_sent_to_another_person_is_left_out(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    _, ref = await replied(service, connection)
    await wechat_names(service, OPENID, UNIONID)
    await people(service, (CARD_APPID, "oOTHER", "oSOMEBODY"), (CARD_APPID, MP_OPENID, UNIONID))

    own, other, forged, unknown = await settled(
        service,
        jobs,
        launch(service, ref=ref),
        launch(service, ref=ref, openid="oOTHER"),
        # What is known of a person counts more than what a report says.
        launch(service, ref=ref, openid="oOTHER", unionid=UNIONID, path="other"),
        launch(service, ref=ref, openid="oNEW"),
    )

    assert attribution(own) == ("ref", "reply", None)
    assert attribution(other) == attribution(forged) == ("ref", "reply", "forwarded")
    assert forged["unionid"] == "oSOMEBODY"
    assert attribution(unknown) == ("ref", "reply", None)


async def test_a_launch_that_is_left_out_gives_a_conversion_no_door(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    own, own_ref = await replied(service, connection, OTHER_OPENID)
    _, forwarded = await replied(service, connection)
    await wechat_names(service, OPENID, UNIONID)
    await people(service, (CARD_APPID, "oOTHER", "oSOMEBODY"))
    await settled(service, jobs, launch(service, ref=own_ref, openid="oOTHER"))
    service.clock.advance(timedelta(minutes=10))
    *_, left_out = await settled(service, jobs, launch(service, ref=forwarded, openid="oOTHER"))
    service.clock.advance(timedelta(minutes=1))

    *_, bought = await settled(service, jobs, conversion(service, openid="oOTHER"))

    assert left_out["left_out"] == "forwarded"
    assert (bought["basis"], bought["reply_id"]) == ("launch", str(own))


async def test_a_guessed_ref_is_looked_for_again_and_leads_nowhere(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    _, ref = await replied(service, connection)
    guessed = ref[:-1] + ("A" if ref[-1] != "A" else "B")

    (found,) = await settled(service, jobs, launch(service, ref=guessed, scene=1001))
    assert not found["settled"]
    for wait in (timedelta(minutes=1), timedelta(minutes=10)):
        service.clock.advance(wait)
        (found,) = await settled(service, jobs)

    assert attribution(found) == ("none", None, None)
    assert found["ref"] is None


async def test_a_reply_that_is_stored_after_the_report_is_found(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    reply, ref = await replied(service, connection)
    await connection.execute("UPDATE callbacks SET passive_id = NULL")
    (early,) = await settled(service, jobs, launch(service, ref=ref))
    assert not early["settled"]
    await connection.execute("UPDATE callbacks SET passive_id = $1", reply)
    service.clock.advance(timedelta(minutes=1))

    (found,) = await settled(service, jobs)

    assert attribution(found) == ("ref", "reply", None)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_launch_that_repeats_within_minutes_counts_once(
    service: Service, jobs: Jobs, order: tuple[int, ...], *, at_once: bool
) -> None:
    start = service.clock.now() - timedelta(hours=1)
    minutes = (0, 3, 9)
    same = [
        launch(service, at=(start + timedelta(minutes=minute)).isoformat(), query="a=1")
        for minute in minutes
    ]
    ordered = [same[place] for place in order]
    for part in [ordered] if at_once else [[one] for one in ordered]:
        found = await settled(service, jobs, *part)

    left_out = sorted(item["left_out"] or "" for item in found)
    assert left_out == ["", "", "repeat"]


async def test_other_people_pages_and_queries_are_no_repeats(service: Service, jobs: Jobs) -> None:
    found = await settled(
        service,
        jobs,
        launch(service),
        launch(service, openid="oOTHER"),
        launch(service, query="a=1"),
        launch(service, scene=1035),
        launch(service, openid=None),
        launch(service, openid=None),
    )

    assert {item["left_out"] for item in found} == {None}


async def test_the_crawler_counts_in_no_figure(service: Service, jobs: Jobs) -> None:
    (found,) = await settled(service, jobs, launch(service, scene=1129, ref="x" * 10))

    assert attribution(found) == ("none", None, "crawler")


@pytest.mark.parametrize(
    ("scene", "hours", "expected"),
    [
        (1082, 1, ("scene", "reply")),
        (1082, 50, ("scene", None)),
        (1074, 1, ("scene", None)),  # a text was sent, no card
        (1043, 1, ("scene", "notice")),
        (1107, 24 * 8, ("scene", None)),
        (1058, 1, ("scene", None)),
        (1001, 1, ("none", None)),
        (None, 1, ("none", None)),
    ],
)
async def test_without_a_ref_the_scene_and_the_last_send_are_weaker_evidence(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    scene: int | None,
    hours: int,
    expected: tuple[str, str | None],
) -> None:
    await replied(service, connection)
    await add_notice(connection, service.clock.now())
    await wechat_names(service, OPENID, UNIONID)
    await people(service, (CARD_APPID, MP_OPENID, UNIONID))
    service.clock.advance(timedelta(hours=hours))

    (found,) = await settled(service, jobs, launch(service, scene=scene))

    assert (found["basis"], found["door"]) == expected
    assert found["unionid"] == UNIONID
    assert (found["sent_at"] is None) == (expected[1] is None)


async def test_a_send_to_somebody_else_is_no_evidence(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await replied(service, connection, OTHER_OPENID)
    await wechat_names(service, OTHER_OPENID, "oSOMEBODY")
    await people(service, (CARD_APPID, MP_OPENID, UNIONID))

    (found,) = await settled(service, jobs, launch(service, scene=1082))

    assert (found["basis"], found["door"]) == ("scene", None)


@pytest.mark.parametrize(
    ("path", "position"), [("pages/a", "1-1"), ("/pages/b", None), ("pages/c", None)]
)
async def test_the_menu_of_the_referrer_is_the_door(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    path: str,
    position: str | None,
) -> None:
    pages = ("pages/a?x=1", "pages/b", "pages/b?y=2")
    await add_menu(connection, service.clock.now() - timedelta(days=1), *pages)

    named, unnamed = await settled(
        service,
        jobs,
        launch(service, scene=1035, path=path, referrer_appid=APPID),
        launch(service, scene=1035, path=path, openid="oOTHER"),
    )

    assert (named["basis"], named["door"], named["menu_number"]) == ("scene", "menu", 3)
    assert named["menu_position"] == position
    assert (unnamed["basis"], unnamed["door"]) == ("scene", None)


async def test_a_conversion_has_the_door_of_the_last_launch_unless_it_has_a_ref(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    first, first_ref = await replied(service, connection)
    second, second_ref = await replied(service, connection)
    await report(service, launch(service, ref=first_ref))
    service.clock.advance(timedelta(hours=1))
    await report(service, launch(service, ref=second_ref))
    service.clock.advance(timedelta(hours=1))
    await report(service, launch(service, scene=1001, path="pages/direct"))

    found = await settled(service, jobs, conversion(service), conversion(service, ref=first_ref))

    weak, exact = found[-2:]
    assert (weak["basis"], weak["reply_id"], weak["ref"]) == ("launch", str(second), None)
    assert (exact["basis"], exact["reply_id"]) == ("ref", str(first))


async def test_a_conversion_waits_for_its_launch_and_not_for_ever(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    reply, ref = await replied(service, connection)
    at = service.clock.now().isoformat()
    service.clock.advance(timedelta(minutes=1))
    lone = conversion(service, openid="oLONE")
    await settled(service, jobs, conversion(service), lone)
    assert {item["settled"] for item in await listed(service)} == {False}

    await report(service, launch(service, ref=ref, at=at))
    for wait in (1, 10, 60, 360):
        service.clock.advance(timedelta(minutes=wait))
        await jobs.settle_arrivals()

    late, never = await listed(service, kind="conversion")
    assert (late["basis"], late["reply_id"]) == ("launch", str(reply))
    assert (never["basis"], never["settled"]) == ("none", True)


async def test_positions_have_no_gap_when_eight_workers_settle(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.arrivals.settle.BATCH", 7)
    many = [launch(service, openid=f"o{number}") for number in range(100)]
    await report(service, *many)
    settler: Settler = jobs.settler

    await asyncio.gather(*(settler.settle() for _ in range(8)))

    positions = await column(connection, "SELECT position FROM arrivals ORDER BY position")
    assert positions == list(range(1, 101))
    assert await column(connection, "SELECT position FROM arrival_progress") == [100]
