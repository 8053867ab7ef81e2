"""Reads from a JPEG how many of its colours the first scan has. Source: ITU-T T.81, B.1.1 and B.2.

A JPEG has one scan with all of its colours, or several, of which each has some. Pure.
"""

from typing import Final

_FILL: Final = 0xFF
_START_OF_SCAN: Final = 0xDA


def colours_of_first_scan(content: bytes) -> int:
    """Return the number of colours (components) in the first scan; 0 if there is none to be read.

    Before the first scan everything is a segment: a marker, a length of two bytes, and so much.
    """
    position = 2
    while position + 4 < len(content) and content[position] == _FILL:
        marker = content[position + 1]
        if marker == _FILL:
            position += 1
            continue
        if marker == _START_OF_SCAN:
            return content[position + 4]
        position += 2 + int.from_bytes(content[position + 2 : position + 4])
    return 0
