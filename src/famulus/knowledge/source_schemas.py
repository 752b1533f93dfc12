"""What is said of a source that is read again and again: where it is, what of it is read, and when."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from famulus.kernel.text import Change, Clearable, Id, Input, LongText, Name

URLS = 200
PATTERNS = 50


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address that begins with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a name or a password, which everybody who sees the source would see")
    if not url.isprintable() or " " in url:
        raise ValueError("must not hold blanks or control characters")
    return url


def _place(location: str) -> str:
    if "://" in location or not location:
        return _address(location) if location else location
    if not location.startswith("/") or not location.isprintable():
        raise ValueError("must be an address, or the full path of a folder on the server")
    return location


def _ref(ref: str) -> str:
    if ref.startswith("-") or ".." in ref or not ref.isprintable() or " " in ref:
        raise ValueError("must be the name of a branch or a tag")
    return ref


Address = Annotated[str, Field(max_length=1000), AfterValidator(_address)]
Location = Annotated[str, Field(max_length=1000), AfterValidator(_place)]
Pattern = Annotated[str, LongText(200, single_line=True)]
Patterns = Annotated[list[Pattern], Field(max_length=PATTERNS)]
Ref = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_ref)]
Schedule = Annotated[str, Field(max_length=100)]


class NewSource(Input):
    """A source to be: of a course, of an organization, or with neither of the whole site."""

    kind: Literal["git", "urls", "openapi", "folder"]
    name: Name
    location: Location = Field(
        "", description="Address of the repository or document; a folder on the server."
    )
    organization_id: Id | None = None
    course_id: Id | None = Field(None, description="Its organization is the course's.")
    urls: list[Address] = Field([], max_length=URLS, description="For the kind `urls`.")
    ref: Ref | None = Field(None, description="For the kind `git`: branch or tag; left out, its default.")
    include: Patterns = Field([], description="Patterns such as `docs/*` of paths that are read; none: all.")
    exclude: Patterns = Field([], description="Patterns of paths that are left out.")
    schedule: Schedule | None = Field(None, description="When it is read anew: five fields of cron, in UTC.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "urls" and (not self.urls or self.location):
            raise ValueError("urls: give `urls`, and no `location`")
        if self.kind != "urls" and (self.urls or not self.location):
            raise ValueError(f"{self.kind}: give `location`, and no `urls`")
        if self.kind == "openapi" and not self.location.startswith("http"):
            raise ValueError("openapi: the `location` has to be an address")
        if self.kind == "folder" and self.location.startswith("http"):
            raise ValueError("folder: the `location` has to be a path")
        return self


class SourceChange(Change):
    """What shall be otherwise; what is left out stays."""

    name: Name | None = None
    urls: list[Address] | None = Field(None, max_length=URLS)
    ref: Clearable[Ref] = None
    include: Patterns | None = None
    exclude: Patterns | None = None
    schedule: Clearable[Schedule] = Field(None, description="null: only when asked.")
