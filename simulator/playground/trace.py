"""Prints the demonstration for the person at the terminal."""

from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from simulator.playground.setup import Setup
from simulator.playground.story import Trace


def show_trace(console: Console, trace: Trace) -> None:
    """Print what happened to one message, step by step."""
    push, delivery = trace.push, trace.push["deliveries"][-1]
    answer, card = push["answer"], trace.card["content"]
    sealed = "encrypted" if answer["encrypted"] else "not encrypted"
    steps = Table.grid(padding=(0, 2))
    steps.add_column(style="bold")
    steps.add_column(overflow="fold")
    steps.add_row("Follower writes", _typed(push))
    steps.add_row(
        "Callback",
        f"POST /callback/{push['appid']} answered {delivery['status']} "
        f"in {delivery['latency_ms']:.0f} ms",
    )
    steps.add_row("Rule matched", _rule(trace.rule))
    steps.add_row(
        "Passive reply", f"{answer['reply'].get('Content', answer['verdict'])} ({sealed})"
    )
    steps.add_row("Card received", f"after {trace.card_ms:.0f} ms, by customer-service message")
    picture = f"thumb {card['thumb_media_id'][:16]}…"
    panel = Panel(
        Group(Text(card["title"], style="bold"), card["appid"], card["pagepath"], picture),
        title="mini-program card",
        width=52,
    )
    console.print("\n[bold green]One message, end to end[/]")
    console.print(steps, panel)


def show_sign_in_link(console: Console, link: str) -> None:
    """Print how to sign in to the console."""
    console.print("\n[bold green]Console[/] (the link signs in once, within 15 minutes)")
    # One line, however narrow the terminal is, or it could not be clicked or copied.
    console.print(link, highlight=False, markup=False, soft_wrap=True)


def show_addresses(console: Console, setup: Setup) -> None:
    """Print the addresses of the running programs."""
    addresses = Table.grid(padding=(0, 2))
    addresses.add_column(style="bold")
    addresses.add_column(overflow="fold")
    addresses.add_row("Chat page", f"{setup.simulator}/")
    addresses.add_row("API docs", f"{setup.service}/docs")
    addresses.add_row("Admin token", f"{setup.admin_token} (Authorize in the docs; this run only)")
    addresses.add_row("Readiness", f"{setup.service}/readyz")
    addresses.add_row("Metrics", f"{setup.service}/metrics")
    addresses.add_row("Logs", str(setup.data_dir / "logs"))
    console.print("\n[bold green]Look around[/]")
    console.print(addresses)


def _typed(push: dict[str, Any]) -> str:
    start, end = "<Content><![CDATA[", "]]></Content>"
    return str(push["document"]).partition(start)[2].partition(end)[0] or str(push["document"])


def _rule(rule: dict[str, Any]) -> str:
    trigger = rule["trigger"]
    values = " ".join(str(value) for value in trigger.values())
    return f"{rule['name']} (rule {rule['id']}: {values})"
