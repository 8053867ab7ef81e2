"""Why a file that a rule names can't be uploaded, and what to do, in both languages. Pure.

`wechat_client` says it in English: what is wrong, a colon, what to do.
"""

from collections.abc import Mapping
from typing import Final

from app.doctor.finding import Both
from app.doctor.reason_words import REASONS_ZH
from app.phrases import in_language

UNREADABLE: Final = "can't be read"

FILES_ZH: Final[Mapping[str, str]] = {
    "is not a plain file name: put the file itself into the media folder (MEDIA_DIR)": (
        "不是单纯的文件名：请把文件放入素材文件夹（MEDIA_DIR）"
    ),
    "is a symbolic link: put the file itself into the media folder (MEDIA_DIR)": (
        "是符号链接：请把文件本身放入素材文件夹（MEDIA_DIR）"
    ),
    "is not a regular file: put the file itself into the media folder (MEDIA_DIR)": (
        "不是普通文件：请把文件放入素材文件夹（MEDIA_DIR）"
    ),
    "can't be read (%(reason)s): put the file itself into the media folder (MEDIA_DIR), or "
    "correct the name": "无法读取（%(reason)s）：请把文件放入素材文件夹（MEDIA_DIR），或改正文件名",
    "has %(size)s bytes, and at most %(most)s are taken: make it smaller": (
        "有 %(size)s 字节，最多 %(most)s 字节：请压缩"
    ),
    "is not a JPEG, PNG, GIF, WebP or BMP file: save the picture in one of these formats": (
        "不是 JPEG、PNG、GIF、WebP 或 BMP 文件：请另存为其中一种格式"
    ),
    "is cut off or damaged: save it again": "不完整或已损坏：请重新保存",
    "has more than %(number)s pixels: make it smaller": "超过 %(number)s 像素：请缩小",
    "can't be made small enough: make it smaller": "无法压缩到足够小：请缩小",
    **REASONS_ZH,
}
_PHRASES: Final = tuple(FILES_ZH)


def told(problem: str) -> tuple[Both, Both]:
    """Return what is wrong with a file, and what to do about it."""
    chinese = in_language(problem, _PHRASES, FILES_ZH.__getitem__)
    what, _, fix = problem.partition(": ")
    what_zh, _, fix_zh = chinese.partition("：")
    return Both(what, what_zh), Both(fix, fix_zh)
