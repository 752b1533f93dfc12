"""The settings of files that come in: course material, and what people send with a message."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from famulus.kernel.settings_models import names


class FileSettings(BaseSettings):
    """How much may come, and where it is kept."""

    source_folders: tuple[Path, ...] = Field(
        (),
        validation_alias=names("source_folders"),
        description="JSON list of folders of this machine inside which site admins may name sources by API.",
    )
    source_file_bytes: int = Field(
        50_000_000,
        ge=10_000,
        validation_alias=names("source_file_bytes"),
        description="Largest file of course material that is read.",
    )
    source_total_bytes: int = Field(
        2_000_000_000,
        ge=10_000,
        validation_alias=names("source_total_bytes"),
        description="Most that the files of one zip or repository may take together, unpacked.",
    )
    source_files: int = Field(
        50_000,
        ge=1,
        le=1_000_000,
        validation_alias=names("source_files"),
        description="Most files of one source.",
    )
    source_file_seconds: float = Field(
        30,
        gt=0,
        le=600,
        validation_alias=names("source_file_seconds"),
        description="Seconds that reading one file may take.",
    )
    source_file_memory: int = Field(
        4_000_000_000,
        ge=500_000_000,
        validation_alias=names("source_file_memory"),
        description="Bytes of address space of a process that reads files.",
    )
    attachment_url: str | None = Field(
        None,
        repr=False,  # it may contain a key
        validation_alias=names("attachment_url"),
        description="Bucket of attachments, such as s3://name/folder; unset: a folder in the data folder.",
    )
    max_attachment_bytes: int = Field(
        20_000_000,
        ge=10_000,
        validation_alias=names("max_attachment_bytes"),
        description="Largest attachment accepted.",
    )
