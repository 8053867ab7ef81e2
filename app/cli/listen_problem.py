"""Says why a port can't be listened on, and which setting to change. Pure."""

import errno
import socket


def listen_problem(error: OSError, setting: str, host: str, port: int) -> str:
    """Return one line about an error of bind. setting: the name of the setting of the port."""
    if isinstance(error, socket.gaierror):
        return f"HOST: {host} is not found: set it to an address of this machine, such as 0.0.0.0"
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"{setting}: port {port} is in use on {host}: stop the program that listens there, "
                "or choose another port"
            )
        case errno.EADDRNOTAVAIL:
            return (
                f"HOST: {host} is no address of this machine: set it to one that is, such as "
                "127.0.0.1 or 0.0.0.0"
            )
        case errno.EACCES:
            return (
                f"{setting}: this user may not listen on port {port}: choose a port of 1024 or more"
            )
    return f"{setting}: port {port} on {host} can't be listened on: {error.strerror}"
