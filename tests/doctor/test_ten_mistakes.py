"""What goes wrong when an account is set up, and that the doctor names the fix of each."""

from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from app.db.engine import Database
from app.doctor.doctor import make_doctor
from app.doctor.finding import State, verdict
from app.replies.errors import TryLater
from app.worker import Jobs
from simulator.accounts import Account, Mode
from simulator.envelopes import new_stamp
from tests.doctor.findings import beat, examine, one, says
from tests.replies.makers import deliver, owed
from tests.service import (
    ACCOUNT,
    APPID,
    CARD_APPID,
    JPEG,
    Service,
    WeChat,
    WorldClock,
    card,
    jobs_of,
    message,
    running,
    settings_for,
)

OTHER_KEY = "A" * 42 + "E"


async def refused(service: Service, account: Account) -> None:
    """Push as an account with these values in WeChat's console; it is refused."""
    answer = await service.push(message(service.clock), account=account)
    assert answer.status_code in {400, 403}
    await service.app.state.refusals.store()


async def test_all_is_well_with_a_right_account(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await beat(connection)
    await owed(service, wechat, card())
    await jobs.check_doctor({})

    found = await examine(service)

    wrong = {name for name, one in found.items() if one["state"] in {"look", "fault"}}
    # The simulator is not WeChat, and the tests have no SECRET_KEY.
    assert wrong == {"settings", "secrets"}


async def test_a_wrong_appsecret(
    wechat: WeChat, clock: WorldClock, database: Database, database_url: str, tmp_path: Path
) -> None:
    settings = settings_for(database_url, tmp_path, wechat_appsecret="0" * 32)
    await jobs_of(settings, database, wechat).check_doctor({})

    async with running(settings, clock) as service:
        says((await examine(service))["access-token"], "fault", "AppSecret")


async def test_another_token_in_the_console(service: Service) -> None:
    await refused(service, ACCOUNT.model_copy(update={"token": "AnotherToken01"}))

    says((await examine(service))["refused-pushes"], "fault", "bad_signature", "WECHAT_TOKEN")


async def test_another_encodingaeskey_in_the_console(service: Service) -> None:
    await refused(service, ACCOUNT.model_copy(update={"encoding_aes_key": OTHER_KEY}))

    says((await examine(service))["refused-pushes"], "fault", "WECHAT_ENCODING_AES_KEY")


async def test_another_mode_in_the_console(service: Service) -> None:
    await refused(service, ACCOUNT.model_copy(update={"mode": Mode.PLAIN}))

    says((await examine(service))["refused-pushes"], "fault", "明文模式", "安全模式")


async def test_a_wrong_clock(service: Service) -> None:
    stamp = new_stamp(service.clock.now() - timedelta(hours=1))
    answer = await service.push(message(service.clock), stamp=stamp)
    assert answer.status_code == 403
    await service.app.state.refusals.store()

    says((await examine(service))["refused-pushes"], "fault", "outside_replay_window", "NTP")


async def test_an_address_that_is_not_in_the_whitelist(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    listed = ACCOUNT.model_copy(update={"ip_whitelist": ("203.0.113.9",)})
    wechat.state.accounts[APPID] = listed
    await jobs.check_doctor({})

    says((await examine(service))["access-token"], "fault", "127.0.0.1", "IP白名单")


async def test_a_forgotten_worker(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await owed(service, wechat, card())
    says((await examine(service))["worker"], "fault", "oa-bridge worker")

    await beat(connection, "4 minutes")

    found = (await examine(service))["worker"]
    says(found, "fault", "oa-bridge worker")
    assert found["what"] == {
        "en": "No worker has run for 4 minutes.",
        "zh": "已有 4 分钟 没有 worker 运行。",
    }


async def test_a_forgotten_migration(
    clock: WorldClock, connection: asyncpg.Connection, database: Database, tmp_path: Path
) -> None:
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    doctor = make_doctor(settings_for(database.url, tmp_path), database, clock)

    findings = await doctor.findings()

    schema = one(findings, "schema")
    assert schema.state is State.FAULT
    assert schema.fix is not None
    assert "oa-bridge migrate" in schema.fix.en
    assert "oa-bridge migrate" in schema.fix.zh
    assert verdict(findings) is State.FAULT
    assert one(findings, "worker").state is State.NOT_APPLICABLE


async def test_a_missing_picture(service: Service, wechat: WeChat) -> None:
    await owed(service, wechat, card())
    picture = service.settings.media_path / "shop.jpg"
    picture.unlink()

    says((await examine(service))["pictures"], "fault", "shop.jpg", "MEDIA_DIR")

    picture.write_bytes(JPEG[:-10])
    damaged = (await examine(service))["pictures"]
    says(damaged, "fault", "shop.jpg", "MEDIA_DIR")
    assert damaged["what"]["en"].endswith("names shop.jpg, which is cut off or damaged.")
    assert damaged["what"]["zh"].endswith("引用的 shop.jpg 不完整或已损坏。")
    assert damaged["fix"]["zh"].endswith("请重新保存。")

    picture.write_bytes(JPEG)
    assert (await examine(service))["pictures"]["state"] == "ok"


async def test_a_mini_program_that_is_not_linked(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update={"linked_mini_programs": ()})
    with pytest.raises(TryLater):
        await deliver(jobs, await owed(service, wechat, card()))
    await jobs.tokens.problems.store()

    says((await examine(service))["mini-program-cards"], "fault", CARD_APPID, "40166", "小程序管理")

    wechat.state.accounts[APPID] = ACCOUNT
    service.clock.advance(timedelta(seconds=61))
    await deliver(jobs, await owed(service, wechat, card()))
    await jobs.tokens.problems.store()
    assert (await examine(service))["mini-program-cards"]["state"] == "ok"
