"""What is said of this installation to somebody who helps: versions, machine, environments. No names, no places."""

import importlib.metadata
import platform
from pathlib import Path
from typing import Any

from goldsmith.environments import folders
from goldsmith.environments.machine import MachineFacts


def about(machine: MachineFacts, *, home: Path, database: str) -> dict[str, Any]:
    """The facts; `database` is the kind that is used (`sqlite` or `postgresql`)."""
    return {
        "goldsmith": importlib.metadata.version("goldsmith"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}, {machine.architecture}",
        "database": database,
        "num_cores": machine.num_cores,
        "memory_bytes": machine.memory_bytes,
        "gpus": list(machine.gpus),
        "environments": [
            {
                "name": found.name.value,
                "status": found.status.value,
                "python": found.python_version,
                "lock_hash": found.lock_hash,
            }
            for found in folders.page(home=home)
        ],
    }
