"""A bell between processes of one home: rung after something changed about where names lead, heard by every gateway.

It is a file's time, so hearing it costs a few microseconds, and nobody waits. Who does not hear it, on another machine
with the same database, reads the tables a second later all the same.
"""

from goldsmith.storage.files import Home

NAME = "routes-changed"


def ring(home: Home) -> None:
    """Say that where names lead was changed and committed."""
    path = home.root / NAME
    path.write_bytes(b"")  # a file that is there is emptied, which sets its time
    path.chmod(0o600)


def heard(home: Home) -> int:
    """A number that differs after every ring; 0 when it never rang."""
    try:
        return (home.root / NAME).stat().st_mtime_ns
    except OSError:
        return 0
