"""A pool that leaves no connection open once it is closed."""

import logging

from sqlalchemy import AsyncAdaptedQueuePool
from sqlalchemy.pool import ConnectionPoolEntry


class ConnectionPool(AsyncAdaptedQueuePool):
    """Closes a connection that is returned after the pool was disposed of.

    SQLAlchemy would keep it in the old pool, which nobody uses any more. It would stay open until
    the garbage collector finds it, which can't say goodbye to the server.
    """

    # SQLAlchemy names the log after the class, and ours are written from "info" on.
    logging.getLogger(f"{__name__}.ConnectionPool").setLevel(logging.WARNING)
    _is_disposed = False

    def dispose(self) -> None:
        """Close what is not in use now; what is in use is closed when it is returned."""
        self._is_disposed = True
        super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self._is_disposed:
            record.invalidate()
        super()._do_return_conn(record)
