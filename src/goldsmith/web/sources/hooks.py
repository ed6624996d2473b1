"""What sources tell us: that something has changed there. It says no more, so whatever it sends is not looked at."""

from fastapi import APIRouter, Request

from goldsmith.connect.syncing import service
from goldsmith.connect.syncing.errors import ConnectionNotFound
from goldsmith.web.answers import ApiAnswer, Id
from goldsmith.web.dependencies import CurrentPerson, Session

api = APIRouter(prefix="/v1/hooks/sources", tags=["sources"])


class ToldAnswer(ApiAnswer):
    """It was heard."""

    source: str
    is_read_soon: bool = True


@api.post("/{source}", status_code=202)
def told(request: Request, session: Session, person: CurrentPerson, source: Id) -> ToldAnswer:
    """Something has changed in a source: it is read within seconds. Asked with the token that the source was given."""
    hook: str | None = getattr(request.state, "hook", None)
    if hook is not None and hook != source:
        raise ConnectionNotFound("This token is that of another connection.")
    return ToldAnswer(source=service.told(session, source, by=person).id)
