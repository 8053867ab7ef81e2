"""Pictures of web sites: checked addresses, raw bytes, bounded size and time, coarse errors."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.replies.errors import TryLater
from app.replies.retry_policy import MAX_FETCHES
from app.wechat.ids import AppId
from app.wechat.outbound import MediaSource, MediaUse
from app.wechat_client import fetch_media
from app.wechat_client.errors import MediaNotFetched, MediaUnavailable
from app.wechat_client.fetch_media import NOT_FETCHED, MediaFetcher, media_policy
from app.wechat_client.media_source import load
from app.worker import Jobs
from tests.processes import free_port
from tests.replies.makers import deliver, owed, statuses
from tests.service import APPID, JPEG, UPLOAD, Service, WeChat, card, column, rows

OPEN = MediaFetcher(media_policy(allow_private=True))
STRICT = MediaFetcher(media_policy(allow_private=False))
LIMIT = 2 * 1024 * 1024


@dataclass
class Site:
    """A web site that answers every request with the same bytes. heads: of the requests."""

    port: int = 0
    answer: bytes = b""
    endless: bool = False
    heads: list[str] = field(default_factory=list)

    def says(self, status: str, content: bytes = b"", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(content)}", "connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.answer = "\r\n".join([*lines, "", ""]).encode() + content

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.read(65536)
        if head.startswith(b"GET"):
            self.heads.append(head.decode())
        writer.write(self.answer)
        try:
            while self.endless:
                await asyncio.sleep(0.01)
                writer.write(b"x")
                await writer.drain()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def url(self, host: str = "127.0.0.1", path: str = "/a.jpg") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    found = Site()
    found.says("200 OK", JPEG)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()
    await server.wait_closed()


def with_fetcher(jobs: Jobs, fetcher: MediaFetcher) -> Jobs:
    uploads = replace(jobs.delivery.uploads, fetcher=fetcher)
    return replace(jobs, delivery=replace(jobs.delivery, uploads=uploads))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "127.1",
        "0x7f000001",
        "localhost",
        "LOCALHOST",
        "user:pw@127.0.0.1",
        "[::1]",
        "[fe80::1]",
        "169.254.169.254",
    ],
)
async def test_no_address_inside_is_called_nor_saved(
    service: Service, site: Site, host: str
) -> None:
    with pytest.raises(MediaUnavailable):
        await STRICT.fetch(site.url(host), LIMIT)
    rule = {
        "name": "Shop",
        "trigger": {"on": "text", "match": "exact", "keyword": "shop"},
        "replies": [card(thumb={"url": site.url(host)})],
    }
    answer = await service.api("POST", "rules", json=rule)

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][-2:] == ["thumb", "url"]
    assert site.heads == []


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"]], ids=str)
async def test_a_name_that_resolves_inside_is_not_called(
    site: Site, addresses: Sequence[str]
) -> None:
    async def resolver(_: str, __: int) -> Sequence[str]:
        return addresses

    with capture_logs() as logs, pytest.raises(MediaUnavailable, match=NOT_FETCHED[:20]):
        await MediaFetcher(media_policy(allow_private=False), resolver).fetch(
            site.url("shop.example"), LIMIT
        )

    assert site.heads == []
    assert [(line["host"], line["reason"]) for line in logs] == [
        ("shop.example", "the host has an address inside a network (MEDIA_ALLOW_PRIVATE)")
    ]


async def test_an_operator_may_allow_addresses_inside(site: Site) -> None:
    assert await OPEN.fetch(site.url(path="/a.jpg?size=1#part"), LIMIT) == JPEG

    (head,) = site.heads
    assert head.startswith("GET /a.jpg?size=1 HTTP/1.1\r\n")
    assert "accept-encoding: identity\r\n" in head.lower()
    assert "authorization" not in head.lower()
    assert "cookie" not in head.lower()


async def test_a_name_and_password_in_an_address_are_refused_even_then(site: Site) -> None:
    with pytest.raises(MediaUnavailable, match="password"):
        await OPEN.fetch(site.url("user:pw@127.0.0.1"), LIMIT)

    assert site.heads == []


async def test_no_redirect_is_followed(site: Site) -> None:
    site.says("302 Found", location="/b.jpg")

    with pytest.raises(MediaNotFetched):
        await OPEN.fetch(site.url(), LIMIT)

    assert len(site.heads) == 1


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "deflate", "br", "GZIP", "x-unknown"])
async def test_an_encoded_answer_is_refused_unread(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    site: Site,
    encoding: str,
) -> None:
    """Two thousand bytes may decode to gigabytes. The card is not tried again for two days."""
    site.says("200 OK", gzip.compress(gzip.compress(bytes(LIMIT * 10))), content_encoding=encoding)
    callback = await with_picture(service, wechat, connection, site)

    await deliver(with_fetcher(jobs, OPEN), callback)

    assert await statuses(connection) == ["failed"]
    assert await column(connection, "SELECT errmsg FROM replies") == [NOT_FETCHED]
    assert len(site.heads) == 1
    assert wechat.calls(UPLOAD) == []


async def test_an_answer_that_says_it_is_not_encoded_is_taken_as_it_is(site: Site) -> None:
    zipped = gzip.compress(JPEG)  # it holds the second in which it was made
    site.says("200 OK", zipped, content_encoding="identity")

    assert await OPEN.fetch(site.url(), LIMIT) == zipped


async def test_what_is_too_large_is_refused_for_good(site: Site) -> None:
    site.says("200 OK", bytes(LIMIT + 1))

    with pytest.raises(MediaUnavailable) as raised:
        await OPEN.fetch(site.url(), LIMIT)

    assert not isinstance(raised.value, MediaNotFetched)


async def test_an_answer_that_never_ends_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_media, "FETCH_SECONDS", 0.3)
    site.answer = b"HTTP/1.1 200 OK\r\n\r\n"
    site.endless = True

    with capture_logs() as logs, pytest.raises(MediaNotFetched):
        await OPEN.fetch(site.url(), LIMIT)
    site.endless = False

    assert [line["reason"] for line in logs] == ["no answer in time"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("404 Not Found", "HTTP 404"),
        ("429 Too Many Requests", "HTTP 429"),
        ("503 Service Unavailable", "HTTP 503"),
        ("204 No Content", "HTTP 204"),
    ],
)
async def test_the_log_tells_what_happened_and_the_error_does_not(
    site: Site, status: str, reason: str
) -> None:
    site.says(status)

    with capture_logs() as logs, pytest.raises(MediaUnavailable) as raised:
        await OPEN.fetch(site.url(path="/secret?key=1"), LIMIT)

    assert str(raised.value) == NOT_FETCHED
    assert [line["reason"] for line in logs] == [reason]
    assert "secret" not in str(logs)


async def test_connections_that_fail_are_told_apart_in_the_log_alone(site: Site) -> None:
    tls = f"https://127.0.0.1:{site.port}/a.jpg"
    refused = f"http://127.0.0.1:{free_port()}/a.jpg"
    unknown = "http://shop.invalid/a.jpg"
    found = []
    with capture_logs() as logs:
        for url in (tls, refused, unknown):
            with pytest.raises(MediaNotFetched) as raised:
                await OPEN.fetch(url, LIMIT)
            found.append(str(raised.value))

    assert found == [NOT_FETCHED] * 3
    assert [line["reason"].split(":")[0] for line in logs] == [
        "TLS failed",
        "no connection",
        "the name of the host is not found",
    ]


async def test_a_card_goes_out_once_the_host_of_its_picture_is_back(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, site: Site
) -> None:
    callback = await with_picture(service, wechat, connection, site)
    site.says("503 Service Unavailable")
    with pytest.raises(TryLater):
        await deliver(with_fetcher(jobs, OPEN), callback)
    site.says("200 OK", JPEG)

    await deliver(with_fetcher(jobs, OPEN), callback)

    assert await rows(connection, "SELECT status, attempts FROM replies") == [
        {"status": "sent", "attempts": 2}
    ]


async def test_a_host_that_never_answers_is_called_six_times_and_no_longer(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, site: Site
) -> None:
    callback = await with_picture(service, wechat, connection, site)
    site.says("503 Service Unavailable")
    waited = timedelta(0)
    for _ in range(MAX_FETCHES - 1):
        with pytest.raises(TryLater) as later:
            await deliver(with_fetcher(jobs, OPEN), callback)
        waited += later.value.delay

    await deliver(with_fetcher(jobs, OPEN), callback)

    assert await statuses(connection) == ["failed"]
    assert len(site.heads) == MAX_FETCHES == 6
    assert timedelta(minutes=5) < waited < timedelta(minutes=9)


async def with_picture(
    service: Service, wechat: WeChat, connection: asyncpg.Connection, site: Site
) -> UUID:
    """Let a card with the site's picture be owed; return the callback's id."""
    callback = await owed(service, wechat, card(thumb={"url": "http://shop.example/a.jpg"}))
    await connection.execute(
        "UPDATE replies SET content = jsonb_set(content::jsonb, '{thumb,url}', to_jsonb($1::text))",
        site.url(),
    )
    return callback


def used(url: str) -> MediaUse:
    return MediaUse("thumb_media_id", "image", MediaSource(url=url))


async def test_a_picture_of_a_web_site_is_loaded(site: Site, tmp_path: Path) -> None:
    use = used(site.url(path="/pictures/a.png?size=1"))

    assert (await load(use, tmp_path, OPEN)).content == JPEG


async def test_one_upload_serves_a_content_at_two_addresses_and_in_a_file(
    jobs: Jobs, wechat: WeChat, site: Site
) -> None:
    (jobs.settings.media_path / "same.jpg").write_bytes(JPEG)
    uploads = with_fetcher(jobs, OPEN).delivery.uploads
    uses = [
        used(site.url()),
        used(site.url(path="/b.webp?now=1")),
        MediaUse("thumb_media_id", "image", MediaSource(file="same.jpg")),
    ]

    at_once = await asyncio.gather(*(uploads.media_id(AppId(APPID), use) for use in uses))
    again = [await uploads.media_id(AppId(APPID), use) for use in uses]

    assert len({*at_once, *again}) == 1
    assert len(wechat.calls(UPLOAD)) == 1
    assert len(site.heads) == 2


async def test_an_address_is_fetched_anew_when_the_upload_of_its_content_ends(
    jobs: Jobs, wechat: WeChat, site: Site
) -> None:
    """The address was found later than the content was uploaded, and the upload ends first."""
    uploads = with_fetcher(jobs, OPEN).delivery.uploads
    (jobs.settings.media_path / "same.jpg").write_bytes(JPEG)
    file = MediaUse("thumb_media_id", "image", MediaSource(file="same.jpg"))
    first = await uploads.media_id(AppId(APPID), file)
    wechat.state.clock.advance(timedelta(days=2))
    shared = await uploads.media_id(AppId(APPID), used(site.url()))
    wechat.state.clock.advance(timedelta(hours=12))

    renewed = await uploads.media_id(AppId(APPID), used(site.url()))

    assert (first == shared, renewed == first) == (True, False)
    assert await uploads.media_id(AppId(APPID), file) == renewed


async def test_what_an_address_answers_is_told_in_the_log_alone(
    jobs: Jobs, wechat: WeChat, site: Site
) -> None:
    site.says("200 OK", b"<html>the pages inside of a network")
    uploads = with_fetcher(jobs, OPEN).delivery.uploads

    with capture_logs() as logs, pytest.raises(MediaUnavailable) as raised:
        await uploads.media_id(AppId(APPID), used(site.url(path="/secret")))

    assert str(raised.value) == NOT_FETCHED
    assert [line["reason"].split(":")[0] for line in logs if "reason" in line] == [
        "the picture is not a JPEG, PNG, GIF, WebP or BMP file"
    ]
    assert "secret" not in str(logs)
    assert wechat.calls(UPLOAD) == []
