"""The API of the playground: keep one answer of a model, with a star or a correction."""

from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import Field, model_validator

from goldsmith.run import queries
from goldsmith.stars import playground
from goldsmith.stars.types import MarkKind, MarkRequest
from goldsmith.web.answers import ApiAnswer, ApiBody, Name, Text, made
from goldsmith.web.dependencies import CurrentPerson, Session
from goldsmith.web.playground.tried import MAX_CHARACTERS, Count, Side, Tried

api = APIRouter(tags=["stars"])
LongText = Annotated[Text, Field(max_length=MAX_CHARACTERS)]


class KeptBody(ApiBody):
    """A question, what a model answered through the gateway, and what it should have said if that is something else."""

    question: Annotated[Text, Field(min_length=1, max_length=MAX_CHARACTERS)]
    system_text: LongText = ""
    model: Name
    """The id of the model that answered: what the gateway's header `x-goldsmith-model` says."""
    engine: Annotated[Text, Field(max_length=64)] = ""
    """What the header `x-goldsmith-engine` says."""
    text: LongText
    correction: LongText | None = None
    """Takes the answer's place and gets the star."""
    prompt_tokens: Count = None
    answer_tokens: Count = None
    duration_ms: Annotated[float | None, Field(ge=0, le=1e12)] = None
    finish_reason: Annotated[Text, Field(max_length=32)] = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.correction is None and not self.text.strip():
            raise ValueError("an empty answer gets no star; say with `correction` what it should have been")
        return self

    @property
    def tried(self) -> playground.Tried:
        """As it is kept."""
        facts = {name: getattr(self, name) for name in ("text", "prompt_tokens", "answer_tokens", "duration_ms")}
        side = Side(model_id=self.model, engine_id=self.engine, finish_reason=self.finish_reason, **facts)
        return Tried(question=self.question, system_text=self.system_text).of(side)

    @property
    def request(self) -> MarkRequest:
        """A star, or a correction, which gets one."""
        kind = MarkKind.star if self.correction is None else MarkKind.correction
        return MarkRequest(kind, text=self.correction)


class KeptAnswer(ApiAnswer):
    """An answer that is kept and starred."""

    answer_id: str
    run_id: str
    row_id: str
    is_star: bool
    correction: str | None


@api.post("/v1/playground/stars", status_code=201)
def star(session: Session, person: CurrentPerson, body: KeptBody, response: Response) -> KeptAnswer:
    """Keep an answer that was asked for by hand, with its gold star; the same is kept once."""
    mark = playground.say(session, body.tried, body.request, by=person)
    run = queries.one(session, mark.run_id, domain=person.domain)
    made(response, f"/v1/runs/{run.id}/answers")
    return KeptAnswer.model_validate(mark)
