"""The pages of the console. With a line here a page has all tests that each page has."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from app.access import tokens
from app.access.actor import Actor, ActorKind
from app.access.roles import Role
from app.access.scopes import ApiScope
from tests.console import (
    made_alarms,
    made_arrivals,
    made_campaigns,
    made_figures,
    made_findings,
    made_funnel,
    made_imports,
    made_links,
    made_menus,
    made_messages,
    made_notices,
    made_qrcodes,
    made_tags,
    people,
)
from tests.console.webhooks import makers as webhooks
from tests.service import APPID, Service, card, message, text_reply

Prepare = Callable[[Service], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page. path: below the console. template: what it renders. role: the least that it takes.

    prepare: makes what the page shows, and returns the path with its query; None: nothing is made.
    """

    path: str
    template: str
    role: Role = Role.VIEWER
    prepare: Prepare | None = None
    status: int = 200


async def prepare(page: Page, service: Service) -> str:
    """Make what a page shows; return its path."""
    return page.path if page.prepare is None else await page.prepare(service)


async def with_tokens(service: Service) -> str:
    """Add tokens: one that is valid, one that has expired, one that is revoked."""
    actor, now = Actor(ActorKind.CLI, "cli"), service.clock.now()
    expires_at = now + timedelta(hours=1)
    async with service.app.state.database.sessions.begin() as session:
        for name in ("crm", "店铺", "old"):
            scopes = [ApiScope.IDENTITIES_WRITE, ApiScope.STATS_READ]
            await tokens.add(session, actor, name, scopes, [APPID], expires_at=expires_at, now=now)
        await tokens.revoke(session, actor, "old", now=now)
    return "/operators/tokens"


async def _rules(service: Service) -> str:
    """Make a rule with a card that has answered, and one that gets in its way."""
    await service.add_rule(card("商城"), text_reply("<b>one moment</b>"), priority=101)
    await service.add_rule(text_reply(), name="Twin", conditions={"cooldown_seconds": 60})
    await service.push(message(service.clock))
    return "/rules"


async def _rule(service: Service) -> str:
    rule_id = await service.add_rule(
        card("商城"),
        text_reply(),
        trigger={"on": "text", "match": "any", "keywords": ["shop", "Shop"]},
        conditions={"hours": {"start": "09:00", "end": "18:00", "days": [1]}},
        utm={"source": "oa"},
    )
    return f"/rules/{rule_id}"


async def _history(service: Service) -> str:
    rule_id = await service.add_rule(text_reply("one"))
    await service.replace_rule(rule_id, text_reply("two"))
    return f"/rules/{rule_id}/history"


async def _conflicts(service: Service) -> str:
    await _rules(service)
    return "/rules/conflicts"


async def _trial(service: Service) -> str:
    await _rules(service)
    return "/rules/try?text=shop"


async def _broken_rule(service: Service) -> str:
    rule_id = await service.add_rule(text_reply())
    async with service.app.state.database.sessions.begin() as session:
        await session.execute(text("UPDATE rules SET replies = '[]'"))
    return f"/rules/{rule_id}"


async def _today(service: Service) -> str:
    await made_messages.a_failed_message(service)
    return "/today"


PAGES: Final = (
    Page("/today", "today/index.html"),
    Page("/today with messages", "today/index.html", prepare=_today),
    Page("/followers", "followers/index.html"),
    Page("/followers?following=no", "followers/index.html"),
    Page("/followers (filled)", "followers/index.html", prepare=people.a_list),
    Page("/followers/person", "followers/person.html", Role.OWNER, people.a_person),
    Page("/followers/erasures", "followers/erasures.html"),
    Page("/followers/erasures/1", "followers/erasure.html", Role.OWNER, people.an_erasure),
    Page("/followers/erasures (filled)", "followers/erasures.html", prepare=people.erasures),
    Page(
        "/followers/erasures/2",
        "followers/erasure.html",
        Role.OWNER,
        people.an_erasure_that_needs_a_person,
    ),
    Page("/followers/growth", "followers/growth.html"),
    Page("/followers/growth (filled)", "followers/growth.html", prepare=people.growth),
    Page("/figures", "figures/compare.html"),
    Page("/figures (filled)", "figures/compare.html", prepare=made_figures.two_days),
    Page("/figures/notes", "figures/notes.html"),
    Page("/figures/notes (filled)", "figures/notes.html", Role.EDITOR, made_figures.notes),
    Page("/subscriptions", "subscriptions/index.html"),
    Page("/subscriptions (filled)", "subscriptions/index.html", prepare=people.subscriptions),
    Page("/subscriptions/recipients", "subscriptions/recipients.html"),
    Page(
        "/subscriptions/recipients?appid=&template=",
        "subscriptions/recipients.html",
        prepare=people.recipients,
    ),
    Page("/funnel", "funnel/index.html"),
    Page("/funnel (filled)", "funnel/index.html", prepare=made_funnel.funnel),
    Page("/funnel/retention", "funnel/retention.html"),
    Page("/funnel/retention (filled)", "funnel/retention.html", prepare=made_funnel.cohorts),
    Page("/webhooks", "webhooks/index.html"),
    Page("/webhooks (filled)", "webhooks/index.html", prepare=webhooks.a_list),
    Page("/webhooks/new", "webhooks/edit.html", Role.EDITOR),
    Page("/webhooks/1", "webhooks/webhook.html", Role.EDITOR, webhooks.with_deliveries),
    Page("/webhooks/1/replay", "webhooks/replay.html", Role.EDITOR, webhooks.a_replay),
    Page("/webhooks/1/test", "webhooks/test.html", Role.EDITOR, webhooks.a_test),
    Page("/alarms", "alarms/index.html"),
    Page("/alarms (filled)", "alarms/index.html", Role.EDITOR, made_alarms.a_list),
    Page("/alarms/thresholds/no_push", "alarms/threshold.html", Role.EDITOR),
    Page("/alarms/receivers/1", "alarms/receiver.html", Role.EDITOR, made_alarms.a_robot),
    Page("/alarms/receivers/2", "alarms/receiver.html", Role.EDITOR, made_alarms.an_e_mail),
    Page("/links", "links/index.html"),
    Page("/links (filled)", "links/index.html", Role.EDITOR, made_links.a_list),
    Page("/links/1", "links/link.html", Role.EDITOR, made_links.a_refused_link),
    Page("/links/1/edit", "links/edit.html", Role.EDITOR, made_links.a_form),
    Page("/articles", "articles/index.html"),
    Page("/articles (filled)", "articles/index.html", Role.EDITOR, made_links.an_article_form),
    Page("/qrcodes", "qrcodes/index.html"),
    Page("/qrcodes (filled)", "qrcodes/index.html", Role.EDITOR, made_qrcodes.a_list),
    Page("/qrcodes/1", "qrcodes/code.html", Role.EDITOR, made_qrcodes.a_code),
    Page("/campaigns", "campaigns/index.html"),
    Page("/campaigns (filled)", "campaigns/index.html", Role.EDITOR, made_campaigns.a_list),
    Page("/campaigns/1", "campaigns/campaign.html", Role.EDITOR, made_campaigns.a_campaign),
    Page("/campaigns/1/edit", "campaigns/edit.html", Role.EDITOR, made_campaigns.a_form),
    Page("/notices", "notices/index.html"),
    Page("/notices (filled)", "notices/index.html", Role.EDITOR, made_notices.a_list),
    Page("/notices/new", "notices/new.html", Role.EDITOR, made_notices.a_form),
    Page("/notices/sends/1", "notices/send.html", Role.EDITOR, made_notices.a_paused_send),
    Page("/menus", "menus/index.html"),
    Page("/menus (filled)", "menus/index.html", Role.EDITOR, made_menus.an_editor),
    Page("/menus (sub-menu)", "menus/index.html", Role.EDITOR, made_menus.a_conditional_menu),
    Page("/menus/difference", "menus/difference.html", Role.EDITOR, made_menus.a_difference),
    Page("/menus/match", "menus/match.html"),
    Page("/menus/taps", "menus/taps.html"),
    Page("/menus/taps (filled)", "menus/taps.html", prepare=made_menus.taps),
    Page("/tags", "tags/index.html"),
    Page("/tags (filled)", "tags/index.html", Role.EDITOR, made_tags.a_list),
    Page("/tags/1", "tags/tag.html", Role.EDITOR, made_tags.a_tag),
    Page("/tags/runs/1", "tags/run.html", Role.EDITOR, made_tags.a_run),
    Page("/arrivals", "arrivals/index.html"),
    Page("/arrivals (filled)", "arrivals/index.html", Role.EDITOR, made_arrivals.a_list),
    Page("/rules", "rules/index.html"),
    Page("/rules?tab=keywords", "rules/index.html", prepare=_rules),
    Page("/rules?q=nothing", "rules/index.html"),
    Page("/rules/new?reply=miniprogrampage", "rules/editor.html", role=Role.EDITOR),
    Page("/rules/1", "rules/editor.html", role=Role.EDITOR, prepare=_rule),
    Page("/rules/1?viewer", "rules/editor.html", prepare=_rule),
    Page("/rules/1/broken", "rules/broken.html", role=Role.EDITOR, prepare=_broken_rule),
    Page("/rules/1/history", "rules/history.html", role=Role.EDITOR, prepare=_history),
    Page("/rules/conflicts", "rules/conflicts.html"),
    Page("/rules/conflicts?some", "rules/conflicts.html", prepare=_conflicts),
    Page("/rules/try", "rules/try.html"),
    Page("/rules/try?text=shop", "rules/try.html", prepare=_trial),
    Page("/rules/import", "rules/import.html", role=Role.EDITOR),
    Page("/rules/import (filled)", "rules/import.html", Role.EDITOR, made_imports.a_list),
    Page(
        "/rules/imports/1",
        "rules/one_import.html",
        Role.EDITOR,
        made_imports.an_import_that_waits,
    ),
    Page("/rules/imports/2", "rules/one_import.html", Role.EDITOR, made_imports.a_preview),
    Page("/rules/imports/3", "rules/one_import.html", Role.EDITOR, made_imports.a_refused_import),
    Page("/messages", "messages/index.html"),
    Page("/messages?text=none", "messages/index.html"),
    Page("/messages with messages", "messages/index.html", prepare=made_messages.some_messages),
    Page("/messages with a filter", "messages/index.html", prepare=made_messages.shown_texts),
    Page("/messages/failed", "messages/message.html", prepare=made_messages.a_failed_message),
    Page(
        "/messages/unanswered",
        "messages/message.html",
        prepare=made_messages.an_unanswered_message,
    ),
    Page("/messages/words", "messages/words.html"),
    Page("/messages/words?days=7", "messages/words.html"),
    Page("/messages/words with words", "messages/words.html", prepare=made_messages.words),
    Page("/messages/retries/new", "messages/retry.html", Role.EDITOR),
    Page(
        "/messages/retries/new with replies",
        "messages/retry.html",
        Role.EDITOR,
        made_messages.a_failed_filter,
    ),
    Page("/messages/retries", "messages/retries.html"),
    Page(
        "/messages/retries with one",
        "messages/retries.html",
        prepare=made_messages.a_list_of_retries,
    ),
    Page(
        "/messages/retries/running",
        "messages/retry_results.html",
        prepare=made_messages.a_running_retry,
    ),
    Page(
        "/messages/retries/empty",
        "messages/retry_results.html",
        prepare=made_messages.an_empty_retry,
    ),
    Page("/doctor", "doctor/index.html"),
    Page("/doctor after a check", "doctor/index.html", Role.EDITOR, made_findings.checked),
    Page("/operators", "operators/index.html", Role.OWNER),
    Page("/operators?done=role", "operators/index.html", Role.OWNER),
    Page("/operators/sessions", "operators/sessions.html", Role.OWNER),
    Page("/operators/tokens", "operators/tokens.html", Role.OWNER),
    Page("/operators/tokens", "operators/tokens.html", Role.OWNER, with_tokens),
    Page("/settings", "settings/index.html"),
    Page("/audit", "audit/index.html"),
    Page("/audit?actor=nobody", "audit/index.html"),
)

# What other templates are made of, and the pages of those who are not signed in.
TEMPLATES_WITHOUT_A_PAGE: Final = frozenset(
    {
        "alarms/tested.html",
        "components.html",
        "error.html",
        # Fields of the pages with figures.
        "figures/range.html",
        "figures/tabs.html",
        # What a search for a remark answers, see test_list_page.py.
        "followers/namesakes.html",
        "followers/requester.html",
        "followers/tabs.html",
        "funnel/erased_times.html",
        "funnel/tabs.html",
        "layout.html",
        "campaigns/fields.html",
        "campaigns/progress.html",
        "links/fields.html",
        "messages/progress.html",
        "qrcodes/progress.html",
        "tags/progress.html",
        "tags/runs.html",
        "notices/progress.html",
        "messages/rows.html",
        "messages/tabs.html",
        "no_operator.html",
        # Answers of a form, see test_operators_page.py.
        "operators/link.html",
        "operators/tabs.html",
        "operators/token.html",
        "rules/fields.html",
        "rules/import_progress.html",
        "rules/replay.html",
        # The answer of "Show", see test_without_javascript.py.
        "shown.html",
        "sign_in.html",
        "signed_out.html",
        "subscriptions/tabs.html",
        "webhooks/progress.html",
        # An answer of forms, see tests/console/webhooks.
        "webhooks/secret.html",
    }
)
