"""Which tables a module writes and reads: its SQL texts, and its use of mapped classes.

The SQL of a module is every string with an SQL keyword in capitals that is no docstring; an
f-string counts as one text, with `{}` where a value is put in. A table counts as read where its
name is a word of such a text, unless another table of the text has a column of this name. Where a
statement leaves the table to be filled in (`UPDATE {table}`), it is every table whose name the
module has as a string of its own; keys of dictionaries are mostly parameters and do not count.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

KEYWORDS = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|MERGE|TRUNCATE|COPY|LOCK|FROM|JOIN|USING|WHERE|TABLE)\b"
)
COMMENT = re.compile(r"--[^\n]*")
# FOR UPDATE, FOR NO KEY UPDATE and DO UPDATE are followed by no table; a trigger's event neither.
WRITE = re.compile(
    r"""(?: INSERT\s+INTO | MERGE\s+INTO | DELETE\s+FROM | TRUNCATE(?:\s+TABLE)? | \bCOPY
          | (?<!\bFOR\s)(?<!\bKEY\s)(?<!\bDO\s)(?<!\bOR\s)(?<!\bAFTER\s)(?<!\bBEFORE\s)\bUPDATE )
        \s+(?:ONLY\s+)?(?:public\.)?"?(?P<table>\w+|\{\w*\}|%s|$)""",
    re.VERBOSE,
)
WORD = re.compile(r"\w+")
AFTER_KEYWORD = re.compile(r'\b(?:FROM|JOIN|USING|INTO|UPDATE|ONLY)\s+(?:public\.)?"?(\w+)')
ORM_WRITES = frozenset({"insert", "update", "delete"})


@dataclass(frozen=True, slots=True)
class Model:
    """A mapped class."""

    module: str
    name: str
    table: str


# The columns of every table.
Tables: TypeAlias = Mapping[str, frozenset[str]]
# All nodes of a module, from one walk through its tree.
Nodes: TypeAlias = list[ast.AST]


@dataclass(slots=True)
class Use:
    """Tables of one module. unclear: statements whose table nobody can tell."""

    writes: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    unclear: list[str] = field(default_factory=list)


def use_of_module(source: str, tables: Tables, models: Mapping[str, Model]) -> Use:
    """Return the tables that Python source uses. models: by `module.Class`."""
    nodes = list(ast.walk(ast.parse(source)))
    filled_in = tables.keys() & set(_strings(nodes))
    use = Use()
    for text in _sql(nodes):
        _add_sql(use, text, tables, filled_in)
    _add_orm(use, nodes, tables, models)
    return use


def use_of_sql(text: str, tables: Tables) -> Use:
    """Return the tables that an SQL file uses."""
    use = Use()
    _add_sql(use, text, tables, set())
    return use


def _add_sql(use: Use, text: str, tables: Tables, filled_in: set[str]) -> None:
    text = COMMENT.sub("", text)
    words = tables.keys() & set(WORD.findall(text))
    columns = frozenset[str]().union(*(tables[word] for word in words))
    use.reads |= words - (columns - set(AFTER_KEYWORD.findall(text)))
    for found in WRITE.finditer(text):
        name = found["table"]
        if name in tables:
            use.writes.add(name)
        elif not name.isidentifier():
            use.writes |= filled_in
            if not filled_in:
                use.unclear.append(text)


def _strings(nodes: Nodes) -> Iterator[str]:
    keys = {key for node in nodes if isinstance(node, ast.Dict) for key in node.keys}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in keys:
            yield node.value


def _sql(nodes: Nodes) -> Iterator[str]:
    """Yield every text of SQL: whole f-strings, and strings that are no docstrings."""
    skipped: set[ast.AST] = set()
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)
        if isinstance(node, ast.JoinedStr):
            skipped.update(node.values)
    for node in nodes:
        text = None
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = None if node in skipped else node.value
        if text is not None and KEYWORDS.search(text):
            yield text


def _add_orm(use: Use, nodes: Nodes, tables: Tables, models: Mapping[str, Model]) -> None:
    """Add what is done with mapped classes, and with `table("…")`.

    Written is what `insert`, `update` or `delete` gets, what is constructed, and what has a column
    assigned that no other class of the module has.
    """
    known = _models_by_name(nodes, models)
    lightweight = _lightweight_tables(nodes)
    named = {name: model.table for name, model in known.items()} | lightweight
    use.reads.update(named.values())
    for node in nodes:
        if isinstance(node, ast.Call):
            called = _name(node.func)
            target = named.get(_name(node.args[0])) if node.args else None
            if called.rpartition(".")[2] in ORM_WRITES and target is not None:
                use.writes.add(target)
            if called in known:
                use.writes.add(known[called].table)
        elif isinstance(node, ast.Assign | ast.AugAssign):
            use.writes |= _assigned(node, {one.table: tables[one.table] for one in known.values()})


def _assigned(node: ast.Assign | ast.AugAssign, known: Tables) -> set[str]:
    """Return the tables of which an attribute that is assigned here can be a column."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = {
        target.attr
        for target in targets
        if isinstance(target, ast.Attribute) and _name(target.value) != "self"
    }
    holders = [[table for table, columns in known.items() if name in columns] for name in names]
    return {tables[0] for tables in holders if len(tables) == 1}


def _models_by_name(nodes: Nodes, models: Mapping[str, Model]) -> dict[str, Model]:
    """Return the mapped classes that a module imports, by the name it has for them."""
    found: dict[str, Model] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                own = alias.asname or alias.name
                whole = f"{node.module}.{alias.name}"
                if whole in models:
                    found[own] = models[whole]
                found |= _members(own, whole, models)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found |= _members(alias.asname or alias.name, alias.name, models)
    return found


def _members(own: str, module: str, models: Mapping[str, Model]) -> dict[str, Model]:
    return {f"{own}.{one.name}": one for one in models.values() if one.module == module}


def _lightweight_tables(nodes: Nodes) -> dict[str, str]:
    found = {}
    for node in nodes:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and _name(node.value.func).rpartition(".")[2] in {"table", "Table"}
            and isinstance(node.value.args[0], ast.Constant)
        ):
            found.update({_name(target): str(node.value.args[0].value) for target in node.targets})
    return found


def _name(node: ast.expr) -> str:
    """Return a dotted name as it stands there, or an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return ""
