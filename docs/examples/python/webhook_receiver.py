"""Receives webhooks: checks the signature, prints the event, answers 204.

WEBHOOK_SECRET and PORT come from the environment.
"""

import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOLERANCE_SECONDS = 300
SECRET = os.environ["WEBHOOK_SECRET"]


class NotGenuine(Exception):
    """This request does not come from OA Bridge, or it is too old."""


def verify(secret: str, event_id: str, timestamp: str, signatures: str, body: bytes) -> None:
    """Check a request; body: the bytes as they came, before any parsing. Raises NotGenuine."""
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        raise NotGenuine("the timestamp is missing, or more than five minutes away")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    # While a secret is being changed there are two signatures: one of them has to fit.
    for signature in signatures.split():
        if hmac.compare_digest(signature.encode(), expected):
            return
    raise NotGenuine("no signature fits")


def store(event_id: str, event: dict[str, Any]) -> None:
    """Keep the event, once per event_id. In your program: one INSERT into your database."""
    print(json.dumps({"id": event_id, **event}), flush=True)


class Handler(BaseHTTPRequestHandler):
    """Answers 204 when the event is stored, 400 when it is not genuine."""

    def do_POST(self) -> None:
        """Handle one delivery."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        event_id, timestamp, signatures = [self.headers.get(name, "") for name in names]
        try:
            verify(SECRET, event_id, timestamp, signatures, body)
        except NotGenuine as error:
            self.send_error(400, str(error))
            return
        store(event_id, json.loads(body))
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
