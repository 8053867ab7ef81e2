"""API tokens: what is refused, what is stored, what is shown."""

from collections.abc import Collection
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit, tokens
from app.access.audit import AuditFilter
from app.access.errors import AccessError, InvalidName, NameTaken, NotFound
from app.access.models import ApiToken
from app.access.scopes import ApiScope
from app.access.token_text import is_token, new_token
from app.access.tokens import MAX_APPIDS, USE_NOTED_AFTER
from tests.access.conftest import ACTOR, NOON

APPID = "wx0123456789abcdef"
READS = (ApiScope.RULES_READ,)
REPORTS = (ApiScope.IDENTITIES_WRITE,)


async def add(
    session: AsyncSession,
    name: str = "crm",
    scopes: Collection[ApiScope] = READS,
    appids: Collection[str] = (),
    lifetime: timedelta | None = None,
) -> tuple[ApiToken, str]:
    expires_at = None if lifetime is None else NOON + lifetime
    return await tokens.add(session, ACTOR, name, scopes, appids, expires_at=expires_at, now=NOON)


async def test_a_token_is_listed_without_its_text(session: AsyncSession) -> None:
    _, secret = await add(session, scopes=(*REPORTS, *READS), appids=[APPID])

    (listed,) = await tokens.read_all(session)
    assert (listed.name, listed.scopes) == ("crm", ["identities:write", "rules:read"])
    assert (listed.appids, listed.last_used_at) == ([APPID], None)
    for table in ("api_tokens", "audit_log"):
        rows = (await session.execute(text(f"SELECT t::text FROM {table} t"))).all()  # noqa: S608
        assert secret not in str(rows)
        assert secret.encode().hex() not in str(rows)


@pytest.mark.parametrize(
    ("scopes", "appids", "reason"),
    [
        ((), (), "needs a scope"),
        (REPORTS, (), "needs the AppIDs"),
        (READS, (APPID,), "arrivals:write, codes:write, identities:write alone"),
        ((ApiScope.ARRIVALS_WRITE,), (), "arrivals:write needs the AppIDs"),
        (REPORTS, ("shop",), "is no AppID"),
        (REPORTS, (APPID + "\n",), "is no AppID"),
        (REPORTS, [f"wx{number:016x}" for number in range(MAX_APPIDS + 1)], "at most"),
    ],
)
async def test_a_token_that_makes_no_sense_is_refused_with_the_reason(
    session: AsyncSession, scopes: Collection[ApiScope], appids: Collection[str], reason: str
) -> None:
    with pytest.raises(AccessError, match=reason):
        await add(session, scopes=scopes, appids=appids)


async def test_a_token_can_not_have_expired_before(session: AsyncSession) -> None:
    with pytest.raises(AccessError, match="expired"):
        await add(session, lifetime=timedelta(0))


async def test_a_name_is_given_once_even_after_revocation(session: AsyncSession) -> None:
    await add(session)
    await tokens.revoke(session, ACTOR, "crm", now=NOON)

    with pytest.raises(NameTaken):
        await add(session, " crm ")
    with pytest.raises(InvalidName):
        await add(session, "")


async def test_making_and_revoking_is_in_the_log(session: AsyncSession) -> None:
    await add(session)
    await tokens.revoke(session, ACTOR, "crm", now=NOON)
    await tokens.revoke(session, ACTOR, "crm", now=NOON)

    rows = (await audit.read(session, AuditFilter(subject_kind="token", subject_id="crm"))).rows
    assert [(row.action, row.after) for row in rows] == [
        ("token.revoked", None),
        ("token.added", "rules:read"),
    ]


async def test_an_unknown_token_is_said_to_be_unknown(session: AsyncSession) -> None:
    with pytest.raises(NotFound, match="crm"):
        await tokens.revoke(session, ACTOR, "crm", now=NOON)


async def test_use_is_noted_once_a_minute(session: AsyncSession) -> None:
    added, _ = await add(session)
    noted = []
    for after in (timedelta(0), USE_NOTED_AFTER - timedelta(seconds=1), USE_NOTED_AFTER):
        await tokens.note_use(session, added.id, now=NOON + after)
        await session.refresh(added)
        assert added.last_used_at is not None
        noted.append(added.last_used_at - NOON)

    assert noted == [timedelta(0), timedelta(0), USE_NOTED_AFTER]


def test_a_token_is_known_by_its_form() -> None:
    first, second = new_token(), new_token()

    assert first != second
    assert is_token(first)
    assert not any(map(is_token, ["", first[:-1], first + "x", first + "\n", first[4:]]))
    assert not is_token(first[:-1] + "é")


async def test_there_are_no_more_tokens_than_there_may_be(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 1)
    await add(session)

    with pytest.raises(AccessError, match="1 tokens, which is the limit"):
        await add(session, name="second")
