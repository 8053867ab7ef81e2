"""The media calls, over HTTP."""

import pytest

from tests.simulator.conftest import JPEG, Simulator, account_json, credentials

THREE_DAYS = 3 * 24 * 3600
OTHER = "wxffffffffffffffff"


async def test_a_picture_comes_back_as_it_was(simulator: Simulator) -> None:
    uploaded = await simulator.upload()

    answer = await simulator.http.get(
        "/cgi-bin/media/get",
        params={
            "access_token": await simulator.stable_token(),
            "media_id": uploaded["media_id"],
        },
    )

    assert answer.content == JPEG
    assert answer.headers["content-type"] == "image/jpeg"


async def test_a_media_id_ends_after_three_days(simulator: Simulator) -> None:
    media_id = (await simulator.upload())["media_id"]
    await simulator.push(text="hi")
    assert await simulator.send("image", {"media_id": media_id}) == 0

    await simulator.advance(THREE_DAYS)
    await simulator.push(text="hi")

    assert (await simulator.read_api("media/get", media_id=media_id))["errcode"] == 40007
    assert await simulator.send("image", {"media_id": media_id}) == 40007


async def test_a_media_id_is_of_no_use_to_another_account(simulator: Simulator) -> None:
    media_id = (await simulator.upload())["media_id"]
    await simulator.post("/_sim/accounts", account_json(appid=OTHER))
    token = (await simulator.post("/cgi-bin/stable_token", credentials() | {"appid": OTHER}))[
        "access_token"
    ]

    answer = await simulator.get("/cgi-bin/media/get", access_token=token, media_id=media_id)

    assert answer["errcode"] == 40007


async def test_a_thumb_is_named_thumb_media_id(simulator: Simulator) -> None:
    assert "thumb_media_id" in await simulator.upload("thumb")


async def test_a_video_is_given_as_an_address(simulator: Simulator) -> None:
    media_id = (await simulator.upload("video", b"moving"))["media_id"]

    address = (await simulator.read_api("media/get", media_id=media_id))["video_url"]

    assert (await simulator.http.get(address)).content == b"moving"


@pytest.mark.parametrize(
    ("media_type", "content", "errcode"),
    [
        ("picture", JPEG, 40004),
        ("image", b"", 44001),
        ("image", b"no picture", 40005),
        ("thumb", b"\x89PNG\r\n\x1a\n", 40005),
        ("thumb", JPEG + bytes(64 * 1024), 40012),
        ("image", JPEG + bytes(10 * 1024 * 1024), 40009),
    ],
)
async def test_a_file_of_the_wrong_kind_is_refused(
    simulator: Simulator, media_type: str, content: bytes, errcode: int
) -> None:
    assert (await simulator.upload(media_type, content))["errcode"] == errcode


async def test_the_field_has_to_be_named_media(simulator: Simulator) -> None:
    answer = await simulator.http.post(
        "/cgi-bin/media/upload",
        params={"access_token": await simulator.stable_token(), "type": "image"},
        files={"file": ("a.jpg", JPEG)},
    )

    assert answer.json()["errcode"] == 41005


@pytest.mark.parametrize(
    ("name", "errcode"),
    [
        ("a.jpg", None),
        ("a.JPEG", None),
        ("logo", 40005),
        ("b.php", 40005),
        ("x.png", 40005),
        ("缩略图.jpg", 41005),
    ],
)
async def test_a_picture_whose_name_does_not_fit_is_refused(
    simulator: Simulator, name: str, errcode: int | None
) -> None:
    answer = await simulator.http.post(
        "/cgi-bin/media/upload",
        params={"access_token": await simulator.stable_token(), "type": "image"},
        files={"media": (name, JPEG, "image/jpeg")},
    )

    assert answer.json().get("errcode") == errcode
