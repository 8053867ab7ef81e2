"""The settings with which the programs of the playground are started."""

import os
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path

from app.settings import Settings
from simulator import demo

HOST = "127.0.0.1"
SERVICE_PORT = 8000
SIMULATOR_PORT = 8090
PORTS_TRIED = 100


@dataclass(frozen=True, slots=True)
class Setup:
    """The addresses, the folders and the admin token of one run."""

    data_dir: Path
    service_port: int
    simulator_port: int
    admin_token: str = field(default_factory=lambda: secrets.token_urlsafe(18))

    @property
    def service(self) -> str:
        """Base URL of the service."""
        return f"http://{HOST}:{self.service_port}"

    @property
    def simulator(self) -> str:
        """Base URL of the simulator."""
        return f"http://{HOST}:{self.simulator_port}"

    @property
    def media_dir(self) -> Path:
        """The folder with the media files of rules."""
        return self.data_dir / "media"

    def environment(self, database_url: str) -> dict[str, str]:
        """Return the environment of the service, with the demonstration account alone."""
        account = demo.ACCOUNT
        return {
            **bare_environment(),
            "DATABASE_URL": database_url,
            "DATA_DIR": str(self.data_dir),
            "HOST": HOST,
            "PORT": str(self.service_port),
            "ADMIN_TOKENS": self.admin_token,
            # The addresses that are printed are for a browser, which sends no token.
            "OPERATIONS_PUBLIC": "true",
            "WECHAT_API_BASE_URL": self.simulator,
            "WECHAT_APPID": account.appid,
            "WECHAT_ORIGINAL_ID": account.original_id,
            "WECHAT_APPSECRET": account.secret,
            "WECHAT_TOKEN": account.token,
            "WECHAT_ENCODING_AES_KEY": account.encoding_aes_key,
        }


def bare_environment() -> dict[str, str]:
    """Return the environment of this process without settings of the service or of a proxy.

    A setting meant for a real account must not reach the playground, and a proxy does not reach
    this machine's own ports.
    """
    dropped = {name.upper() for name in Settings.model_fields}
    dropped |= {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}
    return {name: value for name, value in os.environ.items() if name.upper() not in dropped}


def free_port(preferred: int) -> int:
    """Return `preferred`, or the next port that is free. Raises OSError."""
    for port in range(preferred, preferred + PORTS_TRIED):
        with socket.socket() as probe:
            # As servers do, so that a connection that has just closed does not block the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {preferred} on")
