"""The name under which the supervisor of one home folder claims jobs. Called by the supervisor alone.

Host names change (a laptop in another network) and repeat (containers), and two supervisors under one name would take
each other's jobs for their own. So the name is made once, and kept in the home folder; a copy of that folder on another
machine gets a new one.
"""

import json
import secrets
from pathlib import Path

from goldsmith.storage.files import Home, write_whole

MACHINE_ID = Path("/etc/machine-id")


def own_name(home: Home, host: str) -> str:
    """`HOST-xxxxxx`, the same for as long as the home folder stays on this machine."""
    path = home.run / "place.json"
    machine_id = MACHINE_ID.read_text(encoding="ascii").strip() if MACHINE_ID.exists() else ""
    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        if kept["machine_id"] == machine_id:
            return kept["name"]
    name = f"{host[:200]}-{secrets.token_hex(3)}"
    write_whole(path, json.dumps({"name": name, "machine_id": machine_id}))
    return name
