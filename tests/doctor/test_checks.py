"""Each check says what it should of the facts that it is given."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from app.callback.spool import SpoolStatus
from app.campaigns.pools import Pool
from app.datacube.compare import Pair
from app.db import diagnosis
from app.doctor.checks.api import address_in
from app.doctor.checks.refusal_causes import CAUSES, cause_of
from app.doctor.checks.registry import CHECKS, judge
from app.doctor.facts import (
    Facts,
    Local,
    Probe,
    Pushes,
    Refusal,
    RefusedPushes,
    RulesReport,
    SentCards,
    Shared,
    Tokens,
)
from app.doctor.finding import Both, Finding, State, fault, look, not_applicable, ok, verdict
from app.doctor.gather import SLOW
from app.doctor.words import database_fault, duration
from app.ops.database_state import Snapshot, TokenTimes, WebhookState, WorkerState
from app.ops.stored_secrets import StoredSecrets
from app.settings import Settings
from app.wechat_client.quota_store import QuotaUse
from tests.docs.code import refusals
from tests.docs.pages import LANGUAGES, page
from tests.service import APPID, CARD_APPID, settings_for

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RUNNING = Snapshot(workers=WorkerState(1, 0.0), tokens={APPID: TokenTimes(60, 7000)})
MIB = 1024 * 1024
SEND = "message/custom/send"
CHINESE = re.compile(r"[\u4e00-\u9fff]")

Change = Callable[[Facts], Facts]


def settings(folder: Path, **changes: object) -> Settings:
    good: dict[str, object] = {
        "secret_key": "a-secret-key-of-the-tests",
        "wechat_api_base_url": "https://api.weixin.qq.com",
    }
    url = str(changes.pop("database_url", "postgresql://db/oa?host=/var/run/postgresql"))
    return settings_for(url, folder, **good | changes)


def probed(**results: Mapping[str, Any]) -> dict[tuple[str, str], Probe]:
    return {(APPID, name): Probe(NOW, result) for name, result in results.items()}


WELL = probed(
    callback_check={"addresses": ["203.0.113.7"]},
    menu={"open": True, "buttons": 2},
    console_replies={"rules": 0},
) | {
    ("", "rule_hits"): Probe(NOW, {"unhit": []}),
    ("", "clock"): Probe(NOW, {"database": 0.1, "wechat": 0.2}),
}


@pytest.fixture
def well(tmp_path: Path) -> Facts:
    """Facts with which all is well."""
    shared = Shared(
        server_version=180001,
        snapshot=RUNNING,
        secrets=StoredSecrets(0, ()),
        pushes={APPID: Pushes(NOW - timedelta(minutes=3), 180.0, 100)},
        unionids={APPID: {"resolved": 99, "no_answer": 1}},
        rules=RulesReport(count=3, by_account={None: 3}),
        probes=WELL,
        quotas=[QuotaUse(APPID, SEND, calls=1, used=79, daily_limit=100, counted=79, asked_at=NOW)],
    )
    local = Local(SpoolStatus(True, 0, 100), 2048 * MIB, {"database": 0.0})
    return Facts(NOW, settings(tmp_path), local, schema=("1", "1"), shared=shared)


def shared_of(facts: Facts) -> Shared:
    assert facts.shared is not None
    return facts.shared


def shared(**changes: Any) -> Change:  # noqa: ANN401 - fields of Shared
    return lambda facts: replace(
        facts, shared=replace(facts.shared or pytest.fail("no facts"), **changes)
    )


def pool(left: int) -> Pool:
    return Pool(UUID(int=1), "Summer", left, 100)


def with_quota(used: int) -> Change:
    return shared(quotas=[QuotaUse(APPID, SEND, calls=used, used=used, daily_limit=100)])


def with_probe(probe: str, result: Mapping[str, Any], appid: str = APPID) -> Change:
    return shared(probes=WELL | {(appid, probe): Probe(NOW, result)})


def local(**changes: Any) -> Change:  # noqa: ANN401 - fields of Local
    return lambda facts: replace(facts, local=replace(facts.local or Local(), **changes))


def configured(**changes: object) -> Change:
    def change(facts: Facts) -> Facts:
        return replace(facts, settings=settings(facts.settings.data_dir, **changes))

    return change


def embedded(facts: Facts) -> Facts:
    """Return facts of a process for which the service has started the embedded Postgres."""
    folder = quote(str(facts.settings.data_dir.absolute() / "postgres"), safe="")
    return configured(database_url=f"postgresql://postgres:@/postgres?host={folder}")(facts)


def refusal(api: str, errcode: int | None, errmsg: str = "no") -> Change:
    return shared(refusals=[Refusal(APPID, api, errcode, errmsg, "rid-1", NOW - HOUR, NOW)])


def outage(lasts: timedelta) -> Change:
    """Return facts in which the calls of an API wait, since they have got no answer for a time."""
    found = Refusal(APPID, SEND, None, "no", None, NOW - lasts, NOW, probe_at=NOW)
    return shared(refusals=[found])


def differing(theirs: int, ours: int) -> Change:
    """Return facts in which WeChat and the service have counted so many messages."""
    return shared(figures={APPID: {"messages": [Pair(NOW.date(), theirs, ours)]}})


def refused(reason: str, count: int = 5, appid: str = APPID, **pushes: Any) -> Change:  # noqa: ANN401
    accepted = {APPID: Pushes(**pushes)} if pushes else {}
    found = [RefusedPushes(appid, reason, count, NOW)]
    return shared(refused_pushes=found, pushes=accepted)


CARD = SentCards(APPID, 40166, CARD_APPID, 2, NOW - HOUR, NOW - HOUR)
ARRIVED = replace(CARD, errcode=None, last_at=NOW)
LONG_AGO = NOW - timedelta(days=3)

CASES: list[tuple[str, State, str, Change]] = [
    ("settings", State.LOOK, "WECHAT_API_BASE_URL", configured(wechat_api_base_url="http://sim")),
    ("account", State.LOOK, "AppSecret", configured(wechat_appsecret=None)),
    ("account", State.LOOK, "安全模式", configured(wechat_message_mode="plain")),
    ("admin-tokens", State.LOOK, "openssl", configured(admin_tokens="")),
    ("admin-tokens", State.LOOK, "openssl", configured(admin_tokens="ab" * 20)),
    (
        "admin-tokens",
        State.LOOK,
        "rules:write",
        shared(tokens=Tokens(True, {"crm": ["rules:write"]})),
    ),
    ("embedded-postgres", State.LOOK, "DATABASE_URL", configured(database_url="")),
    ("embedded-postgres", State.LOOK, "DATABASE_URL", embedded),
    ("secrets", State.LOOK, "SECRET_KEY", configured(secret_key=None)),
    ("secrets", State.LOOK, "rewrite", shared(secrets=StoredSecrets(2, ()))),
    ("secrets", State.FAULT, "SECRET_KEY", shared(secrets=StoredSecrets(0, ("a webhook",)))),
    ("disk", State.LOOK, "MiB", local(free_bytes=500 * MIB)),
    ("disk", State.FAULT, "MiB", local(free_bytes=50 * MIB)),
    ("spool", State.LOOK, "3", local(spool=SpoolStatus(True, 3, 100))),
    ("spool", State.LOOK, "inbox.spooled", local(spool=SpoolStatus(True, 0, 100, 2))),
    ("spool", State.FAULT, "DATA_DIR", local(spool=SpoolStatus(True, 100, 100))),
    ("database", State.FAULT, "15", shared(server_version=140002)),
    ("schema", State.FAULT, "migrate", lambda f: replace(f, schema=("1", "2"), is_behind=True)),
    ("schema", State.FAULT, "migrate", lambda f: replace(f, schema=(None, "2"), is_behind=True)),
    ("schema", State.LOOK, "restart", lambda f: replace(f, schema=("3", "2"))),
    ("clock", State.LOOK, "NTP", local(clock={"database": -7.0})),
    ("clock", State.FAULT, "NTP", local(clock={"database": -700.0, "wechat": 0.0})),
    ("worker", State.LOOK, "worker", shared(snapshot=replace(RUNNING, workers=WorkerState(0, 60)))),
    (
        "worker",
        State.FAULT,
        "5 min",
        shared(snapshot=replace(RUNNING, workers=WorkerState(0, 300))),
    ),
    ("worker", State.FAULT, "ever", shared(snapshot=replace(RUNNING, workers=WorkerState()))),
    ("queue", State.LOOK, "a.b", shared(snapshot=replace(RUNNING, queue_ages={"a.b": 400}))),
    ("queue", State.FAULT, "a.b", shared(snapshot=replace(RUNNING, queue_ages={"a.b": 4000}))),
    ("access-token", State.LOOK, "worker", shared(snapshot=replace(RUNNING, tokens={}))),
    ("access-token", State.FAULT, "AppSecret", refusal("stable_token", 40125)),
    ("access-token", State.FAULT, "AppSecret", refusal("stable_token", 40001)),
    ("access-token", State.FAULT, "AppID", refusal("stable_token", 40013)),
    ("access-token", State.FAULT, "frozen", refusal("stable_token", 40243)),
    ("access-token", State.FAULT, "443", refusal("stable_token", None)),
    (
        "access-token",
        State.FAULT,
        "203.0.113.9",
        refusal("stable_token", 40164, "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in"),
    ),
    ("api-refusals", State.FAULT, "user/info", refusal("user/info", 48001)),
    ("api-refusals", State.LOOK, "45009", refusal("user/info", 45009)),
    ("api-refusals", State.LOOK, "user/info", refusal("user/info", None)),
    ("api-refusals", State.LOOK, "calls wait", outage(timedelta(seconds=59))),
    ("api-refusals", State.FAULT, "calls wait", outage(timedelta(minutes=1))),
    ("api-quota", State.LOOK, "80 of 100", with_quota(80)),
    ("api-quota", State.FAULT, "oa-bridge quota clear", with_quota(100)),
    (
        "callback-url",
        State.FAULT,
        f"/callback/{APPID}",
        with_probe("callback_check", {"error": "no", "errcode": 40201}),
    ),
    ("wechat-figures", State.LOOK, "pushes are being lost", differing(1000, 979)),
    ("wechat-figures", State.LOOK, "oa-bridge followers sync", differing(1, 0)),
    ("wechat-figures", State.LOOK, "Token", differing(1000, 1021)),
    ("api-refusals", State.LOOK, "getusersummary", refusal("datacube/getusersummary", -1)),
    ("campaign-codes", State.LOOK, "Summer: 7.", shared(pools=[pool(7)])),
    ("campaign-codes", State.FAULT, "Import or draw", shared(pools=[pool(0)])),
    ("permanent-qrcodes", State.LOOK, "80,000", shared(permanent_qrcodes={APPID: 80_000})),
    (
        "permanent-qrcodes",
        State.FAULT,
        "temporary ones",
        shared(permanent_qrcodes={APPID: 100_000}),
    ),
    ("callback-url", State.FAULT, "DNS", with_probe("callback_check", {"addresses": []})),
    (
        "callback-url",
        State.LOOK,
        "48001",
        with_probe("callback_check", {"error": "no", "errcode": 48001}),
    ),
    ("last-push", State.LOOK, "服务器配置", shared(pushes={})),
    ("last-push", State.LOOK, "2 hours", shared(pushes={APPID: Pushes(NOW - 2 * HOUR, 180.0)})),
    ("refused-pushes", State.FAULT, "WECHAT_TOKEN", refused("bad_signature")),
    ("refused-pushes", State.FAULT, "EncodingAESKey", refused("bad_padding")),
    ("refused-pushes", State.FAULT, "EncodingAESKey", refused("appid_mismatch")),
    ("refused-pushes", State.FAULT, "明文模式", refused("not_encrypted")),
    ("refused-pushes", State.FAULT, "NTP", refused("outside_replay_window")),
    ("refused-pushes", State.FAULT, "Token", refused("bad_signature", last=LONG_AGO)),
    ("refused-pushes", State.FAULT, "Token", refused("bad_signature", last=NOW - HOUR, today=9)),
    ("refused-pushes", State.LOOK, "Token", refused("bad_signature", last=NOW, today=40)),
    ("refused-pushes", State.LOOK, "/callback/", refused("unknown_appid", appid="")),
    ("refused-pushes", State.LOOK, "WEB_PROCESSES", refused("overloaded", appid="")),
    ("customer-service", State.FAULT, "48001", refusal("message/custom/send", 48001)),
    ("mini-program-cards", State.FAULT, CARD_APPID, shared(sent=[CARD])),
    ("mini-program-cards", State.FAULT, "40165", shared(sent=[replace(CARD, errcode=40165)])),
    ("unionids", State.LOOK, "30", shared(unionids={APPID: {"resolved": 70, "no_answer": 30}})),
    ("rules", State.FAULT, "7", shared(rules=RulesReport(left_out=[7]))),
    ("rules", State.LOOK, "8", shared(rules=RulesReport(unreachable=[8]))),
    ("rules", State.LOOK, "wxa", shared(rules=RulesReport(unknown_mini_programs={9: "wxa"}))),
    ("rule-hits", State.LOOK, "4", with_probe("rule_hits", {"unhit": [4]}, "")),
    (
        "media-expiry",
        State.LOOK,
        "5",
        shared(rules=RulesReport(media_ids={5: ["m"]}), expiring={"m": NOW + HOUR}),
    ),
    (
        "console-replies",
        State.LOOK,
        "--from-wechat",
        shared(probes=WELL | probed(console_replies={"rules": 4}), rules=RulesReport()),
    ),
    ("console-menu", State.LOOK, "page Menus", with_probe("menu", {"open": False, "buttons": 0})),
    (
        "webhooks",
        State.FAULT,
        "w1",
        shared(snapshot=replace(RUNNING, webhooks={"w1": WebhookState("disabled", 0, 0)})),
    ),
    (
        "webhooks",
        State.LOOK,
        "20 min",
        shared(snapshot=replace(RUNNING, webhooks={"w1": WebhookState("enabled", 5, 1200)})),
    ),
    ("retention", State.FAULT, "worker", shared(overdue_content=LONG_AGO)),
    ("erasures", State.FAULT, "privacy.erase", shared(overdue_erasure=LONG_AGO)),
    ("erasures", State.LOOK, "needs_person", shared(snapshot=replace(RUNNING, unidentified=1))),
    ("public-url", State.FAULT, "HTTP 502", lambda f: public_url(f, {"status": 502})),
    ("public-url", State.FAULT, "TLS", lambda f: public_url(f, {"error": "tls_failed"})),
]


def public_url(facts: Facts, result: Mapping[str, Any]) -> Facts:
    return with_probe("public_url", result)(configured(public_url="https://oa.example.com")(facts))


def worst(findings: list[Finding], check: str) -> Finding:
    order = [State.FAULT, State.LOOK, State.OK, State.NOT_APPLICABLE]
    found = [finding for finding in findings if finding.check == check]
    return min(found, key=lambda finding: order.index(finding.state))


def test_all_is_well_with_good_facts(well: Facts) -> None:
    found = judge(well)

    assert verdict(found) is State.OK
    assert {finding.check for finding in found} == CHECKS.keys()
    assert not [finding.check for finding in found if finding.fix is not None]


@pytest.mark.parametrize(
    ("check", "state", "said", "change"), CASES, ids=[f"{c[0]}-{c[1]}-{c[2]}" for c in CASES]
)
def test_a_check_finds_it_and_says_what_to_do(
    well: Facts, check: str, state: State, said: str, change: Change
) -> None:
    findings = judge(change(well))
    found = worst(findings, check)

    assert found.state is state
    assert found.fix is not None
    assert said in f"{found.what.en} {found.fix.en}"
    # One sentence each, with Chinese where Chinese is asked for.
    assert CHINESE.search(found.what.zh)
    assert CHINESE.search(found.fix.zh)
    assert not [one for one in findings if one.fix is not None and one.state is State.OK]


def test_every_check_can_find_something() -> None:
    assert CHECKS.keys() - {case[0] for case in CASES} == {"pictures"}


def test_refusals_of_strangers_are_no_finding(well: Facts) -> None:
    change = refused("bad_signature", 5, last=NOW, today=1000)

    assert worst(judge(change(well)), "refused-pushes").state is State.OK


@pytest.mark.parametrize(
    ("pause", "state"), [(timedelta(minutes=3), State.OK), (timedelta(seconds=30), State.LOOK)]
)
def test_a_cause_is_over_once_good_pushes_came_for_a_while(
    well: Facts, pause: timedelta, state: State
) -> None:
    change = refused("bad_signature", 5, last=NOW + pause, today=6)

    assert worst(judge(change(well)), "refused-pushes").state is state


def test_the_cause_of_now_is_told_in_place_of_one_that_is_over(well: Facts) -> None:
    over = RefusedPushes(APPID, "bad_padding", 50, NOW - 2 * HOUR)
    other = RefusedPushes(APPID, "appid_mismatch", 50, NOW - timedelta(minutes=30))
    present = RefusedPushes(APPID, "not_encrypted", 1, NOW)
    pushes = {APPID: Pushes(NOW - HOUR, 60.0, 9)}
    change = shared(refused_pushes=[over, other, present], pushes=pushes)

    found = worst(judge(change(well)), "refused-pushes")

    assert found.state is State.FAULT
    assert "明文模式" in found.what.zh


def test_a_card_that_arrived_since_ends_the_finding(well: Facts) -> None:
    found = worst(judge(shared(sent=[CARD, ARRIVED])(well)), "mini-program-cards")

    assert found.state is State.OK


def test_an_account_without_an_open_platform_account_is_well(well: Facts) -> None:
    change = shared(unionids={APPID: {"not_bound": 50, "not_following": 3}})

    assert worst(judge(change(well)), "unionids").state is State.OK


def test_without_the_database_the_rest_says_so(well: Facts) -> None:
    found = judge(replace(well, shared=None, schema=None, database_fault="it is away: start it"))

    assert worst(found, "database").what.en == "It is away: start it."
    assert worst(found, "worker").state is State.NOT_APPLICABLE
    assert {one.check for one in found} == CHECKS.keys()


def test_a_worker_leaves_out_what_is_about_another_machine(well: Facts) -> None:
    found = {finding.check for finding in judge(replace(well, local=None))}

    assert CHECKS.keys() - found == {"spool", "disk"}


def test_what_nobody_has_asked_is_not_judged(well: Facts) -> None:
    found = judge(shared(probes={})(well))

    assert verdict(found) is State.OK
    assert worst(found, "callback-url").state is State.NOT_APPLICABLE


def test_every_reason_of_a_refusal_has_a_cause() -> None:
    general = {"malformed", "malformed_query", "repeated_parameter", "bad_utf8", "forbidden_dtd"}

    assert refusals() - CAUSES.keys() == {*general, "bad_method", "beaten"}
    assert cause_of("malformed").rank == 0


@pytest.mark.parametrize(
    ("errmsg", "address"),
    [
        ("invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist", "1.2.3.4"),
        ("invalid ip 2001:db8::1, not in whitelist rid: 6b0ab32c-44380719", "2001:db8::1"),
        ("invalid ip 999.2.3.4", None),
        ("rid: 6b0ab32c-44380719-c9db60c2", None),
        ("", None),
    ],
)
def test_the_address_is_read_out_of_the_errmsg(errmsg: str, address: str | None) -> None:
    assert address_in(errmsg) == address


def test_every_sentence_about_the_database_is_known_in_chinese() -> None:
    english = {*diagnosis._BY_STATE.values(), *(said for _, said in diagnosis._BY_TYPE), SLOW}

    told = {said: database_fault(said).zh for said in english}

    assert not {said for said, zh in told.items() if said in zh}


def test_the_verdict_is_the_worst_state() -> None:
    some = Both("a", "b")
    rising = [
        *(not_applicable("a", some), ok("a", some)),
        *(look("a", some, some), fault("a", some, some)),
    ]

    assert [verdict(rising[:n]) for n in range(5)] == [
        *[State.OK] * 3,
        State.LOOK,
        State.FAULT,
    ]


def test_durations_are_told_in_their_largest_unit() -> None:
    told = [duration(seconds).en for seconds in (0, 1, 119, 120, 7199, 7200, 172800)]

    assert told == [
        *("0 seconds", "1 second", "119 seconds", "2 minutes", "120 minutes"),
        *("2 hours", "2 days"),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_check_has_its_section_in_the_documentation(language: str) -> None:
    headings = re.findall(r"^## (.+)$", page(language, "doctor.md"), re.MULTILINE)

    assert headings == list(CHECKS)


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        (differing(1000, 980), State.OK, "2%"),
        (differing(0, 0), State.OK, "2%"),
        (shared(figures={APPID: {}}), State.NOT_APPLICABLE, "no day yet"),
        (shared(figures={}), State.NOT_APPLICABLE, "AppSecret"),
    ],
)
def test_figures_may_differ_a_little_or_not_be_there(
    well: Facts, change: Change, state: State, words: str
) -> None:
    (found,) = [one for one in judge(change(well)) if one.check == "wechat-figures"]
    assert found.state is state
    assert words in found.what.en


def test_an_account_without_the_right_to_figures_is_no_fault(well: Facts) -> None:
    without = shared(figures={APPID: {}})(refusal("datacube/getusersummary", 48001)(well))
    found = {one.check: one for one in judge(without)}
    assert found["wechat-figures"].state is State.NOT_APPLICABLE
    assert "48001" in found["wechat-figures"].what.en
    assert found["api-refusals"].state is State.OK
