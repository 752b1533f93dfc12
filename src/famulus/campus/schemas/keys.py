"""What the routes of an organization's API keys take."""

from famulus.campus.models import MemberRole
from famulus.identity.key_schemas import NewKey


class NewOrganizationKey(NewKey):
    """An API key of an organization to be made."""

    role: MemberRole = "student"
