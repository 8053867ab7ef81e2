"""Checks of the worker, its jobs, and what only a worker carries out. Pure."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from app.doctor.facts import Facts, Shared
from app.doctor.finding import Both, Finding, fault, look, not_applicable, ok
from app.doctor.words import duration, named

ABSENT_FAULT_SECONDS: Final = 180
QUEUE_LOOK_SECONDS: Final = 300
QUEUE_FAULT_SECONDS: Final = 3600
LAG_LOOK_SECONDS: Final = 600


def worker(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check that a worker runs."""
    found = shared.snapshot.workers
    if found.running:
        yield ok(
            "worker",
            Both(f"Workers that run: {found.running}.", f"正在运行的 worker：{found.running} 个。"),
        )
        return
    fix = Both(
        "Start oa-bridge worker, or serve with --with-worker; without it no card is sent.",
        "请启动 oa-bridge worker，或以 --with-worker 运行 serve；否则不会发送卡片。",
    )
    if found.idle is None:
        yield fault("worker", Both("No worker has ever run.", "从未运行过 worker。"), fix)
        return
    length = duration(found.idle)
    what = Both(f"No worker has run for {length.en}.", f"已有 {length.zh} 没有 worker 运行。")
    since = facts.now - timedelta(seconds=found.idle)
    yield (fault if found.idle >= ABSENT_FAULT_SECONDS else look)("worker", what, fix, since=since)


def queue(_: Facts, shared: Shared) -> Iterator[Finding]:
    """Check that jobs do not wait for long."""
    ages = shared.snapshot.queue_ages
    name, age = max(ages.items(), key=lambda one: one[1], default=("", 0.0))
    length = duration(age)
    if age < QUEUE_LOOK_SECONDS:
        yield ok(
            "queue",
            Both(
                f"The oldest job that is due waits {length.en}.",
                f"最早到期的任务已等待 {length.zh}。",
            ),
        )
        return
    what = Both(
        f"A job {name} has been due for {length.en}.", f"任务 {name} 到期后已等待 {length.zh}。"
    )
    fix = Both(
        "Start a worker if none runs, else another one; look for errors of this job in the "
        "worker's log.",
        "若没有 worker 在运行请启动，否则请增加一个；并在 worker 日志中查看该任务的错误。",
    )
    yield (fault if age >= QUEUE_FAULT_SECONDS else look)("queue", what, fix)


def webhooks(_: Facts, shared: Shared) -> Iterator[Finding]:
    """Check that the webhooks are on and receive what is due."""
    found = shared.snapshot.webhooks
    disabled = [name for name, one in found.items() if one.state == "disabled"]
    behind = {
        name: one.lag
        for name, one in found.items()
        if one.state == "enabled" and one.lag >= LAG_LOOK_SECONDS
    }
    if not found:
        yield not_applicable("webhooks", Both("There is no webhook.", "没有 webhook。"))
    elif disabled:
        yield fault(
            "webhooks",
            Both(
                "Webhooks are switched off, since their endpoints refused everything: "
                f"{named(disabled)}.",
                f"以下 webhook 因对方一直拒绝而被停用：{named(disabled)}。",
            ),
            Both(
                "Repair the endpoint, then PUT /api/webhooks/{id} with enabled true, and replay.",
                "请修复对方接口，再用 PUT /api/webhooks/{id} 把 enabled 设为 true，并重放。",
            ),
        )
    elif behind:
        length = duration(max(behind.values()))
        yield look(
            "webhooks",
            Both(
                f"Webhooks are behind by up to {length.en}: {named(behind)}.",
                f"以下 webhook 落后最多 {length.zh}：{named(behind)}。",
            ),
            Both(
                "Read the last errors in /api/webhooks/{id}/deliveries, and repair the endpoint.",
                "请在 /api/webhooks/{id}/deliveries 查看最近的错误，并修复对方接口。",
            ),
        )
    else:
        yield ok(
            "webhooks",
            Both(f"Webhooks in order: {len(found)}.", f"正常的 webhook：{len(found)} 个。"),
        )


def retention(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check that contents are cleared when RETENTION_DAYS have passed."""
    oldest, days = shared.overdue_content, facts.settings.retention_days
    if oldest is None:
        yield ok(
            "retention", Both(f"Nothing is older than {days} days.", f"没有超过 {days} 天的内容。")
        )
        return
    length = duration((facts.now - oldest).total_seconds())
    yield fault(
        "retention",
        Both(
            f"Messages of {length.en} ago are still there, and RETENTION_DAYS is {days}.",
            f"{length.zh}前的消息仍未清除，而 RETENTION_DAYS 是 {days}。",
        ),
        Both(
            "Start a worker, which clears them every minute; its log says if it can't "
            "(privacy.retain).",
            "请启动 worker，它每分钟清理一次；若失败，其日志会说明（privacy.retain）。",
        ),
    )


def erasures(facts: Facts, shared: Shared) -> Iterator[Finding]:
    """Check that erasures are carried out, and none waits for a person."""
    late, unidentified = shared.overdue_erasure, shared.snapshot.unidentified
    if late is not None:
        length = duration((facts.now - late).total_seconds())
        yield fault(
            "erasures",
            Both(
                f"An erasure was requested {length.en} ago and is not finished.",
                f"有一项删除请求提出已 {length.zh}，仍未完成。",
            ),
            Both(
                "Start a worker; look for errors of privacy.erase in its log, and at webhooks "
                "that are behind.",
                "请启动 worker；并在其日志中查看 privacy.erase 的错误，以及落后的 webhook。",
            ),
            since=late,
        )
    elif unidentified:
        yield look(
            "erasures",
            Both(
                f"Privacy events that do not say who is meant: {unidentified}.",
                f"未写明对象的隐私事件：{unidentified} 个。",
            ),
            Both(
                "Find out who is meant: GET /api/erasures?needs_person=true.",
                "请查明对象：GET /api/erasures?needs_person=true。",
            ),
        )
    else:
        yield ok("erasures", Both("No erasure is late.", "没有逾期的删除请求。"))
