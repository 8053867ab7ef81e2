"""A server that refuses every connection as Postgres does, with a code of our choice."""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SSL_REQUEST = 80877103


@contextmanager
def refusing_postgres(code: str, message: str) -> Iterator[str]:
    """Run the server and yield the URL of a database there. code: the SQLSTATE."""

    class Refusal(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length, kind = struct.unpack("!II", self.rfile.read(8))
            if kind == SSL_REQUEST:
                self.wfile.write(b"N")
                (length, _) = struct.unpack("!II", self.rfile.read(8))
            self.rfile.read(length - 8)
            self.wfile.write(_error(code, message))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusal) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"postgresql://oa:hunter2Hunter2@127.0.0.1:{server.server_address[1]}/oa"
        finally:
            server.shutdown()


def _error(code: str, message: str) -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": code, "M": message}
    body = b"".join(name.encode() + value.encode() + b"\0" for name, value in fields.items())
    return b"E" + struct.pack("!I", len(body) + 5) + body + b"\0"
