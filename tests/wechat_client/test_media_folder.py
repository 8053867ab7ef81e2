"""Only regular files of a bounded size are read from the media folder."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from app.wechat.ids import AppId
from app.wechat.outbound import MediaSource, MediaUse
from app.wechat_client.errors import MediaUnavailable
from app.wechat_client.media_folder import UnreadableFile, read_file
from app.worker import Jobs
from tests.service import APPID, JPEG, Service, card
from tests.waiting import PATIENCE_SECONDS

LIMIT = 1000


def link(path: Path) -> None:
    (path.parent.parent / "secret.jpg").write_bytes(JPEG)
    path.symlink_to(path.parent.parent / "secret.jpg")


def link_to_a_neighbour(path: Path) -> None:
    path.symlink_to("shop.jpg")


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


WRONG: dict[str, Callable[[Path], None]] = {
    "symbolic link": link,
    "symbolic link to a neighbour": link_to_a_neighbour,
    "FIFO": os.mkfifo,
    "socket": listening,
    "folder": Path.mkdir,
    "a terabyte of nothing": sparse,
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG.keys())
async def test_what_is_no_file_of_the_folder_is_neither_saved_nor_sent(
    service: Service, jobs: Jobs, make: Callable[[Path], None]
) -> None:
    make(service.settings.media_path / "odd.jpg")
    rule = {
        "name": "Shop",
        "trigger": {"on": "text", "match": "exact", "keyword": "shop"},
        "replies": [card(thumb={"file": "odd.jpg"})],
    }
    use = MediaUse("thumb_media_id", "image", MediaSource(file="odd.jpg"))

    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = await service.api("POST", "rules", json=rule)
        with pytest.raises(MediaUnavailable, match=r"^odd.jpg "):
            await jobs.delivery.uploads.media_id(AppId(APPID), use)

    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"][-2:] == ["thumb", "file"]


@pytest.mark.skipif(not os.access("/dev/zero", os.R_OK), reason="needs /dev/zero")
def test_a_device_is_not_read() -> None:
    with pytest.raises(UnreadableFile, match="not a regular file"):
        read_file(Path("/dev"), "zero", LIMIT)


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/hostname", "a/b.jpg", ".", "..", ""])
def test_only_a_plain_name_is_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFile):
        read_file(tmp_path, name, LIMIT)


@pytest.mark.parametrize(("size", "fits"), [(LIMIT, True), (LIMIT + 1, False)])
def test_a_file_may_have_just_as_many_bytes(tmp_path: Path, size: int, fits: bool) -> None:
    (tmp_path / "a.jpg").write_bytes(bytes(size))
    if fits:
        assert len(read_file(tmp_path, "a.jpg", LIMIT)) == size
    else:
        with pytest.raises(UnreadableFile, match=f"has {size} bytes"):
            read_file(tmp_path, "a.jpg", LIMIT)


def test_a_folder_that_is_a_link_itself_is_the_operators_choice(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.jpg").write_bytes(JPEG)
    (tmp_path / "media").symlink_to("there")

    assert read_file(tmp_path / "media", "a.jpg", LIMIT) == JPEG


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(10):
        with pytest.raises(UnreadableFile):
            read_file(tmp_path, "a.jpg", LIMIT)

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_name_with_a_nul_character_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="is not a plain file name"):
        read_file(tmp_path, "shop\0.jpg", LIMIT)
