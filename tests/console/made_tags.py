"""Tags and runs for the pages about them."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from uuid_utils.compat import uuid7

from app.tags.models import Tag, TagAction, TagRun, TagRunPerson, TagRunState
from tests.service import APPID, OPENID, Service

TAG_ID = 108


async def _tag(service: Service) -> None:
    now = service.clock.now()
    tags = [
        {"appid": APPID, "tag_id": number, "name": name, "people": 1234, "listed_at": now}
        for number, name in ((2, "星标组"), (TAG_ID, "<b>会员</b>"))
    ]
    async with service.app.state.database.sessions.begin() as session:
        await session.execute(upsert(Tag).values(tags).on_conflict_do_nothing())


async def _run(service: Service, **changes: object) -> UUID:
    now = service.clock.now()
    run = {
        "id": uuid7(),
        "appid": APPID,
        "action": TagAction.TAG,
        "tag_id": TAG_ID,
        "filter": {
            "scene": "<i>store_42</i>",
            "how": "ADD_SCENE_QR_CODE",
            "seen_since": (now - timedelta(days=7)).isoformat(),
            "tag_id": 2,
        },
        "key": str(uuid7()),
        "digest": "x",
        "state": TagRunState.RUNNING,
        "done": 1200,
        "refused": 1,
        "created_at": now - timedelta(hours=1),
        "created_by": "<b>olga</b>",
        "try_at": now + timedelta(hours=1),
        "errcode": 45009,
        "error": "<i>reach max api daily quota limit</i>",
        "rid": "r-1",
        "failed_at": now,
    } | changes
    async with service.app.state.database.sessions.begin() as session:
        run_id: UUID = (
            await session.execute(insert(TagRun).values(run).returning(TagRun.id))
        ).scalar_one()
        refused = {"run_id": run_id, "openid": OPENID, "appid": APPID, "errcode": 45059}
        await session.execute(insert(TagRunPerson).values(refused))
    return run_id


async def a_list(service: Service) -> str:
    """Make tags, and a pull that has failed."""
    await _tag(service)
    await _run(service)
    await _run(
        service,
        action=TagAction.PULL,
        tag_id=None,
        filter=None,
        total=2,
        state=TagRunState.FAILED,
        try_at=None,
    )
    return "/tags?done=added"


async def a_tag(service: Service) -> str:
    """Make a tag with a run."""
    await _tag(service)
    await _run(service)
    return f"/tags/{APPID}/{TAG_ID}?done=renamed"


async def a_run(service: Service) -> str:
    """Make a run that waits, with a person whom WeChat refused."""
    await _tag(service)
    return f"/tags/runs/{await _run(service)}?unknown=3"
