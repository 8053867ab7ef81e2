"""Odd pushes: documents made from samples by mutation, and what has to be stored of each.

A document is a list of (name, value), so that a name may stand twice. A value is a text, a
document, or, in JSON alone, a list, a number, true, false or null.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from app.wechat.crypto import Format
from app.wechat.push_format import parse_document
from simulator.documents import cdata

FOLDER = Path(__file__).parent.parent / "data" / "inbound-samples"
INDEX = json.loads((FOLDER / "index.json").read_text())["samples"]
LONG = "字a_" * 1_000

Pair = tuple[str, Any]


@dataclass(frozen=True)
class Odd:
    """A document in one of the formats."""

    format: Format
    pairs: tuple[Pair, ...]

    def dated(self, create_time: int) -> "Odd":
        """Return the document with another CreateTime wherever it has one."""
        pairs = (
            (name, str(create_time) if bare(name) == "createtime" else value)
            for name, value in self.pairs
        )
        return Odd(self.format, tuple(pairs))

    def write(self) -> str:
        """Return the text that WeChat would push."""
        return to_json(self.pairs) if self.format is Format.JSON else to_xml("xml", self.pairs)

    def stored(self) -> dict[str, Any]:
        """Return the payload that has to be stored: nothing is lost, all is text."""
        payload: dict[str, Any] = as_stored(self.pairs)
        return payload


def bare(name: str) -> str:
    """Return a name without what does not count in it."""
    return name.strip().lower()


def to_json(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, tuple):
        members = (f"{json.dumps(name)}: {to_json(member)}" for name, member in value)
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(to_json, value))}]"
    return json.dumps(value)


def to_xml(name: str, value: Any) -> str:  # noqa: ANN401 - a text or a document
    inner = (
        "\n".join(to_xml(child, member) for child, member in value)
        if isinstance(value, tuple)
        else cdata(value)
    )
    return f"<{name}>{inner}</{name}>"


def as_stored(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, tuple):
        found: dict[str, list[Any]] = {}
        for name, member in value:
            found.setdefault(name.strip(), []).append(as_stored(member))
        return {name: same[0] if len(same) == 1 else same for name, same in found.items()}
    if isinstance(value, list):
        return [as_stored(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return str(value).replace("\x00", "").replace("\ud83d", "\ufffd")


def pairs_of(document: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a parsed sample as a document; of a repeated element each one is a pair."""
    if not isinstance(document, dict):
        return document
    found: list[Pair] = []
    for name, value in document.items():
        items = value if isinstance(value, list) else [value]
        found += [(name, pairs_of(item)) for item in items]
    return tuple(found)


def sample(entry: dict[str, Any]) -> Odd:
    """Return one sample of the index."""
    text = (FOLDER / entry["file"]).read_text(encoding="utf-8-sig")
    written = Format(entry["format"])
    return Odd(written, pairs_of(parse_document(text, written)))


SAMPLES = [sample(entry) for entry in INDEX]

texts = st.one_of(
    st.sampled_from(["", " ", "　", LONG, "0", "-1", "=1+1", "]]>", "&amp;", "<a>", "null", "🎉"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8),
)
inner_xml = st.tuples(st.tuples(st.sampled_from(["A", "OpenID", "item", "Event"]), texts))
wrong_types = {
    Format.XML: inner_xml,
    Format.JSON: st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.just("half \ud83d and \x00"),
        st.lists(texts, max_size=3),
        st.lists(inner_xml, max_size=2),
        inner_xml,
    ),
}
unknown_names = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,20}\Z") | st.just("N" * 3_000)


def respelled(name: str, written: Format) -> st.SearchStrategy[str]:
    blanks = ["{} ", "{}\n"] if written is Format.XML else [" {}", "{} ", "\t{}\n"]
    cases = [name.lower(), name.upper(), name.swapcase()]
    return st.sampled_from([*cases, *(form.format(name) for form in blanks)])


@st.composite
def mutated(draw: st.DrawFn, start: Odd) -> Odd:
    """One to four mutations of a sample, which still says who sent it and when."""
    pairs = list(start.pairs)
    for _ in range(draw(st.integers(1, 4))):
        _mutate(draw, pairs, start.format)
    return Odd(start.format, tuple(_spelled_alike(pairs)))


def _mutate(draw: st.DrawFn, pairs: list[Pair], written: Format) -> None:
    kind = draw(
        st.sampled_from(["missing", "doubled", "respelled", "too long", "typed", "text", "unknown"])
    )
    place = draw(st.integers(0, len(pairs) - 1))
    name, value = pairs[place]
    keeps = _keeps(name)
    if kind == "unknown":
        unknown = draw(unknown_names.filter(lambda one: bare(one) not in _NOT_UNKNOWN))
        pairs.insert(place, (unknown, draw(texts | wrong_types[written])))
    elif kind == "doubled":
        again = value if keeps or draw(st.booleans()) else draw(texts | wrong_types[written])
        pairs.append((name, again))
    elif kind == "respelled" and not isinstance(value, list):
        closing = draw(respelled(name, written))
        pairs[place] = (closing, value)
    elif not keeps and kind == "missing" and len(pairs) > 1:
        del pairs[place]
    elif not keeps and kind == "typed":
        pairs[place] = (name, draw(wrong_types[written]))
    elif not keeps and kind in {"too long", "text"}:
        pairs[place] = (name, LONG if kind == "too long" else draw(texts))
    elif bare(name) == "fromusername" and kind == "too long":
        pairs[place] = (name, LONG)


# An inner Encrypt is no push but an envelope in an envelope.
_NOT_UNKNOWN = {"encrypt", "createtime", "fromusername"}


def _keeps(name: str) -> bool:
    return bare(name) in {"createtime", "fromusername"}


def _spelled_alike(pairs: Sequence[Pair]) -> list[Pair]:
    """Return pairs whose names XML can hold: a blank stands behind a name, never alone."""
    return [(name, value) for name, value in pairs if name.strip()]
