"""The sentences about a file or a list of codes that can't be used, as messages."""

from typing import Final

from fastapi import Request

from app.console.language import language_of
from app.console.messages import N_, translations
from app.phrases import in_language

PHRASES: Final = (
    N_("line %(line)s: %(problem)s"),
    N_("the file holds no code: write one on each line"),
    N_("is not UTF-8 text: save it as CSV UTF-8"),
    N_("has more than %(number)s codes: split the file"),
    N_("is longer than %(number)s characters: is this a CSV file?"),
    N_("a code has 4 to 64 letters, digits, and - . _ ~ alone"),
    N_("is no CSV: put a cell with quotes in quotes, and write each quote in it twice"),
    N_("has more than %(number)s codes: split it"),
    N_("holds no code: write one name on each line"),
    N_("the columns are name and scene, each at most once"),
    N_("has more than %(number)s columns: put names with commas in quotes"),
    N_("a name has 1 to %(number)s characters on one line"),
    N_("a scene has 1 to 64 letters, digits, _ and -"),
    N_("the scene can't start with %(prefix)s, which WeChat puts before it: write what follows it"),
    N_("has the scene of line %(line)s: choose another one"),
    N_("the account has codes of the scenes %(scenes)s: choose others, or leave them out"),
    N_("%(scenes)s and %(number)s others"),
    N_(
        "an account has %(most)s permanent codes at most: make temporary ones, which are renewed "
        "for you"
    ),
    N_("an account has %(most)s temporary codes at most: delete some first"),
    N_("another list was made with the key %(key)s: send the same list, or choose another key"),
)


def file_problem(request: Request, sentence: str) -> str:
    """Return a sentence in the language of the page; one that is not known stays as it is."""
    return in_language(sentence, PHRASES, translations(language_of(request)).gettext)
