"""The database session of a request handler."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import Database


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Yield a session in a transaction that commits before the response is sent."""
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        yield session


# scope="function": the commit comes before the response is sent. A client must not be told of a
# change that may still fail to commit.
SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]
