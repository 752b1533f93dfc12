"""`famulus`: thin commands. What is heavy is imported by the command that needs it, so that `--help` is quick."""

import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from famulus.cli.triple_commands import As, triples
from famulus.kernel.errors import FamulusError

app = typer.Typer(
    name="famulus",
    help="The assistant server for learning platforms. Settings come from the environment; see `famulus doctor`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
user = typer.Typer(help="Accounts.", no_args_is_help=True)
organization = typer.Typer(help="Organizations.", no_args_is_help=True)
app.add_typer(user, name="user")
app.add_typer(organization, name="organization")
importing = typer.Typer(help="Bring in what others keep.", no_args_is_help=True)
app.add_typer(importing, name="import")
evaluating = typer.Typer(help="Measure how good this server is.", no_args_is_help=True)
app.add_typer(evaluating, name="eval")
golden = typer.Typer(help="Questions that a course's material has to answer.", no_args_is_help=True)
app.add_typer(golden, name="golden")
app.add_typer(triples, name="triples")

Course = Annotated[str, typer.Option("--course", help="Id or title of the course.")]
MaterialKind = Literal["document", "lesson", "code", "operation"]
ImportMode = Literal["all", "valid"]
Email = Annotated[str, typer.Argument(help="E-mail address of the account.")]


@app.command()
def serve(
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Bring the database's schema up to date first.")
    ] = False,
    seed: Annotated[
        bool, typer.Option("--seed", help="Load the demo first, where APP_ENV is local.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve every door until the process is told to stop."""
    gc.disable()  # a seventh of the time that loading takes; it is on again when all is loaded
    load_structlog_alone()
    from famulus.cli.serving import run_server  # lazy: the whole server

    run_server(migrate_first=migrate, seed_first=seed, host=host, port=port)


def load_structlog_alone() -> None:
    """Load structlog without rich, eighty modules (4 MB) to draw tracebacks with, which a server never does."""
    modules = cast(dict[str, object], sys.modules)
    if "rich" in modules:
        return
    modules["rich"] = None  # the import system's mark for what is not to be had
    try:
        import_module("structlog")
    finally:
        del modules["rich"]


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from famulus.cli.work import run_migrate  # lazy: the database

    print(run_migrate())


@app.command()
def seed(
    what: Annotated[
        Literal["demo", "api"],
        typer.Argument(help="The demo, or only this server's API, for assistants to tell how to use it."),
    ] = "demo",
) -> None:
    """Load the demo: organizations, courses, people, where APP_ENV is local; or this server's API as material."""
    from famulus.cli.work import run_seed  # lazy: the database

    print(run_seed(what))


@app.command()
def ingest(
    path: Annotated[Path, typer.Argument(help="A folder, a file or a zip: Markdown, HTML, text, PDF.")],
    course: Course,
    *,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Look inside every file, whatever its size and times say.")
    ] = False,
    as_: As = None,
) -> None:
    """Add material to a course; what has not changed since the last time is not read again."""
    from famulus.cli.work import run_ingest  # lazy: the knowledge room

    if not run_ingest(path, course, as_, thorough=thorough):
        raise typer.Exit(1)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What to ask.")],
    course: Annotated[str | None, typer.Option("--course", help="Id or title of the course.")] = None,
    as_: As = None,
) -> None:
    """Ask an assistant and stream its answer, with citations, to the terminal."""
    from famulus.cli.asking import run_ask  # lazy: the whole server but its doors

    if not run_ask(question, course, as_):
        raise typer.Exit(1)


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    course: Annotated[str | None, typer.Option("--course", help="Id or title of the course.")] = None,
    as_: As = None,
    limit: Annotated[int, typer.Option(min=1, max=20, help="How many passages.")] = 5,
    *,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Id of a source to look in; may be repeated.")
    ] = None,
    kind: Annotated[MaterialKind | None, typer.Option("--kind", help="Kind of material to look in.")] = None,
) -> None:
    """Search the material, and say why each passage was found."""
    from famulus.cli.searching import Wanted, run_search  # lazy: the knowledge room

    run_search(question, course, as_, Wanted(limit, source or (), (kind,) if kind else ()))


@user.command("create")
def user_create(
    email: Annotated[str, typer.Argument(help="E-mail address, the name to sign in with.")],
    name: Annotated[str, typer.Option(prompt=True, help="The person's name.")],
    password: Annotated[
        str,
        typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="At least 8 characters."),
    ],
    site_admin: Annotated[bool, typer.Option("--site-admin", help="May do everything on this site.")] = False,
) -> None:
    """Create an account."""
    from famulus.cli.users import run_create  # lazy: the database

    print(run_create(email, name, password, site_admin))


@user.command("list")
def user_list(
    begins: Annotated[
        str | None, typer.Argument(help="What the name or the address begins with; all if left out.")
    ] = None,
) -> None:
    """List accounts by name."""
    from famulus.cli.users import run_list  # lazy: the database

    for line in run_list(begins):
        print(line)


@user.command("suspend")
def user_suspend(email: Email) -> None:
    """Shut an account out at once, wherever it is signed in."""
    from famulus.cli.users import run_suspend  # lazy: the database

    print(run_suspend(email))


@user.command("restore")
def user_restore(email: Email) -> None:
    """Let a suspended account in again."""
    from famulus.cli.users import run_restore  # lazy: the database

    print(run_restore(email))


@user.command("delete")
def user_delete(
    email: Email, yes: Annotated[bool, typer.Option("--yes", help="Do not ask once more.")] = False
) -> None:
    """Delete an account with everything that was said in it; this cannot be taken back."""
    from famulus.cli.users import run_delete  # lazy: the database

    if not yes:
        typer.confirm(f"Delete {email} and everything that was said in this account?", abort=True)
    print(run_delete(email))


@user.command("password")
def user_password(
    email: Email,
    password: Annotated[
        str,
        typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="At least 8 characters."),
    ],
) -> None:
    """Set an account's password; all its sessions end."""
    from famulus.cli.users import run_password  # lazy: the database

    print(run_password(email, password))


@user.command("site-admin")
def user_site_admin(
    email: Email,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take it away again.")] = False,
) -> None:
    """Have an account administer the site."""
    from famulus.cli.users import run_site_admin  # lazy: the database

    print(run_site_admin(email, revoke))


@organization.command("create")
def organization_create(
    name: Annotated[str, typer.Argument(help="What it is called.")], as_: As = None
) -> None:
    """Create an organization."""
    from famulus.cli.places import run_organization_create  # lazy: the database

    print(run_organization_create(name, as_))


@organization.command("list")
def organization_list(
    archived: Annotated[bool, typer.Option("--archived", help="Those that are archived, instead.")] = False,
    as_: As = None,
) -> None:
    """List organizations by name, each with its id."""
    from famulus.cli.places import run_organization_list  # lazy: the database

    run_organization_list(archived, as_)


@organization.command("archive")
def organization_archive(
    name: Annotated[str, typer.Argument(help="Id or name, or how the name begins.")],
    restore: Annotated[bool, typer.Option("--restore", help="Take it out of the archive again.")] = False,
    as_: As = None,
) -> None:
    """Put an organization and all that is in it away; nothing is lost."""
    from famulus.cli.places import run_organization_archive  # lazy: the database

    print(run_organization_archive(name, restore, as_))


@importing.command("people")
def import_people(
    path: Annotated[
        Path, typer.Argument(help="A CSV file: email, and perhaps name, role, course, course_role.")
    ],
    organization: Annotated[str, typer.Option("--organization", help="Id or name of the organization.")],
    mode: Annotated[
        ImportMode, typer.Option(help="`all` keeps nothing unless every line is fine; `valid` keeps what is.")
    ] = "all",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Change the roles of people who are here already.")
    ] = False,
    as_: As = None,
) -> None:
    """Bring people into an organization and its courses; the same file again changes nothing."""
    from famulus.cli.importing import run_import  # lazy: the database

    if not run_import(path, organization, as_, mode=mode, dry_run=dry_run, update=update):
        raise typer.Exit(1)


@evaluating.command("retrieval")
def eval_retrieval(
    set_: Annotated[
        Path, typer.Option("--set", help="A folder with corpus.jsonl, queries.jsonl and qrels.tsv.")
    ],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure how well questions find the documents that answer them, by every way of searching."""
    from famulus.cli.evaluating import run_retrieval  # lazy: the knowledge room

    run_retrieval(set_, as_json=json)


@golden.command("import")
def golden_import(
    path: Annotated[
        Path, typer.Argument(help="CSV with a head, or lines of JSON: question, document, perhaps passage.")
    ],
    course: Course,
    as_: As = None,
) -> None:
    """Add golden questions to a course; those that are there already are not added again."""
    from famulus.cli.golden import run_import  # lazy: the knowledge room

    print(run_import(path, course, as_))


@golden.command("check")
def golden_check(course: Course, as_: As = None) -> None:
    """Ask a course's golden questions now; the exit code is 1 when answers got worse."""
    from famulus.cli.golden import run_check  # lazy: the knowledge room

    if not run_check(course, as_):
        raise typer.Exit(1)


@importing.command("openai-export")
def import_openai_export(
    path: Annotated[
        Path, typer.Argument(help="JSON lines: threads and messages as the Assistants API gave them out.")
    ],
    course: Annotated[
        str | None, typer.Option("--course", help="Id or title of the course that they belong to.")
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_: As = None,
) -> None:
    """Bring in the threads of OpenAI's closed Assistants API as a person's own; the same file again changes nothing."""
    from famulus.cli.exports import run_import_export  # lazy: the database

    if not run_import_export(path, course, as_, dry_run=dry_run):
        raise typer.Exit(1)


@app.command()
def reindex(
    to: Annotated[
        str | None,
        typer.Option("--to", help="Address of a Qdrant server to fill; the index in use if left out."),
    ] = None,
) -> None:
    """Make the index of passages anew, or on another server, while the present one is searched."""
    from famulus.cli.reindexing import run_reindex  # lazy: the knowledge room

    print(run_reindex(to))


@app.command()
def doctor() -> None:
    """Check the configuration and every part, and say what to do."""
    from famulus.cli.doctor import run_doctor  # lazy: the database

    if not run_doctor():
        raise typer.Exit(1)


def main(words: Sequence[str] | None = None) -> None:
    """The console script: an error of ours is a sentence, not a traceback. Without `words`, those of the process."""
    try:
        app(words)
    except FamulusError as error:
        print(f"famulus: {error.detail}", file=sys.stderr)
        for field in error.fields:
            print(f"  {field.path}: {field.message}", file=sys.stderr)
        sys.exit(2)
