"""`python -m simulator`: runs the simulator."""

import signal
import tomllib
from pathlib import Path
from typing import Annotated

import typer
from fastapi import FastAPI
from pydantic import TypeAdapter

from simulator import demo
from simulator.accounts import Account, Mode
from simulator.app import create_app
from simulator.server import server_for

Config = Annotated[
    Path | None,
    typer.Option(
        help="A TOML file with an array `accounts`; it replaces the options for one account."
    ),
]
CallbackUrl = Annotated[
    str, typer.Option(help="The URL to which pushes are delivered; {appid} is replaced.")
]
Credential = Annotated[str, typer.Option(show_default=False)]
AdminToken = Annotated[
    str | None,
    typer.Option(
        envvar="SIMULATOR_ADMIN_TOKEN",
        show_envvar=True,
        help="One of the service's ADMIN_TOKENS, so that the chat page can say why it answers.",
    ),
]
MiniPrograms = Annotated[
    list[str] | None,
    typer.Option("--mini-program", help="The AppID of a linked mini-program; may be repeated."),
]


def main(  # noqa: PLR0913 - typer makes one option of each parameter
    *,
    host: str = "127.0.0.1",
    port: int = 8090,
    callback_url: CallbackUrl = demo.ACCOUNT.callback_url,
    appid: str = demo.ACCOUNT.appid,
    original_id: str = demo.ACCOUNT.original_id,
    secret: Credential = demo.ACCOUNT.secret,
    token: Credential = demo.ACCOUNT.token,
    encoding_aes_key: Credential = demo.ACCOUNT.encoding_aes_key,
    mode: Mode = Mode.SECURE,
    mini_programs: MiniPrograms = None,
    config: Config = None,
    admin_token: AdminToken = None,
) -> None:
    """Simulate WeChat's servers: the API, the pushes, and a chat page at /."""
    if config is not None:
        app = create_app(read_config(config), admin_token=admin_token)
    else:
        account = Account(
            appid=appid,
            original_id=original_id,
            secret=secret,
            token=token,
            encoding_aes_key=encoding_aes_key,
            callback_url=callback_url,
            mode=mode,
            linked_mini_programs=tuple(mini_programs or demo.ACCOUNT.linked_mini_programs),
        )
        app = create_app([account], openids=demo.OPENIDS, admin_token=admin_token)
    serve(app, host, port)


def read_config(path: Path) -> list[Account]:
    """Return the accounts of a TOML file, whose members are those of `Account`."""
    with path.open("rb") as file:
        return TypeAdapter(list[Account]).validate_python(tomllib.load(file)["accounts"])


def serve(app: FastAPI, host: str, port: int) -> None:
    """Run the server until SIGTERM or SIGINT, then end with status 0."""
    # uvicorn stops on these signals and then raises them again for the previous handlers.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    typer.echo(f"WeChat simulator on http://{host}:{port}")
    server_for(app, host, port).run()


if __name__ == "__main__":
    typer.run(main)
