"""What the code itself says of its log lines, metrics and refusals, read from its syntax."""

import ast
from functools import cache

from tests.docs.pages import ROOT

LOG_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
METRICS = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram"}
# What is read from the database at each scrape; the second one adds the prefix to the name.
SCRAPED = {"GaugeMetricFamily": "", "_gauge": "oa_bridge_"}
REFUSED = {"BadEnvelope", "BadSignature", "Stale", "metrics.REFUSALS.labels"}


@cache
def nodes() -> tuple[ast.Call | ast.ClassDef, ...]:
    """Return every call and every class of the service."""
    files = sorted((ROOT / "app").rglob("*.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    found = (node for tree in trees for node in ast.walk(tree))
    return tuple(node for node in found if isinstance(node, ast.Call | ast.ClassDef))


@cache
def calls() -> tuple[tuple[str, ast.Call], ...]:
    """Return every call with the text of what is called."""
    return tuple((ast.unparse(node.func), node) for node in nodes() if isinstance(node, ast.Call))


def log_events() -> dict[str, tuple[str, frozenset[str]]]:
    """Return level and fields of every event that is logged."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for name, call in calls():
        owner, _, level = name.rpartition(".")
        if owner not in {"log", "logger", "_log"} or level not in LOG_LEVELS:
            continue
        event = ast.literal_eval(call.args[0])
        fields = {keyword.arg or "**" for keyword in call.keywords}
        if level == "exception":
            level, fields = "error", {*fields, "exception"}
        if "exc_info" in fields:
            fields = {*fields, "exception"} - {"exc_info"}
        told = (level, frozenset(fields))
        assert found.setdefault(event, told) == told, f"{event} is logged in two ways"
    return found


def metrics() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return type and labels of every metric, by the name that Prometheus sees."""
    found = {}
    for name, call in calls():
        if not call.args or not isinstance(call.args[0], ast.Constant):
            continue
        metric = SCRAPED.get(name, "") + str(call.args[0].value)
        kind = "gauge" if name in SCRAPED else METRICS.get(name)
        if kind is None or not metric.startswith("oa_bridge_"):
            continue
        lists = [arg for arg in call.args if isinstance(arg, ast.List)]
        labels = tuple(ast.literal_eval(lists[0])) if lists else ()
        found[metric + ("_total" if kind == "counter" else "")] = (kind, labels)
    return found


def refusals() -> set[str]:
    """Return every reason for which a callback is refused."""
    found = set()
    for name, call in calls():
        if name in REFUSED and isinstance(call.args[0], ast.Constant):
            found.add(str(call.args[0].value))
        elif name == "self._refuse" and isinstance(call.args[1], ast.Constant):
            found.add(str(call.args[1].value))
    for node in nodes():
        if isinstance(node, ast.ClassDef) and "InboxError" in map(ast.unparse, node.bases):
            found |= {
                str(ast.literal_eval(part.value))
                for part in node.body
                if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "reason"
            }
    return found
