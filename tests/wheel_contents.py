"""What a wheel must hold besides modules: called by `wheel.sh` with the wheel's path.

Every file of the package that git knows must be in it: templates, styles, migrations, locks, trainers, sample data.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"
MUST_HOLD = (
    "goldsmith/web/static/goldsmith.css",
    "goldsmith/web/static/vendor/htmx.min.js",
    "goldsmith/web/templates/layout.html",
    "goldsmith/migrations/versions/0001_first.py",
    "goldsmith/environments/locks/trl/cp311-linux-x86_64-cpu.txt",
    "goldsmith/trainers/trl_sft.py",
    "goldsmith/demo/support_messages.csv",
)


def main() -> None:
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        held = set(wheel.namelist())
    listed = subprocess.run(["git", "ls-files"], cwd=SOURCE, capture_output=True, text=True, check=True).stdout.split()
    missing = sorted(({name for name in listed if (SOURCE / name).exists()} | set(MUST_HOLD)) - held)
    if missing:
        sys.exit("Not in the wheel: " + ", ".join(missing))
    foreign = sorted(name for name in held if not name.startswith("goldsmith"))
    if foreign:
        sys.exit("In the wheel, and not of the package: " + ", ".join(foreign))
    print(f"   all {len(listed)} files of the package are in it")


if __name__ == "__main__":
    main()
