"""Queues the notices of a request: checks them, finds their people, and stores them at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.actor import Actor
from app.api_errors import Problem
from app.codes.holders import count_without
from app.notices import recipients, request_store, template_store
from app.notices.accounts import NOT_SENDING, can_send
from app.notices.check_notice import (
    NO_PLACEHOLDER,
    DataCheck,
    missing_values,
    page_problems,
    problem,
    require_none,
    url_problems,
)
from app.notices.code_room import require_codes
from app.notices.code_source import CodeSource
from app.notices.fill_code import takes_code
from app.notices.models import NoticeTemplate
from app.notices.request_store import NewNotice, RequestKey
from app.notices.schemas import NoticesIn, Recipient, stored_content
from app.settings import Settings

NO_TEMPLATE = (
    "is no template that WeChat lists for this account: choose one of GET /api/templates, or read "
    "the list again with POST /api/templates/refresh"
)
NOT_KNOWN = (
    "is nobody who is known at this account: correct it, or run a follower sync first "
    "(oa-bridge followers sync)"
)


async def queue_request(
    session: AsyncSession,
    actor: Actor,
    settings: Settings,
    wanted: NoticesIn,
    *,
    key: str | None,
    now: datetime,
    codes: CodeSource,
) -> UUID:
    """Queue the notices of a request; return its send.

    A request that came with the same key before queues nothing. Raises InvalidRequest, KeyReused,
    CampaignWithoutCodes, TooFewCodes.
    """
    digest = request_store.digest_of(wanted)
    if key is not None:
        earlier = await request_store.send_of_key(session, key, digest, now)
        if earlier is not None:
            return earlier
    template = await require_template(session, settings, wanted.appid, wanted.template_id)
    code = await sample_code(session, codes, wanted.campaign_id, now)
    contents = _contents(wanted, template, settings, code)
    openids = await _openids(session, wanted)
    notices = [NewNotice(*one) for one in zip(openids, contents, strict=True)]
    asked = await _ask_for_codes(session, wanted, notices)
    return await request_store.queue(
        session,
        actor,
        template,
        notices,
        request=RequestKey(key, digest),
        now=now,
        campaign_id=wanted.campaign_id,
        codes_asked=asked,
    )


async def sample_code(
    session: AsyncSession, codes: CodeSource, campaign_id: UUID | None, now: datetime
) -> str | None:
    """Return a code by which notices are checked; None without a campaign.

    Raises CampaignWithoutCodes.
    """
    if campaign_id is None:
        return None
    return await codes.longest_code(session, campaign_id, now)


async def _ask_for_codes(
    session: AsyncSession, wanted: NoticesIn, notices: Sequence[NewNotice]
) -> int:
    """Return how many codes the notices need. Raises TooFewCodes."""
    if wanted.campaign_id is None:
        return 0
    openids = [one.openid for one in notices if takes_code(one.content)]
    needed = await count_without(session, wanted.campaign_id, wanted.appid, openids)
    await require_codes(session, wanted.campaign_id, needed)
    return needed


async def require_template(
    session: AsyncSession, settings: Settings, appid: str, template_id: str
) -> NoticeTemplate:
    """Return a template of an account that can send. Raises InvalidRequest."""
    if not can_send(settings.accounts, appid):
        require_none([problem(("appid",), NOT_SENDING)])
    template = await template_store.template(session, appid, template_id)
    if template is None:
        require_none([problem(("template_id",), NO_TEMPLATE)])
        raise AssertionError
    return template


def _contents(
    wanted: NoticesIn, template: NoticeTemplate, settings: Settings, code: str | None
) -> list[dict[str, object]]:
    """Return the content of each notice. code: stands for `{code}`. Raises InvalidRequest."""
    check, problems = DataCheck.of(template, code), list[Problem]()
    shared = check.checked(wanted.data, ("data",), problems)
    problems += page_problems(wanted.miniprogram, settings.mini_programs, code)
    problems += url_problems(wanted.url, code)
    base = stored_content(wanted)
    contents = []
    for number, recipient in enumerate(wanted.recipients):
        place = ("recipients", number, "data")
        own = check.checked(recipient.data, place, problems)
        missing = check.missing(wanted.data.keys() | recipient.data.keys())
        problems += missing_values(missing, place if recipient.data else ("data",))
        contents.append(base | {"data": shared | own})
        if missing and not recipient.data:
            break  # the same is missing for the others
    if code is not None and not any(map(takes_code, contents)):
        problems.append(problem(("campaign_id",), NO_PLACEHOLDER))
    require_none(problems)
    return contents


async def _openids(session: AsyncSession, wanted: NoticesIn) -> list[str]:
    """Return the OpenID of each recipient. Raises InvalidRequest."""
    unionids = [one.unionid for one in wanted.recipients if one.unionid is not None]
    by_unionid = await recipients.openids_of(session, wanted.appid, unionids) if unionids else {}
    openids = [_openid(one, by_unionid) for one in wanted.recipients]
    named = [openid for openid in openids if openid is not None]
    known = await recipients.lock_known(session, wanted.appid, named)
    problems, seen, found = list[Problem](), set[str](), list[str]()
    for number, (one, openid) in enumerate(zip(wanted.recipients, openids, strict=True)):
        place = ("recipients", number, "openid" if one.unionid is None else "unionid")
        if openid is None or openid not in known:
            problems.append(problem(place, NOT_KNOWN))
        elif openid in seen:
            problems.append(problem(place, "is the person of an earlier recipient: leave it out"))
        else:
            seen.add(openid)
            found.append(openid)
    require_none(problems)
    return found


def _openid(recipient: Recipient, by_unionid: Mapping[str, str]) -> str | None:
    if recipient.unionid is None:
        return recipient.openid
    return by_unionid.get(recipient.unionid)
