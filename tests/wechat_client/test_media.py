"""One upload for all processes, renewed before WeChat forgets it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import asyncpg
import httpx
import pytest
from PIL import Image

from app.db.engine import open_database
from app.replies.errors import TryLater
from app.wechat.api import WeChatApi
from app.wechat.api_responses import StableToken, UploadedMedia
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat.outbound import MediaSource, MediaUse
from app.wechat_client.errors import MediaUnavailable
from app.wechat_client.fetch_media import MediaFetcher, media_policy
from app.wechat_client.media import MAX_UPLOADS, MAX_VIDEO_UPLOADS
from app.wechat_client.media_source import load
from app.worker import Jobs
from tests.replies.makers import deliver, owed, statuses, written
from tests.service import (
    APPID,
    JPEG,
    OTHER_OPENID,
    SEND,
    UPLOAD,
    Service,
    WeChat,
    card,
    column,
    jobs_of,
)
from tests.waiting import PATIENCE_SECONDS, eventually

THUMB = MediaUse("thumb_media_id", "image", MediaSource(file="shop.jpg"))


async def media_id(jobs: Jobs, use: MediaUse = THUMB) -> str:
    return await jobs.delivery.uploads.media_id(AppId(APPID), use)


async def test_one_upload_serves_many_cards(jobs: Jobs, wechat: WeChat) -> None:
    assert len({await media_id(jobs) for _ in range(4)}) == 1
    assert len(wechat.calls(UPLOAD)) == 1


async def test_two_processes_at_once_upload_once(jobs: Jobs, wechat: WeChat) -> None:
    other = open_database(jobs.settings.database_url)
    second = jobs_of(jobs.settings, other, wechat)

    found = await asyncio.gather(*(media_id(each) for each in (jobs, second, jobs, second)))

    await other.close()
    assert len(set(found)) == 1
    assert len(wechat.calls(UPLOAD)) == 1


async def test_a_burst_that_needs_a_new_picture_does_not_block_itself(
    jobs: Jobs, wechat: WeChat
) -> None:
    """As many at once as a worker runs, over as few connections as it has."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await asyncio.gather(*(media_id(jobs) for _ in range(50)))

    assert len(set(found)) == 1
    assert len(wechat.calls(UPLOAD)) == 1


async def test_a_restart_uses_what_was_uploaded_before(jobs: Jobs, wechat: WeChat) -> None:
    first = await media_id(jobs)

    again = await media_id(jobs_of(jobs.settings, jobs.database, wechat))

    assert (again, len(wechat.calls(UPLOAD))) == (first, 1)


async def test_it_is_renewed_after_two_days_and_a_half(jobs: Jobs, wechat: WeChat) -> None:
    first = await media_id(jobs)
    wechat.state.clock.advance(timedelta(days=2, hours=12) - timedelta(seconds=1))
    before = await media_id(jobs)
    wechat.state.clock.advance(timedelta(seconds=1))
    after = await media_id(jobs)

    assert (before == first, after == first) == (True, False)
    assert len(wechat.calls(UPLOAD)) == 2


async def test_one_upload_serves_a_picture_whatever_its_names(jobs: Jobs, wechat: WeChat) -> None:
    first = await media_id(jobs)
    (jobs.settings.media_path / "店铺 2").write_bytes(JPEG)
    source = MediaSource(file="店铺 2")

    again = await media_id(jobs, MediaUse("thumb_media_id", "image", source))

    assert (again, len(wechat.calls(UPLOAD))) == (first, 1)


async def test_a_changed_file_is_uploaded_anew(jobs: Jobs) -> None:
    first = await media_id(jobs)
    (jobs.settings.media_path / "shop.jpg").write_bytes(JPEG + b" another")

    assert await media_id(jobs) != first


async def test_each_use_of_a_picture_has_its_own_upload(jobs: Jobs) -> None:
    as_image = await media_id(jobs)
    as_thumb = await media_id(jobs, MediaUse("thumb_media_id", "thumb", THUMB.source))

    assert as_image != as_thumb


async def test_an_id_that_wechat_has_forgotten_is_replaced_once_and_the_card_arrives(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await deliver(jobs, await owed(service, wechat, card()))
    await connection.execute("UPDATE media SET media_id = 'forgotten'")
    wechat.state.clock.advance(timedelta(seconds=1))

    await deliver(jobs, await written(service, wechat))

    assert await statuses(connection) == ["sent", "sent"]
    assert len(wechat.calls(UPLOAD)) == 2
    assert [call["errcode"] for call in wechat.calls(SEND)] == [0, 40007, 0]


async def test_the_other_pictures_of_an_account_keep_theirs(jobs: Jobs, wechat: WeChat) -> None:
    as_thumb = MediaUse("thumb_media_id", "thumb", THUMB.source)
    forgotten, kept = await media_id(jobs), await media_id(jobs, as_thumb)

    await jobs.delivery.uploads.forget(AppId(APPID), forgotten)

    assert await media_id(jobs, as_thumb) == kept
    assert await media_id(jobs) != forgotten
    assert len(wechat.calls(UPLOAD)) == 3


async def test_workers_that_meet_a_forgotten_id_at_once_upload_once(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    first = await owed(service, wechat, card())
    second = await written(service, wechat, openid=OTHER_OPENID)
    await media_id(jobs)
    await connection.execute("UPDATE media SET media_id = 'forgotten'")
    other = open_database(jobs.settings.database_url)
    workers = [jobs, jobs_of(jobs.settings, other, wechat)]
    both = asyncio.Barrier(2)

    async def meet(request: httpx.Request) -> None:
        if request.url.path == SEND and b"forgotten" in request.content:
            await both.wait()

    wechat.client.event_hooks = {"request": [meet], "response": []}
    await asyncio.gather(*map(deliver, workers, (first, second)))

    await other.close()
    assert await statuses(connection) == ["sent", "sent"]
    assert [call["errcode"] for call in wechat.calls(SEND)][:2] == [40007, 40007]
    assert len(wechat.calls(UPLOAD)) == 2


async def test_an_id_that_is_refused_twice_ends_the_card(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    wechat.strike(SEND, errcode=40007)

    await deliver(jobs, callback)

    assert await statuses(connection) == ["failed"]
    assert (len(wechat.calls(SEND)), len(wechat.calls(UPLOAD))) == (2, 2)


async def test_an_id_that_the_rule_names_is_used_as_it_is(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card(thumb={"media_id": "not-ours"}))

    await deliver(jobs, callback)

    assert await statuses(connection) == ["failed"]
    assert (len(wechat.calls(SEND)), wechat.calls(UPLOAD)) == (1, [])
    assert await column(connection, "SELECT errcode FROM replies") == [40007]


async def test_an_upload_that_fails_is_tried_again_and_the_card_arrives_once(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    wechat.strike(UPLOAD, drop="after", count=1)

    with pytest.raises(TryLater):
        await deliver(jobs, callback)
    await deliver(jobs, callback)

    assert await statuses(connection) == ["sent"]
    assert len(wechat.sent()) == 1


async def test_what_is_no_picture_ends_the_card_with_the_reason_and_is_not_uploaded(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    picture = jobs.settings.media_path / "odd.jpg"
    picture.write_bytes(JPEG)
    callback = await owed(service, wechat, card(thumb={"file": "odd.jpg"}))
    picture.write_bytes(b"no picture")

    await deliver(jobs, callback)

    (reason,) = await column(connection, "SELECT errmsg FROM replies")
    assert reason.startswith("odd.jpg is not a JPEG, PNG, GIF, WebP or BMP file")
    assert await statuses(connection) == ["failed"]
    assert wechat.calls(UPLOAD) == []


@pytest.mark.parametrize(("size", "fits"), [(2 * 1024 * 1024, True), (2 * 1024 * 1024 + 1, False)])
async def test_a_voice_may_have_two_mebibytes(tmp_path: Path, size: int, fits: bool) -> None:
    (tmp_path / "large.mp3").write_bytes(bytes(size))
    use = MediaUse("media_id", "voice", MediaSource(file="large.mp3"))
    fetcher = MediaFetcher(media_policy(allow_private=False))
    if fits:
        assert len((await load(use, tmp_path, fetcher)).content) == size
    else:
        with pytest.raises(MediaUnavailable, match="make it smaller"):
            await load(use, tmp_path, fetcher)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("shop.webp", MediaUse("thumb_media_id", "image", MediaSource(file="shop.webp"))),
        ("shop.gif", MediaUse("thumb_media_id", "thumb", MediaSource(file="shop.gif"))),
        ("shop", MediaUse("media_id", "image", MediaSource(file="shop"))),
    ],
)
async def test_a_picture_that_wechat_does_not_take_is_converted_and_uploaded(
    jobs: Jobs, wechat: WeChat, name: str, use: MediaUse
) -> None:
    picture = Image.effect_noise((1500, 1000), 100)
    picture.save(jobs.settings.media_path / name, "WEBP" if name == "shop.webp" else "GIF")

    uploaded = wechat.state.media.peek(await media_id(jobs, use))

    assert uploaded is not None
    expected = "image/gif" if name == "shop" else "image/jpeg"
    assert (uploaded.type, uploaded.content_type) == (use.type, expected)


async def test_a_gif_moves_as_an_image_and_is_still_on_a_card(jobs: Jobs, wechat: WeChat) -> None:
    Image.new("P", (30, 20)).save(jobs.settings.media_path / "shop.gif")
    source = MediaSource(file="shop.gif")

    found = [
        wechat.state.media.peek(await media_id(jobs, MediaUse(member, "image", source)))
        for member in ("media_id", "thumb_media_id", "media_id")
    ]

    types = [None if medium is None else medium.content_type for medium in found]
    assert types == ["image/gif", "image/jpeg", "image/gif"]
    assert len(wechat.calls(UPLOAD)) == 2


@pytest.mark.parametrize("name", ["logo", "b.php", "缩略图.jpg", "x.png"])
async def test_a_picture_is_uploaded_whatever_its_file_is_called(
    jobs: Jobs, wechat: WeChat, name: str
) -> None:
    (jobs.settings.media_path / name).write_bytes(JPEG)

    await media_id(jobs, MediaUse("thumb_media_id", "image", MediaSource(file=name)))

    assert [call["errcode"] for call in wechat.calls(UPLOAD)] == [0]


async def test_an_upload_whose_answer_lacks_the_time_is_used(jobs: Jobs, wechat: WeChat) -> None:
    wechat.strike(UPLOAD, removed=["created_at"])

    assert await media_id(jobs) == await media_id(jobs)
    assert len(wechat.calls(UPLOAD)) == 1


async def test_a_file_outside_the_folder_is_out_of_reach(jobs: Jobs) -> None:
    (jobs.settings.media_path.parent / "secret.txt").write_text("secret")
    use = MediaUse("thumb_media_id", "image", MediaSource.model_construct(file="../secret.txt"))

    with pytest.raises(MediaUnavailable):
        await media_id(jobs, use)


async def test_who_waits_for_an_upload_that_fails_does_not_repeat_it(
    jobs: Jobs, wechat: WeChat
) -> None:
    wechat.strike(UPLOAD, errcode=-1, count=1)

    outcomes = await asyncio.gather(*(media_id(jobs) for _ in range(5)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [ApiError] * 5
    assert len(wechat.calls(UPLOAD)) == 1
    assert await media_id(jobs)


class Counted(asyncio.Semaphore):
    """Another semaphore, with a count of those who have asked and of those who hold it."""

    def __init__(self, inner: asyncio.Semaphore) -> None:
        super().__init__(0)
        self._inner = inner
        self.asked = self.held = 0

    async def acquire(self) -> Literal[True]:
        self.asked += 1
        await self._inner.acquire()
        self.held += 1
        return True

    def release(self) -> None:
        self.held -= 1
        self._inner.release()


@pytest.mark.parametrize(("kind", "most"), [("image", MAX_UPLOADS), ("video", MAX_VIDEO_UPLOADS)])
async def test_so_many_uploads_are_made_at_once_and_the_others_wait(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, kind: Literal["image", "video"], most: int
) -> None:
    may_end = asyncio.Event()
    sent: list[bytes] = []

    async def upload(*arguments: object) -> UploadedMedia:
        content = arguments[3]
        assert isinstance(content, bytes)
        await may_end.wait()
        sent.append(content)
        return UploadedMedia(f"id-of-{content[-1]}", jobs.clock.now())

    monkeypatch.setattr(WeChatApi, "upload_media", upload)
    names = [f"{number}.jpg" for number in range(most + 3)]
    contents = [JPEG + bytes([number]) for number in range(most + 3)]
    for name, content in zip(names, contents, strict=True):
        (jobs.settings.media_path / name).write_bytes(content)
    usual = jobs.delivery.uploads
    images, videos = Counted(usual.uploads), Counted(usual.videos)
    counts = images if kind == "image" else videos
    uploads = replace(usual, uploads=images, videos=videos)
    uses = [MediaUse("media_id", kind, MediaSource(file=name)) for name in names]
    running = asyncio.gather(*(uploads.media_id(AppId(APPID), use) for use in uses))

    async def all_have_asked() -> bool:
        return counts.asked == len(names)

    await eventually(all_have_asked)
    at_once = counts.held
    may_end.set()
    found = await running

    assert at_once == most
    assert found == [f"id-of-{number}" for number in range(most + 3)]
    assert sorted(sent) == sorted(contents)


async def test_no_upload_of_another_waits_while_a_token_is_fetched(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = jobs.delivery.uploads
    counts = Counted(usual.uploads)
    held: list[int] = []
    stable_token = WeChatApi.stable_token

    async def watched(api: WeChatApi, appid: AppId, secret: str) -> StableToken:
        held.append(counts.held)
        return await stable_token(api, appid, secret)

    monkeypatch.setattr(WeChatApi, "stable_token", watched)

    await replace(usual, uploads=counts).media_id(AppId(APPID), THUMB)

    assert (held, counts.asked) == ([0], 1)
