"""Customer-service messages, over HTTP."""

import pytest

from tests.simulator.conftest import APPID, OPENID, Json, Simulator

TEXT = {"content": "你好"}
MINI_PROGRAM = "wx0123456789abcdef"
TWO_DAYS = 48 * 3600


async def card(simulator: Simulator, **changes: object) -> Json:
    media_id = (await simulator.upload())["media_id"]
    whole = {"appid": MINI_PROGRAM, "pagepath": "pages/index?from=oa", "title": "商城"}
    return whole | {"thumb_media_id": media_id} | changes


async def sends(simulator: Simulator, count: int) -> list[int]:
    return [await simulator.send("text", TEXT) for _ in range(count)]


async def test_a_card_reaches_the_chat_with_its_fields(simulator: Simulator) -> None:
    await simulator.push(text="商城")
    content = await card(simulator)

    assert await simulator.send("miniprogrampage", content) == 0

    shown = (await simulator.inbox())[-1]
    assert (shown["via"], shown["msgtype"]) == ("customer_service", "miniprogrampage")
    assert shown["content"] == content


async def test_a_message_allows_five_sends(simulator: Simulator) -> None:
    await simulator.push(text="hi")

    assert await sends(simulator, 6) == [0] * 5 + [45047]


async def test_a_message_window_lasts_two_days(simulator: Simulator) -> None:
    await simulator.push(text="hi")
    await simulator.advance(TWO_DAYS - 10)
    assert await sends(simulator, 1) == [0]

    await simulator.advance(10)
    assert await sends(simulator, 1) == [45015]


@pytest.mark.parametrize(
    "action",
    [
        {"event": "CLICK", "event_key": "MENU_HELP"},
        {"event": "subscribe"},
        {"event": "SCAN", "event_key": "store_0042"},
        {"event": "scancode_waitmsg", "event_key": "k"},
        {"text": "满意", "fields": {"bizmsgmenuid": "101"}},
    ],
)
async def test_a_tap_a_follow_and_a_scan_allow_three_sends_in_a_minute(
    simulator: Simulator, action: Json
) -> None:
    await simulator.push(**action)
    assert await sends(simulator, 4) == [0, 0, 0, 45047]

    await simulator.push(**action)
    await simulator.advance(60)
    assert await sends(simulator, 1) == [45015]


@pytest.mark.parametrize("event", ["VIEW", "view_miniprogram", "TEMPLATESENDJOBFINISH"])
async def test_other_events_allow_nothing(simulator: Simulator, event: str) -> None:
    await simulator.push(event=event, event_key="https://example.com")

    assert await sends(simulator, 1) == [45015]


async def test_the_window_that_ends_first_is_charged_first(simulator: Simulator) -> None:
    await simulator.push(text="hi")
    await simulator.push(event="CLICK", event_key="MENU_HELP")

    assert await sends(simulator, 8) == [0] * 8
    windows = [line["window"] for line in await simulator.inbox() if "window" in line]
    assert windows == ["menu"] * 3 + ["message"] * 5


async def test_nothing_reaches_who_left_or_never_came(simulator: Simulator) -> None:
    await simulator.push(text="hi")
    await simulator.push(event="unsubscribe")
    never = {"openid": "oNEVER", "following": False}
    await simulator.post("/_sim/followers", {"appid": APPID, "followers": [never]})

    assert await simulator.send("text", TEXT) == 45015
    assert await simulator.send("text", TEXT, "oNEVER") == 43004
    assert await simulator.send("text", TEXT, "oUNKNOWN") == 40003


@pytest.mark.parametrize(
    ("change", "errcode"),
    [
        ({"appid": "wxffffffffffffffff"}, 40166),
        ({"pagepath": "/pages/index"}, 40165),
        ({"pagepath": "pages/gone"}, 40165),
        ({"thumb_media_id": "unknown"}, 40007),
        ({"thumb_media_id": ""}, 41006),
        ({"title": ""}, 47001),
    ],
)
async def test_a_wrong_card_is_refused(simulator: Simulator, change: Json, errcode: int) -> None:
    await simulator.change_account(mini_program_pages={MINI_PROGRAM: ["pages/index"]})
    await simulator.push(text="hi")

    assert await simulator.send("miniprogrampage", await card(simulator, **change)) == errcode
    assert await simulator.send("miniprogrampage", await card(simulator)) == 0


async def test_a_leading_slash_is_no_page_of_any_mini_program(simulator: Simulator) -> None:
    await simulator.push(text="hi")

    content = await card(simulator, pagepath="/pages/index")

    assert await simulator.send("miniprogrampage", content) == 40165


async def test_what_someone_does_after_leaving_opens_nothing(simulator: Simulator) -> None:
    await simulator.push(event="unsubscribe")
    await simulator.push(text="hi")
    await simulator.push(event="subscribe")

    assert await sends(simulator, 4) == [0, 0, 0, 45047]


async def test_a_card_needs_a_picture_for_its_thumb(simulator: Simulator) -> None:
    await simulator.push(text="hi")
    voice = (await simulator.upload("voice", b"sound"))["media_id"]

    content = await card(simulator, thumb_media_id=voice)

    assert await simulator.send("miniprogrampage", content) == 40004


@pytest.mark.parametrize(
    ("msgtype", "content", "errcode"),
    [
        ("text", {"content": "é" * 1025}, 45002),
        ("text", {"content": ""}, 44004),
        ("news", {"articles": [{"title": "a"}, {"title": "b"}]}, 45008),
        ("news", {"articles": []}, 44003),
        ("postcard", {"content": "x"}, 40008),
    ],
)
async def test_a_wrong_message_is_refused_and_costs_nothing(
    simulator: Simulator, msgtype: str, content: Json, errcode: int
) -> None:
    await simulator.push(text="hi")

    assert await simulator.send(msgtype, content) == errcode
    assert await sends(simulator, 5) == [0] * 5


async def test_a_body_that_is_no_json_is_47001(simulator: Simulator) -> None:
    answer = await simulator.http.post(
        f"/cgi-bin/message/custom/send?access_token={await simulator.stable_token()}",
        content=b"{not json",
    )

    assert answer.json()["errcode"] == 47001


async def test_escaped_text_is_shown_with_its_escapes(simulator: Simulator) -> None:
    await simulator.push(text="hi")
    raw = rb'{"touser":"%s","msgtype":"text","text":{"content":"\u4f60 \\u \"q\""}}'

    await simulator.http.post(
        f"/cgi-bin/message/custom/send?access_token={await simulator.stable_token()}",
        content=raw.replace(b"%s", OPENID.encode()),
    )

    assert (await simulator.inbox())[-1]["content"]["content"] == r"\u4f60 \u " '"q"'


async def test_typing_needs_a_fresh_exchange_and_ends_with_a_message(
    simulator: Simulator,
) -> None:
    async def typing(command: str) -> int:
        body = {"touser": OPENID, "command": command}
        errcode: int = (await simulator.api("message/custom/typing", body))["errcode"]
        return errcode

    assert await typing("Typing") == 45080
    await simulator.push(text="hi")
    assert [await typing("Typing"), await typing("Typing")] == [0, 45081]
    assert await typing("Dancing") == 45072
    await sends(simulator, 1)
    assert [await typing("Typing"), await typing("CancelTyping")] == [0, 0]
    await simulator.advance(31)
    assert await typing("Typing") == 45080
