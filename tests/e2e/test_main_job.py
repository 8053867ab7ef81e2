"""The main job: an encrypted text in, a mini-program card out."""

from app.refs import may_be_ref
from simulator.demo import ACCOUNT
from simulator.followers import unionid_of
from tests.e2e.peer import acknowledged, passive_text, person
from tests.e2e.stack import Stack
from tests.waiting import eventually

OPENID = person(0, "main")
FOLLOWER = person(1, "main")


async def test_a_text_is_answered_at_once_and_followed_by_the_card(stack: Stack) -> None:
    url = f"{stack.urls[0]}/callback/{{appid}}"
    pushed = await stack.peer.push(openid=OPENID, text="去商城逛逛", callback_url=url)
    await stack.settled("main")

    assert acknowledged(pushed)
    assert pushed["answer"]["encrypted"]
    assert passive_text(pushed) == "正在为您打开商城"
    assert [(line["via"], line["msgtype"]) for line in await stack.peer.chat(OPENID)] == [
        ("follower", "text"),
        ("passive", "text"),
        ("customer_service", "miniprogrampage"),
    ]
    card = (await stack.peer.chat(OPENID))[-1]["content"]
    assert card["appid"] == ACCOUNT.linked_mini_programs[0]
    page, _, ref = card["pagepath"].partition("&ref=")
    assert (card["title"], page) == ("商城", "pages/index?from=oa")
    assert may_be_ref(ref)
    await _the_rows_agree(stack)


async def _the_rows_agree(stack: Stack) -> None:
    callback = (await stack.tables.rows("SELECT * FROM callbacks WHERE openid = $1", OPENID))[0]
    (card,) = await stack.tables.rows("SELECT * FROM replies WHERE openid = $1", OPENID)
    rule_id = await stack.tables.value("SELECT id FROM rules WHERE name = 'Shop'")

    assert (callback["appid"], callback["openid"]) == (ACCOUNT.appid, OPENID)
    assert callback["rule_id"] == rule_id == card["rule_id"]
    assert (card["via"], card["msgtype"], card["status"]) == (
        "customer_service",
        "miniprogrampage",
        "sent",
    )
    assert card["callback_id"] == callback["id"]
    assert (callback["passive_msgtype"], callback["passive_rule_id"]) == ("text", None)


async def test_whoever_follows_becomes_one_person_by_unionid(stack: Stack) -> None:
    url = f"{stack.urls[1]}/callback/{{appid}}"
    await stack.peer.push(
        openid=FOLLOWER, event="subscribe", event_key="qrscene_store_0042", callback_url=url
    )
    unionid = unionid_of(FOLLOWER)

    async def is_keyed() -> bool:
        found = await stack.api("GET", f"follow-events?unionid={unionid}")
        return bool(found["items"])

    await eventually(is_keyed, "the follow event to be keyed by UnionID")
    event = (await stack.api("GET", f"follow-events?unionid={unionid}"))["items"][0]
    user = await stack.api("GET", f"users/{unionid}", web=1)
    assert (event["openid"], event["action"], event["scene"]) == (FOLLOWER, "follow", "store_0042")
    assert [one["openid"] for one in user["openids"]] == [FOLLOWER]
