"""The sentences about what was not sent, or not by WeChat, as messages."""

from collections.abc import Callable
from typing import Final

from app.console.messages import ENGLISH, N_, translations
from app.phrases import in_language
from app.wechat.failure_words import CHINESE

PHRASES: Final = (
    N_("outcome unknown: the worker that was sending recorded no result"),
    N_("outcome unknown: %(reason)s"),
    N_(
        "its send window ended at %(end)s by the database's clock, %(seconds)s s before a worker "
        "found it unsent: %(reason)s"
    ),
    N_("no worker had tried to send it"),
    N_("WeChat refuses the account's sends: %(reason)s"),
    N_("WeChat answers none of the account's sends: %(reason)s"),
    N_("WeChat answers no call now: %(reason)s"),
    N_("WeChat refuses it now (errcode %(errcode)s): %(reason)s"),
    N_(
        "the push arrived %(late)s s after it happened (CreateTime by WeChat's clock, arrival by "
        "the database's): its send window had ended %(over)s s before"
    ),
    N_("no send window is open"),
    N_("the sends that are left are kept for rules of a higher priority"),
    N_("the response carries one passive reply, and another one took its place"),
    N_("only a message can be handed over to an agent, not an event"),
    N_("nothing is left of the text that can be seen once its placeholders are filled"),
    N_("its pagepath is longer than %(number)s bytes once it is filled"),
    N_("it is longer than %(number)s bytes once it is filled"),
    N_("the stored reply can't be read"),
    N_(
        "the medium could not be fetched from its address: the log of the worker says why "
        "(media.not_fetched)"
    ),
    N_(
        "%(name)s can't be read (%(reason)s): put the file itself into the media folder "
        "(MEDIA_DIR), or correct the name"
    ),
    N_("the rule has {code} and was no door of a campaign when the message came: add it to one"),
    N_("the campaign has no code left: import more, and retry; with `otherwise` people are told"),
    N_("the campaign has no code left: import or draw more, and resume the send, or ask anew"),
    N_("the person is erased or unknown, so that no code is given"),
    N_("the campaign does not run now: nobody gets a code"),
    N_("the campaign is deleted: stop the send"),
)


_ALL: Final = (*PHRASES, *CHINESE)


def failures_in(language: str) -> Callable[[str], str]:
    """Return what says a reason in a language; one that is not known stays as it is."""
    if language == ENGLISH:
        return str
    others = translations(language).gettext
    return lambda sentence: in_language(
        sentence, _ALL, lambda phrase: CHINESE.get(phrase) or others(phrase)
    )
