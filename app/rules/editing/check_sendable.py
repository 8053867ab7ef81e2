"""Checks that a rule can be used: its account, its media files and the mini-programs it opens."""

import asyncio
from collections.abc import Iterator, Sequence
from urllib.parse import urldefrag

from app.http_client.url_policy import BadUrl, parse_url
from app.rules.definition.accounts import receiving_accounts, unknown_account
from app.rules.definition.schemas import RuleIn
from app.rules.definition.validation_errors import InvalidRequest, Problem
from app.rules.editing.check_replies import unsendable
from app.rules.editing.check_trigger import unmatchable
from app.settings import Settings
from app.wechat.outbound import Message, media_of
from app.wechat_client.check_media import wrong_with_file
from app.wechat_client.fetch_media import media_policy


async def require_sendable(rule: RuleIn, settings: Settings, *where: str | int) -> None:
    """Raise InvalidRequest if a rule could never answer, or a reply could never be sent.

    where: the path of the rule in the request.
    """
    found = await asyncio.to_thread(lambda: list(SendableCheck(settings).problems(rule, where)))
    if found:
        raise InvalidRequest(found)


class SendableCheck:
    """Checks rules against the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._receiving = receiving_accounts(settings)
        self._policy = media_policy(settings.media_allow_private)

    def problems(self, rule: RuleIn, where: Sequence[str | int]) -> Iterator[Problem]:
        """Yield why a rule could never answer, and why a reply could never be sent."""
        if rule.appid is not None and rule.appid not in self._receiving:
            choice = [*self._receiving, "null for every account"]
            yield unknown_account(rule.appid, choice, *where)
        for place, words in unmatchable(rule):
            yield _problem([*where, *place], words)
        for number, reply in enumerate(rule.replies):
            yield from self._media_problems(reply, [*where, "replies", number])
        for place, words in unsendable(rule, self._settings.mini_programs):
            yield _problem([*where, *place], words)

    def _media_problems(self, reply: Message, place: list[str | int]) -> Iterator[Problem]:
        for use in media_of(reply):
            member = "thumb" if use.member == "thumb_media_id" else "media"
            if use.source.url is not None:
                try:
                    parse_url(urldefrag(use.source.url).url, self._policy)
                except BadUrl as error:
                    yield _problem([*place, member, "url"], str(error))
            if use.source.file is None:
                continue
            wrong = wrong_with_file(self._settings.media_path, use, use.source.file)
            if wrong is not None:
                yield _problem([*place, member, "file"], wrong)


def _problem(loc: list[str | int], msg: str) -> Problem:
    return Problem(loc=loc, msg=msg, type="not_sendable")
