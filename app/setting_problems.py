"""Words what is wrong with a setting: what it must be, and the name that was probably meant. Pure.

No value is ever shown, since it may be a secret.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, Final

# How alike two names are when one is the other with a slip of the pen: `WECHAT_APPSECRETT`.
SLIP: Final = 0.9
# How alike they are when one may be meant by the other: `WECHAT_AES_KEY`.
SUGGESTION: Final = 0.6
# Names of `.env` that begin so are meant for this service.
OWN_PREFIX: Final = "WECHAT_"

_WORDINGS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "missing": lambda _: "is missing: add it",
    "int_parsing": lambda _: "must be a whole number",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "float_parsing": lambda _: "must be a number",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a number",
    "bool_parsing": lambda _: "must be true or false",
    "bool_type": lambda _: "must be true or false",
    "string_type": lambda _: "must be a text in quotation marks",
    "greater_than": lambda context: f"must be more than {_plain(context['gt'])}",
    "greater_than_equal": lambda context: f"must be at least {_plain(context['ge'])}",
    "less_than": lambda context: f"must be less than {_plain(context['lt'])}",
    "less_than_equal": lambda context: f"must be at most {_plain(context['le'])}",
    "literal_error": lambda context: f"must be {context['expected']}",
    "enum": lambda context: f"must be {context['expected']}",
    "too_short": lambda context: f"must have at least {context['min_length']} characters",
    "string_too_short": lambda context: f"must have at least {context['min_length']} characters",
}


def problem_of(error: Mapping[str, Any], known: Iterable[str]) -> str:
    """Return what one error of pydantic means. known: the names that were allowed in its place."""
    if error["type"] == "extra_forbidden":
        return unknown_name(str(error["loc"][-1]), known)
    wording = _WORDINGS.get(error["type"])
    if wording is not None:
        return wording(error.get("ctx", {}))
    return str(error["msg"]).removeprefix("Value error, ")


def unknown_name(name: str, known: Iterable[str]) -> str:
    """Return what to do about a name that nobody reads."""
    names = list(known)
    likely = closest(name, names, SUGGESTION)
    if likely is None:
        return f"is unknown: remove it; allowed are {', '.join(names)}"
    return f"is unknown: did you mean {likely}?"


def closest(name: str, known: Iterable[str], at_least: float) -> str | None:
    """Return the known name that is most alike, if it is alike enough (0 to 1)."""
    scored = [(_likeness(name, one), one) for one in known]
    score, best = max(scored, default=(0.0, ""))
    return best if score >= at_least else None


def misspelt_settings(
    environment: Iterable[str], env_file: Iterable[str], known: Iterable[str]
) -> Iterator[str]:
    """Yield a problem for each name that looks like a setting and is none.

    environment, env_file: the names that are set there. In the environment, which other programs
    share, only a slip of the pen counts; the file is this service's own.
    """
    names = {name.upper(): name for name in known}
    for name in sorted(set(environment)):
        likely = None if name.upper() in names else closest(name, names, SLIP)
        if likely is not None:
            yield f"{name}: no setting has this name: did you mean {likely}?"
    for name in sorted(set(env_file) - set(environment)):
        if name.upper() in names:
            continue
        if name.upper().startswith(OWN_PREFIX):
            yield f"{name}: no setting has this name, in .env: {_own_fix(name, names)}"
            continue
        likely = closest(name, names, SLIP)
        if likely is not None:
            yield f"{name}: no setting has this name, in .env: did you mean {likely}?"


def _own_fix(name: str, known: Iterable[str]) -> str:
    # Without the prefix, which would make all of them alike.
    own = [one.removeprefix(OWN_PREFIX) for one in known if one.startswith(OWN_PREFIX)]
    likely = closest(name.upper().removeprefix(OWN_PREFIX), own, SUGGESTION)
    return "remove it" if likely is None else f"did you mean {OWN_PREFIX}{likely}?"


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _likeness(one: str, other: str) -> float:
    """Return how alike two names are, without their case and underscores."""
    first, second = (name.upper().replace("_", "") for name in (one, other))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()
