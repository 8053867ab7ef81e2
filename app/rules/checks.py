"""What a rule needs beside itself: pictures that can be sent, mini-programs that are known."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from app.access.pictures import MOST_BYTES
from app.rules.problems import Problem, Refused
from app.rules.schemas import RuleIn
from app.settings import Settings
from app.wechat.outbound import MediaType, Message, MiniProgramPage, Text, media_of
from app.wechat.outbound.card import MAX_PAGEPATH_BYTES
from app.wechat.outbound.messages import MAX_TEXT_BYTES

# Source: protocol 6.4.
_JPEG: Final = b"\xff\xd8\xff"
_STARTS: Final[dict[MediaType, tuple[bytes, ...]]] = {
    "image": (_JPEG, b"\x89PNG\r\n\x1a\n", b"GIF8"),
    "thumb": (_JPEG,),
}
_FORMATS: Final = {"image": "JPEG, PNG or GIF", "thumb": "JPEG"}


async def require_sendable(rules: Sequence[RuleIn], settings: Settings, *where: str | int) -> None:
    """Raise Refused if a reply could never be sent. where: what leads to the rules.

    With several rules, `where` is followed by each one's number.
    """
    several = len(where) > 1
    found = await asyncio.to_thread(
        lambda: [
            problem
            for number, rule in enumerate(rules)
            for problem in _problems(rule, settings, [*where, number] if several else [*where])
        ]
    )
    if found:
        raise Refused(found)


def _problems(rule: RuleIn, settings: Settings, where: list[str | int]) -> Iterator[Problem]:
    for number, reply in enumerate(rule.replies):
        place = [*where, "replies", number]
        yield from _media_problems(reply, settings.media_path, place)
        if isinstance(reply, MiniProgramPage):
            yield from _card_problems(reply, rule, settings, place)
        if isinstance(reply, Text) and rule.utm is not None:
            longer = reply.content.count("data-miniprogram-path") * len(rule.utm.appended_to(""))
            if len(reply.content.encode()) + longer > MAX_TEXT_BYTES:
                yield _problem(
                    [*place, "content"],
                    f"is longer than {MAX_TEXT_BYTES} bytes with the UTM parameters of its "
                    "links: shorten it",
                )


def _card_problems(
    card: MiniProgramPage, rule: RuleIn, settings: Settings, place: list[str | int]
) -> Iterator[Problem]:
    known = settings.mini_programs
    if known and card.appid not in known:
        yield _problem(
            [*place, "appid"],
            f"{card.appid} is no mini-program that is configured here: correct it, or add it to "
            "ACCOUNTS_FILE or MINI_PROGRAM_APPIDS",
        )
    pagepath = card.pagepath if rule.utm is None else rule.utm.appended_to(card.pagepath)
    if len(pagepath.encode()) > MAX_PAGEPATH_BYTES:
        yield _problem(
            [*place, "pagepath"],
            f"is longer than {MAX_PAGEPATH_BYTES} bytes with its UTM parameters: shorten it",
        )


def _media_problems(reply: Message, folder: Path, place: list[str | int]) -> Iterator[Problem]:
    for use in media_of(reply):
        if use.source.file is None:
            continue
        wrong = _wrong_with(folder, use.source.file, use.type)
        if wrong is not None:
            member = "thumb" if use.member == "thumb_media_id" else "media"
            yield _problem([*place, member, "file"], wrong)


def _wrong_with(folder: Path, name: str, kind: MediaType) -> str | None:
    if Path(name).name != name:
        return "is not a plain file name: put the file into the media folder itself"
    path = folder / name
    try:
        size = path.stat().st_size
        with path.open("rb") as opened:
            start = opened.read(8)
    except OSError as error:
        return (
            f"can't be read ({error.strerror}): put the file into the media folder (MEDIA_DIR), "
            "or correct the name"
        )
    if size > MOST_BYTES[kind]:
        return f"has {size} bytes, and WeChat takes {MOST_BYTES[kind]}: make it smaller"
    if kind in _STARTS and not start.startswith(_STARTS[kind]):
        return f"is no {_FORMATS[kind]}: save the picture as one"
    return None


def _problem(loc: list[str | int], msg: str) -> Problem:
    return Problem(loc=loc, msg=msg, type="not_sendable")
