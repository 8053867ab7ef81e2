"""Who runs a command, as the audit log names it."""

import getpass
import os
import socket

from app.access.actor import Actor, ActorKind


def cli_actor() -> Actor:
    """Return the actor of a command: `cli`, at the user and host that run it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = str(os.getuid())
    return Actor(ActorKind.CLI, "cli", f"{user}@{socket.gethostname()}")
