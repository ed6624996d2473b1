"""The peer of `start.py`: the same libraries, one table, one template, two addresses, and nothing else."""

import sys

import jinja2
import uvicorn
from fastapi import FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from starlette.responses import HTMLResponse

web = FastAPI()
engine = create_engine("sqlite://")
page = jinja2.Environment(autoescape=True).from_string("<h1>{{ names | length }} names</h1>")


class Table(DeclarativeBase):
    """What tables are made from."""


class Name(Table):
    """One table."""

    __tablename__ = "names"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@web.get("/healthz")
def healthz() -> dict[str, str]:
    """It is there."""
    return {"status": "ok"}


@web.get("/")
def home() -> HTMLResponse:
    """One page."""
    with Session(engine) as session:
        return HTMLResponse(page.render(names=session.scalars(select(Name)).all()))


if __name__ == "__main__":
    uvicorn.run(web, port=int(sys.argv[1]), loop="uvloop", http="httptools", log_config=None)
