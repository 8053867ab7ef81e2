"""Operators, their roles, and who can't be lost."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit, operators, sessions, sign_in_links
from app.access.audit import AuditFilter, AuditRow
from app.access.errors import AccessError, InvalidName, LastOwner, NameTaken, NotFound
from app.access.models import Operator
from app.access.names import MAX_NAME_CHARACTERS
from app.access.roles import Role
from app.db.engine import Database
from tests.access.conftest import ACTOR, NOON, add_operator


async def entries(session: AsyncSession) -> Sequence[AuditRow]:
    return (await audit.read(session, AuditFilter())).rows


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, {Role.VIEWER}),
        (Role.EDITOR, {Role.VIEWER, Role.EDITOR}),
        (Role.OWNER, {Role.VIEWER, Role.EDITOR, Role.OWNER}),
    ],
)
def test_a_role_may_do_what_the_ones_below_may(role: Role, allowed: set[Role]) -> None:
    assert {needed for needed in Role if role.allows(needed)} == allowed


async def test_an_added_operator_is_listed_and_the_log_says_who_added_it(
    session: AsyncSession,
) -> None:
    added = await add_operator(session, "  小王 ")

    assert [(row.name, row.role) for row in await operators.read_all(session)] == [
        ("小王", Role.EDITOR)
    ]
    (entry,) = await entries(session)
    assert (entry.actor_kind, entry.actor_name, entry.address) == ("cli", "cli", "tester@machine")
    assert (entry.action, entry.subject_kind, entry.subject_id) == (
        "operator.added",
        "operator",
        "小王",
    )
    assert (entry.before, entry.after, entry.occurred_at) == (None, "editor", NOON)
    assert await operators.by_name(session, "小王") is added


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * (MAX_NAME_CHARACTERS + 1), "a\nb", "a\u202eb", "a\0b", "\ud800"]
)
async def test_a_name_that_nobody_can_read_is_refused(session: AsyncSession, name: str) -> None:
    with pytest.raises(InvalidName):
        await add_operator(session, name)


@pytest.mark.parametrize("again", ["José", "Jose\u0301", " José "])
async def test_a_name_is_given_once_however_it_is_composed(
    session: AsyncSession, again: str
) -> None:
    await add_operator(session, "José")

    with pytest.raises(NameTaken):
        await add_operator(session, again)


async def test_the_name_of_somebody_who_is_disabled_stays_taken(session: AsyncSession) -> None:
    added = await add_operator(session)
    await operators.disable(session, ACTOR, added.id, now=NOON)

    with pytest.raises(NameTaken):
        await add_operator(session)


async def test_an_unknown_operator_is_said_to_be_unknown(session: AsyncSession) -> None:
    with pytest.raises(NotFound, match="小李"):
        await operators.by_name(session, "小李")


async def test_a_changed_role_is_in_the_log_with_both_roles(session: AsyncSession) -> None:
    added = await add_operator(session)
    await operators.change_role(session, ACTOR, added.id, Role.OWNER, now=NOON)
    await operators.change_role(session, ACTOR, added.id, Role.OWNER, now=NOON)

    newest, _ = await entries(session)
    assert (newest.action, newest.before, newest.after) == (
        "operator.role_changed",
        "editor",
        "owner",
    )


async def test_a_disabled_operator_has_no_session_and_no_link(session: AsyncSession) -> None:
    added = await add_operator(session)
    link = await sign_in_links.make(session, ACTOR, added, now=NOON)
    secret = await sessions.start(session, added, address=None, user_agent=None, now=NOON)
    await operators.disable(session, ACTOR, added.id, now=NOON)
    await operators.disable(session, ACTOR, added.id, now=NOON)

    assert await sessions.find(session, secret, now=NOON) is None
    assert await sign_in_links.take(session, link, now=NOON) is None
    with pytest.raises(AccessError, match="disabled"):
        await sign_in_links.make(session, ACTOR, added, now=NOON)
    # And those of before do not come back.
    await operators.enable(session, ACTOR, added.id, now=NOON)
    assert await sessions.find(session, secret, now=NOON) is None
    assert await sign_in_links.take(session, link, now=NOON) is None
    assert [entry.action for entry in await entries(session)] == [
        "operator.enabled",
        "operator.disabled",
        "session.started",
        "sign_in_link.made",
        "operator.added",
    ]


async def test_the_last_owner_stays_one(session: AsyncSession) -> None:
    owner = await add_operator(session, "owner", Role.OWNER)
    other = await add_operator(session, "other", Role.OWNER)
    await operators.disable(session, ACTOR, other.id, now=NOON)

    with pytest.raises(LastOwner):
        await operators.disable(session, ACTOR, owner.id, now=NOON)
    with pytest.raises(LastOwner):
        await operators.change_role(session, ACTOR, owner.id, Role.EDITOR, now=NOON)


async def test_of_two_owners_who_disable_each_other_one_stays(database: Database) -> None:
    async with database.sessions.begin() as session:
        first = await add_operator(session, "first", Role.OWNER)
        second = await add_operator(session, "second", Role.OWNER)

    async def disable(operator: Operator) -> None:
        async with database.sessions.begin() as session:
            await operators.disable(session, ACTOR, operator.id, now=NOON)

    ended = await asyncio.gather(disable(first), disable(second), return_exceptions=True)

    assert sorted(type(one).__name__ for one in ended) == ["LastOwner", "NoneType"]


async def test_the_language_is_one_of_two_or_the_browsers(session: AsyncSession) -> None:
    added = await add_operator(session)
    await operators.choose_language(session, added.id, "en")
    assert added.language == "en"
    await operators.choose_language(session, added.id, None)
    assert added.language is None
    with pytest.raises(AccessError, match="zh, en"):
        await operators.choose_language(session, added.id, "fr")


async def test_while_nobody_may_sign_in_this_is_known(session: AsyncSession) -> None:
    assert not await operators.any_exists(session)
    added = await add_operator(session)
    assert await operators.any_exists(session)
    await operators.disable(session, ACTOR, added.id, now=NOON)
    assert not await operators.any_exists(session)


async def test_there_are_no_more_operators_than_there_may_be(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operators, "MAX_OPERATORS", 1)
    await add_operator(session, "first")

    with pytest.raises(AccessError, match="1 operators, which is the limit"):
        await add_operator(session, "second")
