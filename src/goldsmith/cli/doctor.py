"""`goldsmith doctor`: what is there, what is missing, and the one command that cures it.

`findings.py` does the looking. Nothing is started, made or migrated; a part that does not answer is a finding.
"""

import sys
from dataclasses import asdict

import typer

from goldsmith import app
from goldsmith.cli import findings
from goldsmith.cli.console import Cli, out


def doctor(context: typer.Context) -> None:
    """Look at machine, GPU, memory, disk, ports, database, environments, models and engines; say what to do."""
    cli: Cli = context.obj
    parts = app.assemble()
    found = list(findings.look(parts))
    parts.database.dispose()
    if cli.is_json:
        cli.show([asdict(finding) for finding in found])
    for finding in found if not cli.is_json else ():
        mark = "fine " if finding.is_fine else "TO DO"
        out.print(f"{mark}  {finding.name}: {finding.sentence}", markup=False)
        if finding.cure:
            out.print(f"       {finding.cure}", markup=False)
    sys.exit(0 if all(finding.is_fine for finding in found) else 1)
