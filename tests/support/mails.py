"""What was written to somebody, read where it waits."""

import re

from sqlalchemy import text

from famulus.kernel.database import Database
from famulus.kernel.secrets import vault_of
from famulus.kernel.settings import Settings
from tests.support.serving import wait_for


def mailed_token(settings: Settings, email: str) -> str:
    """What the newest mail to an address has in its link."""

    async def read() -> str:
        database = Database(settings.database)
        try:
            async with database.read() as session:
                query = text("SELECT id, body FROM mails WHERE recipient = :to ORDER BY id DESC LIMIT 1")
                id, body = (await session.execute(query, {"to": email})).one()
                return vault_of(settings).decrypt(body, id)
        finally:
            await database.close()

    [token] = re.findall(r"\?token=(\S+)$", wait_for(read()), re.MULTILINE)
    return token
