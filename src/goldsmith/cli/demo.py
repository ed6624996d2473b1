"""`goldsmith demo`: from nothing to a better model, then the app stays open."""

from typing import Annotated

import typer

from goldsmith.cli.console import Cli, err, out
from goldsmith.cli.processes import running

STOPPED_BY_A_PERSON = 130
"""The exit code of a program that Ctrl-C ended."""


def demo(
    context: typer.Context,
    rows: Annotated[int, typer.Option(min=10, max=300, help="How many of the 300 sample messages.")] = 160,
    stay: Annotated[bool, typer.Option(help="Keep the app open at the end, until Ctrl-C.")] = True,
) -> None:
    """Walk the whole loop on sample data: run, star, train, serve, compare."""
    from goldsmith.cli.loop import Loop

    cli: Cli = context.obj
    loop = Loop(cli, rows)
    loop.prepare()
    with running(cli) as processes:
        try:
            comparison_id = loop.walk()
        except KeyboardInterrupt:
            err.print("Stopped in the middle of the demo. What is done is kept; see it with: goldsmith up")
            raise typer.Exit(STOPPED_BY_A_PERSON) from None
        loop.say_times()
        address = f"http://127.0.0.1:{cli.parts.settings.port}"
        out.print(f"\nThe app:        {address}/", markup=False)
        out.print(f"This comparison: {address}/model-comparison/{comparison_id}", markup=False)
        if stay:
            out.print("Ctrl-C stops it. Start it again any time with: goldsmith up")
            processes.wait()
