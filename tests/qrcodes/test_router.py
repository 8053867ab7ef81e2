"""`/api/qrcodes`: adds, renames, lists and deletes codes, and draws them."""

import asyncio
import io

import asyncpg
import pytest
from PIL import Image

from app.qrcodes import counts
from app.qrcodes.models import QrKind
from app.worker import Jobs
from tests.qrcodes.makers import added, body, made
from tests.service import CARD_APPID, Service, column

pytestmark = pytest.mark.asyncio
PERMANENT = {"kind": "permanent", "scene": None}


async def test_a_code_is_added_read_listed_renamed_and_deleted(
    service: Service, connection: asyncpg.Connection
) -> None:
    code = await added(service)
    drawn = await added(service, scene=None, name="Other")
    assert code["picture_url"] == f"https://oa.example.com/qr/{code['slug']}.png"
    assert code["state"] == "waiting"
    assert len(drawn["scene"]) == 12

    page = await service.read("qrcodes", limit=1)
    assert [item["id"] for item in page["items"]] == [drawn["id"]]
    page = await service.read("qrcodes", limit=1, before=page["next"])
    assert [item["id"] for item in page["items"]] == [code["id"]]
    assert page["next"] is None
    found = await service.read("qrcodes", scene="store_0042")
    assert [item["id"] for item in found["items"]] == [code["id"]]

    answer = await service.api("PUT", f"qrcodes/{code['id']}/name", json={"name": "New"})
    assert answer.status_code == 200, answer.text
    assert (await service.read(f"qrcodes/{code['id']}"))["name"] == "New"
    assert (await service.api("POST", f"qrcodes/{code['id']}/renew")).status_code == 202
    assert (await service.api("DELETE", f"qrcodes/{code['id']}")).status_code == 204
    for method in ("GET", "DELETE"):
        assert (await service.api(method, f"qrcodes/{code['id']}")).status_code == 404
    actions = await column(connection, "SELECT action FROM audit_log ORDER BY id")
    expected = "qrcode.added qrcode.added qrcode.changed qrcode.renewed qrcode.deleted"
    assert actions == expected.split()
    shown = (await service.read("audit", action="qrcode.changed"))["items"]
    assert [(one["before"], one["after"]) for one in shown] == [(code["name"], "New")]
    (deleted,) = (await service.read("audit", action="qrcode.deleted"))["items"]
    assert deleted["before"].startswith(f"name: New; appid: {code['appid']}; kind: temporary")


async def test_of_two_with_the_same_scene_one_is_refused(service: Service) -> None:
    answers = await asyncio.gather(*(service.api("POST", "qrcodes", json=body()) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert (await service.read("qrcodes"))["next"] is None
    same = await service.api("POST", "qrcodes", json=body(scene=None, slug="same"))
    again = await service.api("POST", "qrcodes", json=body(scene=None, slug="same"))
    assert (same.status_code, again.status_code) == (201, 409)
    assert "slug same" in again.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "member", "word"),
    [
        ({"appid": CARD_APPID}, "appid", "WECHAT_APPSECRET"),
        ({"scene": "qrscene_a"}, "scene", "qrscene_"),
        ({"scene": "a b"}, "scene", ""),
        ({"scene": "a" * 65}, "scene", ""),
        ({"scene": ""}, "scene", ""),
        ({"slug": "a/b!"}, "slug", ""),
        ({"kind": "eternal"}, "kind", ""),
        ({"name": " "}, "name", ""),
        ({"name": "a\x00"}, "name", "NUL"),
        ({"days": 3}, "days", ""),
    ],
)
async def test_what_wechat_would_refuse_is_refused_before(
    service: Service, changes: dict[str, object], member: str, word: str
) -> None:
    answer = await service.api("POST", "qrcodes", json=body(**changes))

    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert member in problem["loc"]
    assert word in problem["msg"]


async def test_permanent_codes_are_counted_and_never_come_back(
    service: Service, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        counts, "LIMITS", {QrKind.PERMANENT: 5, QrKind.TEMPORARY: counts.LIMITS[QrKind.TEMPORARY]}
    )
    for _ in range(3):
        await made(service, jobs, **PERMANENT)
    never_asked = await added(service, **PERMANENT)

    (found,) = (await service.read("qrcodes/permanent"))["items"]
    assert (found["count"], found["limit"], found["warning"]) == (4, 5, True)
    await service.api("DELETE", f"qrcodes/{never_asked['id']}")
    last = await made(service, jobs, **PERMANENT)
    await made(service, jobs, **PERMANENT)
    await service.api("DELETE", f"qrcodes/{last['id']}")
    answer = await service.api("POST", "qrcodes", json=body(**PERMANENT))
    assert answer.status_code == 409
    assert "make temporary ones" in answer.json()["detail"]
    (found,) = (await service.read("qrcodes/permanent"))["items"]
    assert found["count"] == 5


async def test_the_last_permanent_code_goes_to_one_of_two(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "LIMITS", {QrKind.PERMANENT: 1})
    answers = await asyncio.gather(
        *(service.api("POST", "qrcodes", json=body(**PERMANENT)) for _ in range(2))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_picture_is_drawn_with_a_name_and_a_logo(service: Service, jobs: Jobs) -> None:
    waiting = await added(service, scene=None)
    assert (await service.api("GET", f"qrcodes/{waiting['id']}/picture")).status_code == 409
    code = await made(service, jobs)
    path = f"qrcodes/{code['id']}/picture"

    png = await service.api("GET", path, params={"scale": 3})
    assert png.headers["content-type"] == "image/png"
    assert png.content.startswith(b"\x89PNG")
    decorated = await service.api(
        "GET", path, params={"scale": 3, "with_name": "true", "logo": "shop.jpg"}
    )
    with (
        Image.open(io.BytesIO(png.content)) as plain,
        Image.open(io.BytesIO(decorated.content)) as whole,
    ):
        assert whole.height > whole.width >= plain.width
    svg = await service.api(
        "GET", path, params={"format": "svg", "with_name": "true", "logo": "shop.jpg"}
    )
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert "Store &lt;42&gt;" in svg.text
    assert "data:image/jpeg;base64," in svg.text


async def test_a_name_with_an_emoji_is_drawn_as_svg_alone(service: Service, jobs: Jobs) -> None:
    code = await made(service, jobs, name="门店🍜")
    path = f"qrcodes/{code['id']}/picture"

    refused = await service.api("GET", path, params={"with_name": "true"})
    assert refused.status_code == 422
    (problem,) = refused.json()["detail"]
    assert problem["loc"] == ["query", "with_name"]
    assert "lack (🍜): take the format svg" in problem["msg"]
    svg = await service.api("GET", path, params={"with_name": "true", "format": "svg"})
    assert "门店🍜" in svg.text


@pytest.mark.parametrize(
    ("query", "member", "word"),
    [
        ({"format": "gif"}, "format", ""),
        ({"scale": 41}, "scale", ""),
        ({"scale": 0}, "scale", ""),
        ({"logo": "damaged.png"}, "logo", "save it again"),
        ({"logo": "large.png"}, "logo", "make it smaller"),
        ({"format": "svg", "logo": "../secret"}, "logo", "plain file name"),
        ({"format": "svg", "logo": "missing.png"}, "logo", "can't be read"),
        ({"format": "svg", "logo": "text.png"}, "logo", "neither PNG"),
    ],
)
async def test_a_look_that_can_not_be_drawn_is_refused(
    service: Service, jobs: Jobs, query: dict[str, str | int], member: str, word: str
) -> None:
    folder = service.settings.media_path
    (folder / "text.png").write_text("no picture")
    (folder / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing")
    Image.new("1", (2001, 2000)).save(folder / "large.png")
    code = await made(service, jobs)
    answer = await service.api("GET", f"qrcodes/{code['id']}/picture", params=query)

    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["query", member]
    assert word in problem["msg"]


async def test_the_days_of_figures_have_a_bound(service: Service) -> None:
    code = await added(service)
    for query in ({"from": "2026-02-01", "until": "2026-01-01"}, {"from": "2020-01-01"}):
        answer = await service.api("GET", f"qrcodes/{code['id']}/figures", params=query)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", "from"]
