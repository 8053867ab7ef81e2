"""The rules for Prometheus and the board for Grafana name metrics that the service exports."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from promql_parser import VectorSelector

from tests.docs.code import metrics
from tests.docs.pages import ROOT, page
from tests.docs.test_operating_page import HEADING, slug

RULES = ROOT / "deploy/prometheus/oa-bridge.rules.yml"
SCRAPE = ROOT / "deploy/prometheus/scrape.yml"
BOARD = ROOT / "deploy/grafana/oa-bridge.json"
# What Grafana puts in its place before it asks Prometheus.
RATE_INTERVAL = "$__rate_interval"
OF_PROMETHEUS = {"up": {"job", "instance"}}


def rules() -> list[dict[str, Any]]:
    """Return the rules."""
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Return the panels of the board."""
    found: list[dict[str, Any]] = json.loads(BOARD.read_text(encoding="utf-8"))["panels"]
    return found


def expressions() -> list[str]:
    """Return every expression of the rules and of the board."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [rule["expr"] for rule in rules()] + [
        expression.replace(RATE_INTERVAL, "5m") for expression in asked
    ]


def selectors(expression: str) -> Iterator[VectorSelector]:
    """Yield the selectors of an expression. Raises ValueError if it is no PromQL."""
    found: list[VectorSelector] = []

    def note(node: object) -> bool:
        if isinstance(node, VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(expression), note)
    yield from found


def exported() -> dict[str, set[str]]:
    """Return the labels of each series that the service exports."""
    known = {name: set(labels) for name, (kind, labels) in metrics().items() if kind}
    for name, (kind, labels) in metrics().items():
        if kind == "histogram":
            known[f"{name}_bucket"] = {*labels, "le"}
    return known | OF_PROMETHEUS


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_is_promql_about_metrics_and_labels_that_there_are(expression: str) -> None:
    known = exported()
    named = list(selectors(expression))
    assert named
    for selector in named:
        assert selector.name in known, expression
        matched = {matcher.name for matcher in selector.matchers.matchers}
        assert matched <= known[selector.name], expression
    labels = set[str]().union(*(known[str(one.name)] for one in named))
    for grouped in re.findall(r"by \(([^)]*)\)", expression):
        assert set(grouped.split(", ")) <= labels, expression


def test_each_rule_says_in_both_languages_what_is_so_and_where_it_is_told_what_to_do() -> None:
    headings = {slug(heading) for heading in HEADING.findall(page("en", "operating.md"))}
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        notes = rule["annotations"]
        assert notes["summary"]
        assert notes["summary_zh"]
        path, anchor = notes["runbook"].split("#")
        assert (path, anchor in headings) == ("docs/en/operating.md", True), rule["alert"]
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))


def test_what_a_rule_or_panel_shows_of_a_label_is_left_by_its_expression() -> None:
    shown = [(rule["expr"], str(rule["annotations"])) for rule in rules()]
    shown += [(t["expr"], t["legendFormat"]) for panel in panels() for t in panel["targets"]]
    for expression, text in shown:
        labels = re.findall(r"\{\{ ?\$labels\.(\w+) ?\}\}|\{\{(\w+)\}\}", text)
        wanted = {one or other for one, other in labels}
        if expression.startswith("up"):
            assert wanted <= OF_PROMETHEUS["up"]
            continue
        kept = re.search(r"by \(([^)]*)\)", expression)
        assert wanted <= set(kept[1].split(", ") if kept else []), expression


def test_the_panels_of_the_board_do_not_overlap() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels()]

    assert len(places) == len(set(places))
    assert [panel["id"] for panel in panels()] == list(range(1, len(places) + 1))


@pytest.mark.parametrize(("command", "path"), [("rules", RULES), ("config", SCRAPE)])
def test_promtool_finds_no_fault(command: str, path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        assert yaml.safe_load(path.read_text(encoding="utf-8"))
        return
    arguments = ["--syntax-only"] if command == "config" else []
    subprocess.run([promtool, "check", command, *arguments, str(path)], check=True)
