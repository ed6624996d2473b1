"""What tests ask about processes that they started, or whose parents they killed."""

import psutil


def is_alive(process: psutil.Process) -> bool:
    """False for a zombie too: an orphan that ended stays one where process 1 does not wait for it, as in containers."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
