"""Whether this process answers, and whether it can work. Open to everybody, tells nothing else."""

from fastapi import APIRouter
from sqlalchemy import text

from goldsmith.web.dependencies import ReadSession

api = APIRouter()


@api.get("/healthz")
def is_alive() -> dict[str, str]:
    """This process answers."""
    return {"status": "ok"}


@api.get("/readyz")
def is_ready(session: ReadSession) -> dict[str, str]:
    """The database answers too."""
    session.execute(text("SELECT 1"))
    return {"status": "ok"}
