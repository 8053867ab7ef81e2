"""The token calls, over HTTP."""

from tests.simulator.conftest import Simulator, credentials

HALF_A_MINUTE = 30
LIFETIME = 7200


async def ordinary_token(simulator: Simulator) -> str:
    token: str = (await simulator.get("/cgi-bin/token", **credentials()))["access_token"]
    return token


async def errcode_with(simulator: Simulator, token: str) -> int:
    answer = await simulator.get("/cgi-bin/getcallbackip", access_token=token)
    errcode: int = answer.get("errcode", 0)
    return errcode


async def test_a_stable_token_stays_the_same_with_less_life_left(simulator: Simulator) -> None:
    first = await simulator.post("/cgi-bin/stable_token", credentials())
    await simulator.advance(1000)
    second = await simulator.post("/cgi-bin/stable_token", credentials())

    assert first["access_token"] == second["access_token"]
    assert first["expires_in"] == LIFETIME
    assert second["expires_in"] in (LIFETIME - 1000, LIFETIME - 1001)


async def test_five_minutes_before_its_end_a_new_token_comes_and_both_work(
    simulator: Simulator,
) -> None:
    old = await simulator.stable_token()
    await simulator.advance(LIFETIME - 299)
    new = await simulator.stable_token()

    assert new != old
    assert [await errcode_with(simulator, token) for token in (old, new)] == [0, 0]
    await simulator.advance(300)
    assert [await errcode_with(simulator, token) for token in (old, new)] == [40001, 0]


async def test_force_refresh_kills_the_old_token_at_once(simulator: Simulator) -> None:
    old = await simulator.stable_token()
    new = await simulator.stable_token(force=True)

    assert [await errcode_with(simulator, token) for token in (old, new)] == [40001, 0]


async def test_forcing_twice_in_half_a_minute_changes_nothing(simulator: Simulator) -> None:
    first = await simulator.stable_token(force=True)

    assert await simulator.stable_token(force=True) == first
    await simulator.advance(HALF_A_MINUTE)
    assert await simulator.stable_token(force=True) != first


async def test_a_token_can_be_forced_twenty_times_a_day(simulator: Simulator) -> None:
    tokens = set()
    for _ in range(21):
        tokens.add(await simulator.stable_token(force=True))
        await simulator.advance(HALF_A_MINUTE)

    assert len(tokens) == 20


async def test_an_ordinary_token_replaces_the_one_before_after_five_minutes(
    simulator: Simulator,
) -> None:
    old, new = await ordinary_token(simulator), await ordinary_token(simulator)

    assert await errcode_with(simulator, old) == 0
    await simulator.advance(300)
    assert [await errcode_with(simulator, token) for token in (old, new)] == [40001, 0]


async def test_the_two_families_leave_each_other_alone(simulator: Simulator) -> None:
    stable = await simulator.stable_token()
    await ordinary_token(simulator)
    await simulator.advance(300)

    assert await errcode_with(simulator, stable) == 0


async def test_an_unused_token_runs_out(simulator: Simulator) -> None:
    token = await simulator.stable_token()
    await simulator.advance(LIFETIME)

    assert await errcode_with(simulator, token) == 42001


async def test_bad_tokens_are_told_apart(simulator: Simulator) -> None:
    well_formed = "81_" + "x" * 128

    assert (await simulator.get("/cgi-bin/getcallbackip"))["errcode"] == 41001
    assert await errcode_with(simulator, "nonsense") == 40014
    assert await errcode_with(simulator, well_formed) == 40001


async def test_each_mistake_in_a_token_call_has_its_code(simulator: Simulator) -> None:
    good = credentials()
    mistakes = {
        40002: good | {"grant_type": "password"},
        40013: good | {"appid": "wx0000000000000000"},
        40001: good | {"secret": good["secret"][::-1]},
        40125: good | {"secret": "short"},
        41002: good | {"appid": ""},
        41004: good | {"secret": ""},
    }
    for errcode, body in mistakes.items():
        assert (await simulator.post("/cgi-bin/stable_token", body))["errcode"] == errcode
        assert (await simulator.get("/cgi-bin/token", **body))["errcode"] == errcode
    assert (await simulator.get("/cgi-bin/stable_token"))["errcode"] == 43002


async def test_an_address_outside_the_whitelist_is_named_in_40164(simulator: Simulator) -> None:
    await simulator.change_account(ip_whitelist=["10.0.0.1"])

    answer = await simulator.post("/cgi-bin/stable_token", credentials())

    assert answer["errcode"] == 40164
    assert "127.0.0.1" in answer["errmsg"]


async def test_an_error_ends_in_a_rid(simulator: Simulator) -> None:
    answer = await simulator.get("/cgi-bin/getcallbackip")

    rid = answer["errmsg"].rpartition(" rid: ")[2]
    assert [len(part) for part in rid.split("-")] == [8, 8, 8]
