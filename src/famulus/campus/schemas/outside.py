"""What people who come from outside choose from."""

from pydantic import BaseModel


class ProviderOut(BaseModel):
    """An identity provider that people can sign in through."""

    id: str
    name: str


class ProviderList(BaseModel):
    """All of them, in the operator's order: there are a handful."""

    items: list[ProviderOut]
