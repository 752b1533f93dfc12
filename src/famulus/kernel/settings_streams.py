"""The settings that bound what one person may keep open, and how long the server waits for them."""

from pydantic import Field

from famulus.kernel.settings_models import ModelSettings, names


class StreamSettings(ModelSettings):
    """What is set of streams, sockets and bodies of requests."""

    max_streams: int = Field(
        256,
        ge=1,
        le=100_000,
        validation_alias=names("max_streams"),
        description="Event streams that one person, or one program, may have open at once per instance.",
    )
    body_timeout: float = Field(
        30,
        gt=0,
        le=3600,
        validation_alias=names("body_timeout"),
        description="Seconds in which the body of a request has to have come; of an upload twenty times as many.",
    )
    max_sockets: int = Field(
        32,
        ge=1,
        le=10_000,
        validation_alias=names("max_sockets"),
        description="WebSockets that one person may have open at once per instance.",
    )
    socket_idle_timeout: float = Field(
        900,
        gt=0,
        le=86_400,
        validation_alias=names("socket_idle_timeout"),
        description="Seconds after which a WebSocket is closed on which nothing happens.",
    )
    socket_patience: float = Field(
        10,
        gt=0,
        le=300,
        validation_alias=names("socket_patience"),
        description="Seconds that a WebSocket waits for a client that does not read, before it is dropped.",
    )
