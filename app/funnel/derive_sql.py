"""SQL that says of a touch which steps it reached, by the windows."""

from typing import Final

_OPENED: Final = "LEAST(t.opened_after, t.converted_after) <= :opened_seconds"

# Somebody who converts by what was sent has opened it, and what was opened has been sent. So no
# step has more than the step before it, whatever reports are missing.
REACHED: Final = f"""
    SELECT r.received, r.received AND (r.matched OR r.sent) AS matched, r.followed, r.sent,
           r.opened, r.converted,
           r.opened AND NOT (t.opened_exact OR t.converted_exact) AS opened_estimated,
           r.converted AND NOT t.converted_exact AS converted_estimated
    FROM (
        SELECT t.source = 'push' AS received, t.matched, t.followed,
               t.sent OR (o.opened AND t.source <> 'launch') AS sent, o.opened,
               o.opened AND COALESCE(t.converted_after <= :converted_seconds, false) AS converted
        FROM (SELECT COALESCE({_OPENED}, false) AS opened) AS o
    ) AS r
"""  # noqa: S608 - constants of this module

COUNTED: Final = ("received", "matched", "followed", "sent", "opened", "converted")
ESTIMATED: Final = ("opened_estimated", "converted_estimated")
