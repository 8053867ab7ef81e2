"""Why a picture can't be uploaded is told in Chinese, in the words of the console."""

import errno
import os
import re
from pathlib import Path
from typing import Final

import pytest

from app.console.messages import translations
from app.doctor.picture_words import FILES_ZH, told
from app.doctor.reason_words import REASONS_ZH
from app.wechat.outbound import MediaSource, MediaUse
from app.wechat_client.check_media import wrong_with_file
from tests.service import JPEG

ENGLISH: Final = re.compile("[a-z]{3,}")
USE: Final = MediaUse("thumb_media_id", "image", MediaSource(file="shop.png"))


def nothing(_: Path) -> None:
    """Leave the file out."""


def nobodys(path: Path) -> None:
    path.symlink_to("elsewhere.png")


BAD = [
    nothing,
    Path.mkdir,
    nobodys,
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(JPEG[:-10]),
    lambda path: path.write_bytes(b"GIF89a"),
    lambda path: path.write_bytes(b"A picture"),
    lambda path: path.write_bytes(JPEG + bytes(11 * 1024 * 1024)),
]


@pytest.mark.parametrize("spoil", BAD, ids=range(len(BAD)))
def test_what_is_wrong_with_a_file_and_what_to_do_is_in_both_languages(
    tmp_path: Path, spoil: object
) -> None:
    assert callable(spoil)
    spoil(tmp_path / "shop.png")
    problem = wrong_with_file(tmp_path, USE, "shop.png")
    assert problem is not None

    what, fix = told(problem)

    assert problem == f"{what.en}: {fix.en}"
    assert fix.zh.startswith("请")
    assert not ENGLISH.search(what.zh + fix.zh)


def test_the_words_are_those_of_the_console() -> None:
    console = {
        text: translations("zh").gettext(text) for text in FILES_ZH.keys() - REASONS_ZH.keys()
    }

    assert {text: FILES_ZH[text].replace("：请", "，请") for text in console} == console


def test_the_reasons_are_those_of_the_system() -> None:
    assert {os.strerror(number) for number in errno.errorcode} >= REASONS_ZH.keys()
