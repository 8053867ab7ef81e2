"""`python -m simulator`: runs the simulator."""

import signal
import socket
from pathlib import Path
from typing import Annotated

import typer
from fastapi import FastAPI

from simulator import demo
from simulator.accounts import Account, Mode
from simulator.app import create_app
from simulator.config import BadConfig, read_config, require_keys
from simulator.server import server_for

BAD_USE = 2

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
    try:
        _require_free(host, port)
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
            require_keys([account])
            app = create_app([account], openids=demo.OPENIDS, admin_token=admin_token)
        app.state.simulator.notices.reports = True
    except BadConfig as error:
        for problem in str(error).splitlines():
            typer.echo(f"simulator: {problem}", err=True)
        raise typer.Exit(BAD_USE) from None
    serve(app, host, port)


def _require_free(host: str, port: int) -> None:
    """Raise BadConfig if the port can't be listened on. Uvicorn would say it with a number."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OverflowError:
        raise BadConfig(f"--port: {port} is no port: choose one of 1 to 65535") from None
    except socket.gaierror:
        raise BadConfig(f"--host: {host} is not found: choose an address of this machine") from None
    except OSError as error:
        raise BadConfig(
            f"--port: port {port} on {host} can't be listened on ({error.strerror}): choose "
            "another one, or stop the program that listens there"
        ) from None


def serve(app: FastAPI, host: str, port: int) -> None:
    """Run the server until SIGTERM or SIGINT, then end with status 0."""
    # uvicorn stops on these signals and then raises them again for the previous handlers.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    typer.echo(f"WeChat simulator on http://{host}:{port}")
    server_for(app, host, port).run()


if __name__ == "__main__":
    typer.run(main)
