"""What WeChat gets back: `success`, or the rule's passive reply in the push's own dress."""

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from app.callback import response
from app.settings import MessageMode
from app.wechat.crypto import Format
from simulator.accounts import Mode
from simulator.replies import Verdict
from tests.service import (
    ACCOUNT,
    APPID,
    CARD_APPID,
    OPENID,
    Json,
    Service,
    WorldClock,
    card,
    column,
    event,
    message,
    running,
    settings_for,
    text_reply,
)

LINK = (
    f'<a data-miniprogram-appid="{CARD_APPID}" data-miniprogram-path="pages/index" '
    'href="https://example.com/">open</a>'
)
ARTICLE = {
    "title": "New",
    "description": "What is new",
    "url": "https://example.com/a",
    "picurl": "https://example.com/a.png",
}
MEDIA = {"media_id": "MEDIA-1"}

# A passive reply as a rule names it, and the members that WeChat reads of it.
KINDS: dict[str, tuple[Json, Json]] = {
    "text": (text_reply("hello"), {"MsgType": "text", "Content": "hello"}),
    "link": (text_reply(LINK), {"MsgType": "text", "Content": LINK}),
    "cdata end": (text_reply("a ]]> b ]]]]>"), {"MsgType": "text", "Content": "a ]]> b ]]]]>"}),
    "image": (
        {"msgtype": "image", "via": "passive", "media": MEDIA},
        {"MsgType": "image", "Image": {"MediaId": "MEDIA-1"}},
    ),
    "voice": (
        {"msgtype": "voice", "via": "passive", "media": MEDIA},
        {"MsgType": "voice", "Voice": {"MediaId": "MEDIA-1"}},
    ),
    "video": (
        {"msgtype": "video", "via": "passive", "media": MEDIA, "title": "T"},
        {"MsgType": "video", "Video": {"MediaId": "MEDIA-1", "Title": "T"}},
    ),
    "music": (
        {"msgtype": "music", "via": "passive", "thumb": MEDIA, "musicurl": "https://e.com/m"},
        {
            "MsgType": "music",
            "Music": {"MusicUrl": "https://e.com/m", "ThumbMediaId": "MEDIA-1"},
        },
    ),
    "news": (
        {"msgtype": "news", "via": "passive", "articles": [ARTICLE]},
        {
            "MsgType": "news",
            "Articles": {
                "item": {
                    "Title": "New",
                    "Description": "What is new",
                    "PicUrl": "https://example.com/a.png",
                    "Url": "https://example.com/a",
                }
            },
        },
    ),
    "transfer": (
        {"msgtype": "transfer_customer_service", "via": "passive"},
        {"MsgType": "transfer_customer_service"},
    ),
    "transfer to one": (
        {"msgtype": "transfer_customer_service", "via": "passive", "kf_account": "a@b"},
        {"MsgType": "transfer_customer_service", "TransInfo": {"KfAccount": "a@b"}},
    ),
}


def unlisted(value: object) -> object:
    """JSON keeps a list of one where XML has a lone element."""
    match value:
        case [only]:
            return unlisted(only)
        case dict():
            return {name: unlisted(item) for name, item in value.items()}
    return value


@pytest.mark.parametrize("data_format", list(Format))
@pytest.mark.parametrize("mode", list(MessageMode))
async def test_each_passive_reply_reaches_wechat_in_the_mode_and_format_of_the_push(
    database_url: str, tmp_path: Path, clock: WorldClock, mode: MessageMode, data_format: Format
) -> None:
    account = ACCOUNT.model_copy(update={"mode": Mode(mode), "format": data_format})
    settings = settings_for(database_url, tmp_path, wechat_message_mode=mode)
    read: dict[str, Json] = {}
    async with running(settings, clock) as service:
        for name, (reply, _) in KINDS.items():
            trigger = {"on": "text", "match": "exact", "keyword": name}
            await service.add_rule(reply, trigger=trigger)
            answer = await service.answer(message(clock, name), account=account)
            assert (answer.verdict, answer.reason) == (Verdict.PASSIVE, None), name
            assert answer.encrypted == (mode is not MessageMode.PLAIN)
            read[name] = answer.reply

    assert {name: unlisted(reply) for name, reply in read.items()} == {
        name: {
            "ToUserName": OPENID,
            "FromUserName": ACCOUNT.original_id,
            "CreateTime": clock.seconds if data_format is Format.JSON else str(clock.seconds),
            **({"ArticleCount": articles_of(data_format)} if name == "news" else {}),
            **expected,
        }
        for name, (_, expected) in KINDS.items()
    }


def articles_of(data_format: Format) -> int | str:
    return 1 if data_format is Format.JSON else "1"


async def test_without_a_rule_the_answer_is_success(service: Service, clock: WorldClock) -> None:
    answer = await service.push(message(clock))

    assert (answer.status_code, answer.content) == (200, b"success")


async def test_a_rule_with_a_card_alone_is_answered_success(
    service: Service, clock: WorldClock
) -> None:
    await service.add_rule(card())

    assert (await service.push(message(clock))).content == b"success"


async def test_the_passive_reply_of_a_rule_is_given_wherever_it_stands(
    service: Service, clock: WorldClock
) -> None:
    await service.add_rule(card(), text_reply("hello"), card())

    assert (await service.answer(message(clock))).reply["Content"] == "hello"


async def test_an_event_is_never_transferred_to_customer_service(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    transfer = {"msgtype": "transfer_customer_service", "via": "passive"}
    await service.add_rule(transfer)
    await connection.execute("""UPDATE rules SET trigger = '{"on": "click", "key": "HELP"}'""")
    await service.app.state.rules.load_once()

    answer = await service.push(event(clock, "CLICK", EventKey="HELP"))

    assert answer.content == b"success"
    assert await column(connection, "SELECT passive FROM callbacks") == [None]


async def test_an_event_gets_every_article_and_a_message_one_of_a_rule_stored_long_ago(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    news = {"msgtype": "news", "via": "passive", "articles": [ARTICLE] * 3}
    typed_rule = await service.add_rule({**news, "articles": [ARTICLE]})
    tapped_rule = await service.add_rule(news, trigger={"on": "click", "key": "NEWS"})
    await connection.execute(
        "UPDATE rules SET replies = (SELECT replies FROM rules WHERE id = $2) WHERE id = $1",
        typed_rule,
        tapped_rule,
    )
    await service.app.state.rules.load_once()

    typed = await service.answer(message(clock))
    tapped = await service.answer(event(clock, "CLICK", EventKey="NEWS"))

    assert (typed.reply["ArticleCount"], tapped.reply["ArticleCount"]) == ("1", "3")


async def test_who_leaves_is_answered_by_nothing(service: Service, clock: WorldClock) -> None:
    await service.add_rule(text_reply("bye"), trigger={"on": "fallback"})

    assert (await service.push(event(clock, "unsubscribe"))).content == b"success"


@pytest.mark.parametrize(
    "document",
    [
        {"MsgType": "hologram", "MsgId": 1},
        {"MsgType": "event", "Event": "teleported", "EventKey": "x"},
        {"MsgType": "event"},
        {"MsgType": "event", "Event": "user_pay_from_pay_cell", "CardId": "c"},
    ],
    ids=["unknown type", "unknown event", "no event", "known by name"],
)
async def test_a_push_that_nobody_knows_is_kept_whole_and_acknowledged(
    service: Service, clock: WorldClock, connection: asyncpg.Connection, document: Json
) -> None:
    pushed = {
        "ToUserName": ACCOUNT.original_id,
        "FromUserName": OPENID,
        "CreateTime": clock.seconds,
        **document,
        "Strange": {"Nested": "值"},
    }

    answer = await service.push(pushed)

    (payload,) = await column(connection, "SELECT payload::text FROM callbacks")
    assert (answer.status_code, answer.content) == (200, b"success")
    assert '"Strange": {"Nested": "值"}' in payload
    assert f'"{next(iter(document.values()))}"' in payload


async def test_what_the_follower_typed_is_kept_even_where_xml_forbids_it(
    service: Service, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    answer = await service.push(message(clock, "a\x07b \x00c & <d> ]]> 😀"))

    assert answer.status_code == 200
    assert await column(connection, "SELECT payload->>'Content' FROM callbacks") == [
        "ab c & <d> ]]> 😀"
    ]


async def test_two_accounts_answer_by_their_own_rules(
    database_url: str, tmp_path: Path, clock: WorldClock
) -> None:
    other = ACCOUNT.model_copy(
        update={"appid": "wx00000000000000ff", "original_id": "gh_other", "token": "otherToken1"}
    )
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(
        f'[[account]]\nappid = "{other.appid}"\noriginal_id = "{other.original_id}"\n'
        f'token = "{other.token}"\nencoding_aes_key = "{other.encoding_aes_key}"\n'
    )
    settings = settings_for(database_url, tmp_path, accounts_file=accounts)
    async with running(settings, clock) as service:
        await service.add_rule(text_reply("first"), appid=APPID)
        await service.add_rule(text_reply("second"), appid=other.appid)
        to_other = message(clock, ToUserName=other.original_id)
        answers = await asyncio.gather(
            service.answer(message(clock)), service.answer(to_other, account=other)
        )

    assert [answer.reply["Content"] for answer in answers] == ["first", "second"]


async def test_a_reply_is_remembered_only_if_nothing_of_a_follower_is_in_it(
    service: Service, clock: WorldClock
) -> None:
    await service.add_rule(
        text_reply("hello {1}"), trigger={"on": "text", "match": "regex", "keyword": "^i am (.*)"}
    )
    await service.add_rule(
        text_reply("good day"), trigger={"on": "text", "match": "exact", "keyword": "hi"}
    )
    response._fixed_contents.cache_clear()

    told = await service.answer(message(clock, "i am Mallory"))
    assert (told.reply or {})["Content"] == "hello Mallory"
    assert response._fixed_contents.cache_info().currsize == 0

    for _ in range(2):
        clock.advance(timedelta(seconds=1))
        fixed = await service.answer(message(clock, "hi"))
        assert (fixed.reply or {})["Content"] == "good day"
    assert response._fixed_contents.cache_info()[:2] == (1, 1)
