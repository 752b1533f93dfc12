"""Settings: one frozen object, built once from the environment and handed to whoever needs it.

Every field is `FAMULUS_` plus its name; the customary names that other tools use are understood as well.
Where two are set, the `FAMULUS_` one wins. Keys of model providers are only ever read from the environment.
"""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import SettingsConfigDict

from famulus.kernel.errors import ConfigurationError
from famulus.kernel.issuers import TrustedIssuer
from famulus.kernel.settings_files import FileSettings
from famulus.kernel.settings_models import PREFIX, names
from famulus.kernel.settings_streams import StreamSettings


def _async_url(url: object) -> object:
    """The customary spellings of a database address, as the drivers in use here want them."""
    if not isinstance(url, str) or not url:
        return None
    scheme, separator, rest = url.partition("://")
    dialect = scheme.split("+")[0]
    if separator and dialect in ("postgres", "postgresql"):
        return f"postgresql+asyncpg://{rest}"
    if separator and dialect == "sqlite":
        return f"sqlite+aiosqlite://{rest}"
    raise ValueError("write postgresql+asyncpg://user:password@host/name or sqlite:///path/to/file.db")


class Settings(StreamSettings, FileSettings):
    """Everything an operator can set. Each field's description is its line in the reference."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, env_ignore_empty=True
    )

    host: str = Field("127.0.0.1", validation_alias=names("host"), description="Address to listen on.")
    port: int = Field(
        8000, ge=0, le=65535, validation_alias=names("port", "PORT"), description="Port to listen on."
    )
    environment: Literal["local", "test", "staging", "production"] = Field(
        "local",
        validation_alias=names("environment", "APP_ENV"),
        description="Where this runs. Other than `local`, a strong secret is demanded and `/docs` is off.",
    )
    data_dir: Path = Field(
        Path("var"),
        validation_alias=names("data_dir"),
        description="Folder of the embedded database, the development secret and stored files.",
    )
    database_url: Annotated[str | None, BeforeValidator(_async_url)] = Field(
        None,
        repr=False,  # it may contain a password
        validation_alias=names("database_url", "DATABASE_URL", "CHATKIT_STORE_DATABASE_URL"),
        description="PostgreSQL or SQLite address; unset means SQLite in the data folder.",
    )
    secret_key: SecretStr | None = Field(
        None,
        validation_alias=names("secret_key", "SECRET_KEY"),
        description="At least 32 random characters; signs and encrypts. `local` makes its own in the data folder.",
    )
    sign_up: bool | None = Field(
        None,
        validation_alias=names("sign_up"),
        description="Whether people may create accounts themselves; unset: only where APP_ENV is `local`.",
    )
    run_timeout: float = Field(
        600,
        gt=0,
        le=3600,
        validation_alias=names("run_timeout"),
        description="Seconds that one answer may take.",
    )
    run_lease: float = Field(
        4,
        ge=0.5,
        le=300,
        validation_alias=names("run_lease"),
        description="Seconds after which another instance takes over a run whose own has died.",
    )
    approval_lifetime: int = Field(
        86_400,
        ge=1,
        le=2_592_000,
        validation_alias=names("approval_lifetime"),
        description="Seconds that a tool call waits for a person to confirm it; then nothing is done.",
    )
    heartbeat: float = Field(
        10,
        gt=0,
        le=60,
        validation_alias=names("heartbeat"),
        description="Seconds between signs of life on a quiet stream; fewer than any proxy in front waits.",
    )
    max_live_runs: int = Field(
        1000,
        ge=1,
        validation_alias=names("max_live_runs"),
        description="Answers in progress at once per instance.",
    )
    allowed_private_hosts: tuple[str, ...] = Field(
        (),
        validation_alias=names("allowed_private_hosts"),
        description='JSON list of hosts with private addresses that outbound requests may reach, such as ["wiki.lan"].',
    )
    mcp_stdio: bool = Field(
        False,
        validation_alias=names("mcp_stdio"),
        description="Whether site admins may connect MCP servers that are programs, started on this machine.",
    )
    guest_chat: bool = Field(
        False,
        validation_alias=names("guest_chat"),
        description="Whether `/api/chat/message` answers people who have not signed in, within limits of their own.",
    )
    guest_days: int = Field(
        30,
        ge=1,
        le=3650,
        validation_alias=names("guest_days"),
        description="Days without a message after which a guest's conversation is deleted.",
    )
    stray_file_days: int = Field(
        1,
        ge=1,
        le=3650,
        validation_alias=names("stray_file_days"),
        description="Days after which a file without a message or a conversation is deleted.",
    )
    public_url: str | None = Field(
        None,
        validation_alias=names("public_url"),
        description="The address people use, when a proxy stands in front; `https://` makes cookies `Secure`.",
    )
    allowed_origins: tuple[str, ...] = Field(
        (),
        validation_alias=names("allowed_origins"),
        description='JSON list of other sites whose pages may ask here with a token, such as ["https://campus.example"].',
    )
    trusted_issuers: tuple[TrustedIssuer, ...] = Field(
        (),
        repr=False,  # there may be secrets of clients in it
        validation_alias=names("trusted_issuers"),
        description="JSON list of identity providers; see [Sign in from outside](../how-to/sign-in-from-outside.md).",
    )
    trusted_proxies: tuple[str, ...] = Field(
        (),
        validation_alias=names("trusted_proxies"),
        description="JSON list of addresses and networks whose `X-Forwarded-For` and the like are believed.",
    )
    proxy_secret: SecretStr | None = Field(
        None,
        min_length=16,
        validation_alias=names("proxy_secret"),
        description="What a gateway that names people has to send as `X-Proxy-Secret`.",
    )
    proxy_users: Literal["ignored", "known", "provisioned"] | None = Field(
        None,
        validation_alias=names("proxy_users"),
        description="Whom `X-User-ID` signs in; unset: `known` people if there is a secret for it, else nobody.",
    )
    max_body_bytes: int = Field(
        1_000_000,
        ge=10_000,
        validation_alias=names("max_body_bytes"),
        description="Largest JSON body accepted.",
    )
    max_upload_bytes: int = Field(
        100_000_000,
        ge=10_000,
        validation_alias=names("max_upload_bytes"),
        description="Largest upload accepted.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO",
        validation_alias=names("log_level", "LOG_LEVEL"),
        description="The least level that is logged.",
    )
    log_format: Literal["json", "text"] | None = Field(
        None,
        validation_alias=names("log_format"),
        description="`json`, one object a line, or `text`; unset: text on a terminal where APP_ENV is `local`.",
    )
    crash_point: str | None = Field(
        None,
        validation_alias=names("crash_point"),
        description="`NAME` or `NAME:N`: die by SIGKILL at the N-th arrival there. Only where APP_ENV is `test`.",
    )
    smtp_host: str | None = Field(
        None,
        validation_alias=names("smtp_host"),
        description="SMTP server that mails are handed to; unset: they are kept in the outbox for the site admin.",
    )
    smtp_port: int = Field(
        587, ge=1, le=65535, validation_alias=names("smtp_port"), description="Port of the SMTP server."
    )
    smtp_tls: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        validation_alias=names("smtp_tls"),
        description="`starttls` (port 587), `tls` from the first byte (port 465), or `none` for a server on this host.",
    )
    smtp_user: str | None = Field(
        None, validation_alias=names("smtp_user"), description="Name to sign in to the SMTP server with."
    )
    smtp_password: SecretStr | None = Field(
        None, validation_alias=names("smtp_password"), description="Its password."
    )
    smtp_timeout: float = Field(
        20,
        gt=0,
        le=120,
        validation_alias=names("smtp_timeout"),
        description="Seconds that the SMTP server may take for each step.",
    )
    mail_from: str | None = Field(
        None,
        validation_alias=names("mail_from"),
        description="Sender of mails, such as `Famulus <famulus@school.example>`; needed with an SMTP server.",
    )

    @model_validator(mode="before")
    @classmethod
    def _forgive_case(cls, values: dict[str, object]) -> dict[str, object]:
        """Levels and environments are customarily written in either case."""
        for name, fold in (
            ("LOG_LEVEL", str.upper),
            ("APP_ENV", str.lower),
            (PREFIX + "ENVIRONMENT", str.lower),
        ):
            for key in (name, PREFIX + name, name.lower()):
                if isinstance(value := values.get(key), str):
                    values[key] = fold(value)
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, url in (
            (f"{PREFIX}MODEL_BASE_URL", self.model_base_url),
            ("ANTHROPIC_BASE_URL", self.anthropic_base_url),
            (f"{PREFIX}EMBEDDING_BASE_URL", self.embedding_base_url),
            (f"{PREFIX}TRANSCRIPTION_BASE_URL", self.transcription_base_url),
        ):
            if url and urlsplit(url).scheme not in ("http", "https"):
                raise ValueError(f"{name} must begin with http:// or https://")
        if self.use_mock and self.mock_messages_file is None:
            raise ValueError(
                "MAIN_AGENT_USE_MOCK needs MAIN_AGENT_MOCK_MESSAGES_FILE, the file with the replies"
            )
        if self.crash_point and self.environment != "test":
            raise ValueError(f"{PREFIX}CRASH_POINT works only where APP_ENV is test")
        return self

    @model_validator(mode="after")
    def _outside_is_safe(self) -> Self:
        """Keys over plain HTTP could be anybody's, and a list of proxies that is none would trust nobody in silence."""
        for issuer in self.trusted_issuers:
            for url in filter(None, (issuer.issuer, issuer.jwks_url)):
                if (
                    not url.startswith("https://")
                    and urlsplit(url).hostname not in self.allowed_private_hosts
                ):
                    raise ValueError(f"{url} must be https://, or its host in {PREFIX}ALLOWED_PRIVATE_HOSTS")
        for kind in ("issuer", "id"):
            named = [name for issuer in self.trusted_issuers if (name := getattr(issuer, kind))]
            if len(named) != len(set(named)):
                raise ValueError(f"{PREFIX}TRUSTED_ISSUERS has two with the same `{kind}`")
        if not (self.local or self.public_url) and any(issuer.client_id for issuer in self.trusted_issuers):
            raise ValueError(
                f"signing in through a provider needs {PREFIX}PUBLIC_URL, the address it sends people back to"
            )
        for each in self.trusted_proxies:
            ip_network(each, strict=False)
        if self.proxy_users not in (None, "ignored") and not (self.trusted_proxies or self.proxy_secret):
            raise ValueError(f"{PREFIX}PROXY_USERS needs {PREFIX}PROXY_SECRET or {PREFIX}TRUSTED_PROXIES")
        return self

    @model_validator(mode="after")
    def _origins_are_origins(self) -> Self:
        for origin in self.allowed_origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc.lower()}":
                raise ValueError(
                    f"{origin} in {PREFIX}ALLOWED_ORIGINS is no origin such as https://campus.example"
                )
        return self

    @model_validator(mode="after")
    def _can_send_mail(self) -> Self:
        if self.mail_from is not None and ("@" not in self.mail_from or not self.mail_from.isprintable()):
            raise ValueError(
                f"{PREFIX}MAIL_FROM must be an address, such as Famulus <famulus@school.example>"
            )
        if self.smtp_host and not self.mail_from:
            raise ValueError(f"{PREFIX}SMTP_HOST needs {PREFIX}MAIL_FROM, the sender's address")
        if self.smtp_host and not self.public_url and not self.local:
            raise ValueError(f"{PREFIX}SMTP_HOST needs {PREFIX}PUBLIC_URL, which links in mails begin with")
        return self

    @property
    def proxy_names(self) -> Literal["ignored", "known", "provisioned"]:
        """Whether a gateway in front may say who somebody is. A proxy that only balances passes anything on."""
        return self.proxy_users or ("known" if self.proxy_secret else "ignored")

    @property
    def local(self) -> bool:
        """Whether this is somebody's own machine, where demo data and convenience are welcome."""
        return self.environment == "local"

    @property
    def sign_up_open(self) -> bool:
        """Whether people may create accounts themselves."""
        return self.local if self.sign_up is None else self.sign_up

    @property
    def database(self) -> str:
        """The address of the database in use."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'famulus.db'}"

    @property
    def base_url(self) -> str:
        """What links in mails begin with. Never taken from a request, whose sender would choose where they lead."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104 – compared, not bound
        return f"http://{host}:{self.port}"

    @property
    def https(self) -> bool:
        """Whether people reach the server over TLS, as far as the configuration tells."""
        return (self.public_url or "").startswith("https://")


def load_settings(**overrides: object) -> Settings:
    """The settings of this process's environment, with `overrides` by field name (tests, command line)."""
    try:
        return Settings(**overrides)  # pyright: ignore[reportArgumentType]
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()
        )
        raise ConfigurationError(f"The configuration cannot work: {problems}.") from error
