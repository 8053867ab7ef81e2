"""The user calls, over HTTP."""

from simulator.followers import unionid_of
from tests.simulator.conftest import APPID, OPENID, Json, Simulator

STRANGER = "oSTRANGERxBcDeFgHiJkLmNoPqRs"


async def add(simulator: Simulator, *followers: Json) -> None:
    await simulator.post("/_sim/followers", {"appid": APPID, "followers": list(followers)})


async def test_a_follower_of_a_bound_account_has_a_unionid(simulator: Simulator) -> None:
    await add(simulator, {"openid": STRANGER, "person": "Li"})

    profile = await simulator.read_api("user/info", openid=STRANGER)

    assert profile["subscribe"] == 1
    assert profile["unionid"] == unionid_of("Li")
    assert "errcode" not in profile


async def test_no_unionid_member_without_a_binding(simulator: Simulator) -> None:
    await simulator.change_account(bound=False)

    assert "unionid" not in await simulator.read_api("user/info", openid=OPENID)


async def test_someone_who_left_is_told_of_without_unionid_and_time(simulator: Simulator) -> None:
    await simulator.push(event="unsubscribe")

    profile = await simulator.read_api("user/info", openid=OPENID)

    assert profile["subscribe"] == 0
    assert not {"unionid", "subscribe_time"} & profile.keys()


async def test_a_scene_is_told_after_a_follow_by_qr_code(simulator: Simulator) -> None:
    await simulator.push(openid=STRANGER, event="subscribe", event_key="qrscene_store_0042")

    profile = await simulator.read_api("user/info", openid=STRANGER)

    assert profile["subscribe_scene"] == "ADD_SCENE_QR_CODE"
    assert profile["qr_scene_str"] == "store_0042"


async def test_an_unknown_openid_is_40003(simulator: Simulator) -> None:
    assert (await simulator.read_api("user/info", openid=STRANGER))["errcode"] == 40003


async def test_a_batch_mixes_followers_and_others_in_an_order_of_its_own(
    simulator: Simulator,
) -> None:
    await add(simulator, {"openid": "oA"}, {"openid": "oB", "following": False}, {"openid": "oC"})
    asked = [{"openid": openid, "lang": "zh_CN"} for openid in ("oA", "oB", "oC")]

    answer = await simulator.api("user/info/batchget", {"user_list": asked})

    found = {profile["openid"]: profile["subscribe"] for profile in answer["user_info_list"]}
    assert found == {"oA": 1, "oB": 0, "oC": 1}
    assert list(found) != ["oA", "oB", "oC"]


async def test_one_bad_openid_fails_the_batch(simulator: Simulator) -> None:
    asked = [{"openid": OPENID}, {"openid": STRANGER}]

    assert (await simulator.api("user/info/batchget", {"user_list": asked}))["errcode"] == 40003


async def test_a_batch_holds_a_hundred(simulator: Simulator) -> None:
    for size, errcode in ((100, 0), (101, 40032)):
        asked = [{"openid": OPENID}] * size
        answer = await simulator.api("user/info/batchget", {"user_list": asked})
        assert answer.get("errcode", 0) == errcode


async def test_followers_come_in_pages_of_ten_thousand(simulator: Simulator) -> None:
    await add(simulator, *({"openid": f"o{number:05}"} for number in range(10_000)))

    first = await simulator.read_api("user/get")
    second = await simulator.read_api("user/get", next_openid=first["next_openid"])
    last = await simulator.read_api("user/get", next_openid=second["next_openid"])

    assert (first["total"], first["count"], second["count"]) == (10_003, 10_000, 3)
    assert first["next_openid"] == first["data"]["openid"][-1]
    assert len({*first["data"]["openid"], *second["data"]["openid"]}) == 10_003
    assert last == {"total": 10_003, "count": 0, "next_openid": ""}


async def test_a_page_goes_on_after_someone_who_has_left_meanwhile(simulator: Simulator) -> None:
    page = (await simulator.read_api("user/get"))["data"]["openid"]
    await simulator.push(openid=page[0], event="unsubscribe")

    rest = await simulator.read_api("user/get", next_openid=page[0])

    assert rest["data"]["openid"] == page[1:]


async def test_the_ip_lists_have_entries(simulator: Simulator) -> None:
    for path in ("getcallbackip", "get_api_domain_ip"):
        assert (await simulator.read_api(path))["ip_list"]
