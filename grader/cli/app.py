"""The application that the commands register with."""

from __future__ import annotations

from typing import Annotated

import typer

from grader._version import __version__

app = typer.Typer(
    name="grader",
    help="Grade backpropagation notebooks: run them, compare the gradients with autograd, name the mistakes.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"grader {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass
