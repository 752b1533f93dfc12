"""What was written to somebody, read where it waits."""

import re

from sqlalchemy import text

from famulus.kernel.database import Database
from tests.support.serving import wait_for


def mailed_token(database_url: str, email: str) -> str:
    """What the newest mail to an address has in its link."""

    async def read() -> str:
        database = Database(database_url)
        try:
            async with database.read() as session:
                query = text("SELECT body FROM mails WHERE recipient = :to ORDER BY id DESC LIMIT 1")
                return str((await session.execute(query, {"to": email})).scalar_one())
        finally:
            await database.close()

    [token] = re.findall(r"\?token=(\S+)$", wait_for(read()), re.MULTILINE)
    return token
