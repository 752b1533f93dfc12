"""The composition root: the only place where adapters are chosen and the parts are put together.

`open_parts` builds everything that serves a person without HTTP (the command line uses it as it is); `create_app` puts
the doors before it. Nothing is built at import, and two applications can live in one process.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from functools import partial
from operator import attrgetter

from fastapi import FastAPI
from pydantic import SecretStr

from famulus import background
from famulus.assistants import tools as assistant_tools
from famulus.assistants.cache import AssistantCache
from famulus.assistants.registry import ensure_default
from famulus.campus.guests import Guests
from famulus.conversations.attachments import Attachments
from famulus.doors import api_docs, chatkit, front_ends, mcp, rest, socket, web
from famulus.doors.ag_ui import mounting as ag_ui
from famulus.doors.ai_sdk import mounting as ai_sdk
from famulus.doors.authenticator import Authenticator
from famulus.doors.mcp import McpDoor
from famulus.doors.mcp_calls import Caller
from famulus.doors.middleware import Enveloped
from famulus.doors.openai import mounting as openai
from famulus.doors.problems import PROBLEMS
from famulus.doors.socket import SocketDoor
from famulus.doors.socket_talk import Hearing
from famulus.doors.watch import Watch
from famulus.identity.foreign import ForeignTokens
from famulus.identity.gate import Gate
from famulus.identity.oidc import Providers
from famulus.insights import tools as insight_tools
from famulus.kernel.blobs import Blobs
from famulus.kernel.bus import Bus
from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.kernel.http import Outbound
from famulus.kernel.instance import instance_name
from famulus.kernel.jobs import Worker
from famulus.kernel.live import Live, Relay
from famulus.kernel.migrate import reach, require_newest
from famulus.kernel.secrets import Vault, load_secret
from famulus.kernel.settings import Settings
from famulus.knowledge.elsewhere import opened_index
from famulus.knowledge.meaning import Meaning
from famulus.knowledge.retrieve import Retriever, index_of
from famulus.knowledge.triple_runs import Triples
from famulus.llm.choose import default_choice, open_model
from famulus.llm.embedding.choose import Embedders, Places
from famulus.llm.health import Healths
from famulus.llm.http_stream import Clients
from famulus.llm.limits import Limits
from famulus.llm.opened import Models
from famulus.llm.prices import Prices
from famulus.ops.routes import router as operations
from famulus.runs.acting import Hands
from famulus.runs.approvals import Approvals
from famulus.runs.carrying import Carrier
from famulus.runs.exchanges import Exchanges
from famulus.runs.journal import Journal
from famulus.runs.keeper import Keeper
from famulus.runs.preparation import Preparation
from famulus.runs.runner import Runner
from famulus.runs.service import Runs
from famulus.runs.undoing import Undoing
from famulus.tools.builtin.catalogue import built_in
from famulus.tools.connected import Connected
from famulus.tools.connections import Connections
from famulus.tools.contract import Tool
from famulus.tools.kinds import every_kind
from famulus.tools.offer import Toolbox
from famulus.tools.rules import RulesCache

VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that one application is made of; the doors find it as their application's state."""

    settings: Settings
    database: Database
    bus: Bus
    live: Live
    vault: Vault
    gate: Gate
    providers: Providers
    authenticator: Authenticator
    watch: Watch
    models: Models
    meaning: Meaning
    retriever: Retriever
    triples: Triples
    runs: Runs
    exchanges: Exchanges
    guests: Guests
    approvals: Approvals
    undoing: Undoing
    attachments: Attachments
    connections: Connections
    mcp: McpDoor
    sockets: SocketDoor
    runner: Runner
    worker: Worker
    instance: str


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def model_choice(settings: Settings) -> str:
    """Which model answers by default: the chosen one, the script, or the one that the keys allow."""
    if settings.model:
        return settings.model
    if settings.use_mock:
        return f"scripted:{settings.mock_messages_file}"
    return default_choice(_plain(settings.openai_api_key), _plain(settings.anthropic_api_key))


def open_models(settings: Settings) -> Models:
    """The models of these settings; the default is opened at once, so that a wrong choice stops the start."""
    healths = Healths()
    opener = partial(
        open_model,
        base_url=settings.model_base_url,
        openai_api_key=_plain(settings.openai_api_key),
        anthropic_base_url=settings.anthropic_base_url,
        anthropic_api_key=_plain(settings.anthropic_api_key),
        limits=Limits(
            first_byte=settings.model_first_token_timeout,
            idle=settings.model_idle_timeout,
            whole=settings.run_timeout,
        ),
        clients=Clients(),
        healths=healths,
    )
    models = Models(opener, model_choice(settings), healths, effort=settings.reasoning_effort)
    models.get()
    return models


def open_embedders(settings: Settings) -> Embedders:
    """What turns texts into vectors; nothing is loaded yet. Raises ConfigurationError for a wrong choice."""
    key = settings.embedding_api_key
    if key is None and (settings.embedding or "").strip().lower().startswith("openai:"):
        key = settings.openai_api_key
    places = Places(settings.data_dir / "models", settings.embedding_base_url, _plain(key))
    return Embedders(settings.embedding, places)


@asynccontextmanager
async def open_parts(settings: Settings, tools: Sequence[Tool] = ()) -> AsyncGenerator[Parts]:
    """Everything, started; on the way out it stops in reverse. Raises ConfigurationError where it cannot work.

    `tools` are the application's own, which its assistants have besides ours.
    """
    vault = Vault(load_secret(settings))
    async with AsyncExitStack() as stack:
        database = Database(settings.database, Bus())
        stack.push_async_callback(database.close)
        await reach(database)
        await require_newest(database)
        async with database.write() as session:
            await ensure_default(session)
        live = Live(_relay(database))
        await live.start()
        stack.push_async_callback(live.close)
        models = open_models(settings)
        stack.push_async_callback(models.close)
        gate = Gate(strict=not settings.local)
        stack.callback(gate.close)
        meaning = Meaning(database, open_embedders(settings), CrashPoints(settings.crash_point))
        await meaning.start()
        stack.push_async_callback(meaning.embedders.close)
        outbound = Outbound(settings.allowed_private_hosts)
        stack.push_async_callback(outbound.close)
        files = _attachments(settings, database, vault)
        index = await stack.enter_async_context(opened_index(database, index_of(database.dialect), settings))
        retriever = Retriever(database, meaning, index)
        prices = Prices(settings.model_prices, settings.model_base_url)
        opened = _Opened(vault, gate, models, prices, meaning, retriever, outbound, files)
        parts = _put_together(settings, database, live, opened, tools)
        stack.push_async_callback(parts.authenticator.close)
        stack.push_async_callback(parts.watch.close)
        keeper = Keeper(database, live, parts.runner, heartbeat=settings.heartbeat)
        keeper.start()
        stack.push_async_callback(keeper.stop)
        await parts.worker.start()
        stack.push_async_callback(parts.worker.stop)
        yield parts


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is open before the parts are put together: secrets, and whoever else is asked."""

    vault: Vault
    gate: Gate
    models: Models
    prices: Prices
    meaning: Meaning
    retriever: Retriever
    outbound: Outbound
    files: Attachments


def _put_together(
    settings: Settings, database: Database, live: Live, opened: _Opened, tools: Sequence[Tool]
) -> Parts:
    vault = opened.vault
    bus, instance = database.bus, instance_name()
    kinds = every_kind(vault, opened.outbound, stdio=settings.mcp_stdio)
    ours = own_tools(database, settings, opened.retriever)
    toolbox = Toolbox((*ours, *tools), (Connected(database, bus, kinds).tools,))
    engine = _engine(settings, database, live, opened, toolbox=toolbox, instance=instance)
    providers, authenticator, watch = _ways_in(settings, database, opened.outbound, vault)
    return Parts(
        settings=settings,
        database=database,
        bus=bus,
        live=live,
        vault=vault,
        gate=opened.gate,
        providers=providers,
        authenticator=authenticator,
        watch=watch,
        models=opened.models,
        meaning=opened.meaning,
        retriever=opened.retriever,
        triples=Triples(database, opened.models, opened.prices),
        runs=engine.runs,
        exchanges=engine.exchanges,
        guests=Guests(database, vault, welcome=settings.guest_chat),
        approvals=engine.approvals,
        undoing=engine.undoing,
        attachments=opened.files,
        connections=Connections(database, vault, kinds),
        mcp=McpDoor(settings, authenticator, engine.caller, version=VERSION),
        sockets=_sockets(settings, database, engine, authenticator, watch, vault=vault),
        runner=engine.runner,
        worker=_worker(settings, database, live, opened, instance=instance),
        instance=instance,
    )


def _worker(settings: Settings, database: Database, live: Live, opened: _Opened, *, instance: str) -> Worker:
    work = background.background(
        settings,
        database,
        live,
        models=opened.models,
        meaning=opened.meaning,
        retriever=opened.retriever,
        outbound=opened.outbound,
        attachments=opened.files,
    )
    schedules = background.SCHEDULES
    return Worker(database, work.handlers, instance, schedules=schedules, told=work.told)


def _ways_in(
    settings: Settings, database: Database, outbound: Outbound, vault: Vault
) -> tuple[Providers, Authenticator, Watch]:
    hosts = settings.allowed_private_hosts
    foreign = ForeignTokens(settings.trusted_issuers, outbound, plain_hosts=hosts)
    authenticator = Authenticator(database, settings, database.bus, foreign, vault=vault)
    watch = Watch(database, authenticator, database.bus, most_streams=settings.max_streams)
    return Providers(foreign, vault), authenticator, watch


@dataclass(frozen=True, slots=True)
class _Engine:
    """What answers come about by, and the calls of programs."""

    runner: Runner
    runs: Runs
    exchanges: Exchanges
    approvals: Approvals
    undoing: Undoing
    caller: Caller


def _sockets(
    settings: Settings,
    database: Database,
    engine: _Engine,
    authenticator: Authenticator,
    watch: Watch,
    *,
    vault: Vault,
) -> SocketDoor:
    hearing = Hearing(
        engine.runs, engine.exchanges, engine.approvals, authenticator, settings.socket_patience
    )
    return SocketDoor(settings, database, authenticator, watch, hearing, vault=vault)


def _engine(
    settings: Settings, database: Database, live: Live, opened: _Opened, *, toolbox: Toolbox, instance: str
) -> _Engine:
    models = opened.models
    crash = CrashPoints(settings.crash_point)
    assistants = AssistantCache(database, database.bus)
    journal = Journal(database, live, instance)
    rules = RulesCache(database, database.bus)
    hands = Hands(Carrier(database, journal, crash), rules, float(settings.approval_lifetime))
    runner = Runner(
        database,
        live,
        Preparation(
            database,
            models,
            assistants,
            toolbox=toolbox,
            hands=hands,
            prices=opened.prices,
            retriever=opened.retriever,
            attachments=opened.files,
        ),
        journal,
        lease=settings.run_lease,
        run_timeout=settings.run_timeout,
        crash=crash,
    )
    runs = Runs(database, live, models, assistants, runner, max_live=settings.max_live_runs, crash=crash)
    return _Engine(
        runner,
        runs,
        Exchanges(database, runs),
        Approvals(database, live, runner, toolbox, hands),
        Undoing(toolbox),
        Caller(database, toolbox, hands, opened.vault),
    )


def _attachments(settings: Settings, database: Database, vault: Vault) -> Attachments:
    blobs = Blobs(settings.data_dir / "attachments", settings.attachment_url)
    return Attachments(database, blobs, vault, settings)


def own_tools(database: Database, settings: Settings, retriever: Retriever | None = None) -> tuple[Tool, ...]:
    """Every tool of ours, from the rooms that they belong to. Without a `retriever` they search by words alone."""
    return (*built_in(database, settings, retriever), *assistant_tools.TOOLS, *insight_tools.TOOLS)


def create_app(settings: Settings, tools: Sequence[Tool] = ()) -> FastAPI:
    """The application with every door. Its parts are built when it starts and closed when it stops.

    `tools` are your own: what its assistants may do besides what ours do.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_parts(settings, tools) as parts:
            for field in fields(parts):
                setattr(app.state, field.name, getattr(parts, field.name))
            yield

    app = Enveloped(
        title="Famulus",
        version=VERSION,
        summary="The assistant server for learning platforms and other multi-tenant applications.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.local else None,
        redirect_slashes=False,
        generate_unique_id_function=attrgetter("name"),  # such as `create_track`, which clients call it by
        responses=PROBLEMS,
    )
    app.state.settings = settings
    rest.mount_turns(app)
    chatkit.mount(app)
    ag_ui.mount(app)
    ai_sdk.mount(app)
    openai.mount(app)
    rest.mount(app)
    front_ends.mount(app)
    socket.mount(app)
    mcp.mount(app)
    app.include_router(operations)
    if settings.local:
        api_docs.mount(app)
    web.mount(app)
    return app


def _relay(database: Database) -> Relay | None:
    """What carries live words to other instances; SQLite has none."""
    if database.dialect == "sqlite":
        return None
    from famulus.kernel.live_postgres import PostgresRelay  # lazy: asyncpg, which SQLite does without

    return PostgresRelay(database.dsn)
