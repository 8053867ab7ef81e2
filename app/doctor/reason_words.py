"""Why the system can't read a file, in Chinese. Pure. Source: strerror(3)."""

from collections.abc import Mapping
from typing import Final

REASONS_ZH: Final[Mapping[str, str]] = {
    "No such file or directory": "文件不存在",
    "Permission denied": "没有权限",
    "Is a directory": "这是文件夹",
    "Not a directory": "不是文件夹",
    "File name too long": "文件名过长",
    "Too many open files": "打开的文件过多",
    "Input/output error": "磁盘读写错误",
}
