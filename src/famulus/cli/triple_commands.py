"""`famulus triples`: its commands, as they are written."""

from typing import Annotated

import typer

triples = typer.Typer(
    help="Relations that a model reads in an organization's material.", no_args_is_help=True
)
Place = Annotated[str, typer.Argument(help="Id or name of the organization, or how the name begins.")]
As = Annotated[str | None, typer.Option("--as", help="E-mail address of the person who asks.")]


@triples.command("estimate")
def triples_estimate(organization: Place, as_: As = None) -> None:
    """Say what it would cost to have what is not read yet read by the server's model."""
    from famulus.cli.triples import run_estimate  # lazy: the knowledge room

    print(run_estimate(organization, as_))


@triples.command("start")
def triples_start(
    organization: Place,
    budget: Annotated[
        int,
        typer.Option(
            min=1_000, max=1_000_000_000, help="Tokens, read and written, that it may take at most."
        ),
    ],
    as_: As = None,
) -> None:
    """Have the server read it in the background; what is read already costs nothing."""
    from famulus.cli.triples import run_start  # lazy: the knowledge room

    print(run_start(organization, as_, budget))


@triples.command("status")
def triples_status(organization: Place, as_: As = None) -> None:
    """Say how far it is and what it has taken."""
    from famulus.cli.triples import run_status  # lazy: the knowledge room

    print(run_status(organization, as_))


@triples.command("cancel")
def triples_cancel(organization: Place, as_: As = None) -> None:
    """Ask the model for no more; what it has read stays."""
    from famulus.cli.triples import run_cancel  # lazy: the knowledge room

    print(run_cancel(organization, as_))


@triples.command("remove")
def triples_remove(organization: Place, as_: As = None) -> None:
    """Forget all triples of an organization."""
    from famulus.cli.triples import run_remove  # lazy: the knowledge room

    print(run_remove(organization, as_))
