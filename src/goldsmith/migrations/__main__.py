"""`make migration`: write a revision from the difference between the tables and the newest schema.

Without a name the first revision is written anew, which is right only until a version with it is released. With a name
(`python -m goldsmith.migrations add_votes`) the next one is written; then set `HEAD` in `__init__.py` and read it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from goldsmith import migrations
from goldsmith.storage.database import Database

VERSIONS = Path(__file__).parent / "versions"
FIRST = "first"


def write(name: str | None) -> Path:
    """Write the revision. Returns its file."""
    if name is None:
        (VERSIONS / f"0001_{FIRST}.py").unlink(missing_ok=True)
    number = f"{len(list(VERSIONS.glob('0*.py'))) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.db")
        migrations.upgrade(database)
        path = migrations.write_revision(database, number, name or FIRST)
        database.dispose()
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "### " not in line), encoding="utf-8")
    for command in (["check", "--quiet", "--fix"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, str(path)], check=True)
    return path


if __name__ == "__main__":
    sys.stdout.write(f"Wrote {write(sys.argv[1] if len(sys.argv) > 1 else None)}\n")
