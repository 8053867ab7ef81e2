"""Keeps credentials out of the ledger."""

import hashlib
import re

CREDENTIAL = re.compile(r'("(?:access_token|secret)"\s*:\s*")([^"]*)(")')


def masked(credential: str) -> str:
    """Return a short hash in place of a credential, equal for equal credentials."""
    return f"***{hashlib.sha256(credential.encode()).hexdigest()[:8]}"


def mask_json(text: str) -> str:
    """Return JSON text with the values of access_token and secret masked."""
    return CREDENTIAL.sub(lambda hit: hit[1] + masked(hit[2]) + hit[3], text)
