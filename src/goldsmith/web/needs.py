"""What has to be got once before a step can work: environments and the built-in model, with size and minutes.

Every step's pages show these with `parts/needs.html`. Getting is a job; the page goes on when it is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlalchemy import orm
from starlette.responses import RedirectResponse

from goldsmith.environments import folders, locks
from goldsmith.environments import jobs as environments
from goldsmith.environments.errors import NoLockForThisMachine
from goldsmith.environments.machine import MachineFacts
from goldsmith.environments.types import EnvironmentName, InstallHint
from goldsmith.jobs import queries as jobs
from goldsmith.models import queries as models
from goldsmith.models import service as model_service
from goldsmith.models.types import SMOLLM2
from goldsmith.serve import queries as serve
from goldsmith.serve.types import EngineState
from goldsmith.storage.files import Home
from goldsmith.web.dependencies import CurrentPerson, Session, TheHome
from goldsmith.web.format import about, size
from goldsmith.web.hello import local
from goldsmith.web.job_lines import JobLine, job_line
from goldsmith.web.pages import redirect

MODEL_MINUTES = 2
pages = APIRouter()
Back = Annotated[str, Form()]


@dataclass(frozen=True)
class Need:
    """Something that is missing; `job` is at work on it, or failed at it."""

    title: str
    why: str
    cost: str
    label: str
    action: str
    job: JobLine | None
    blocked_because: str = ""
    """Why it cannot be got yet."""

    @property
    def is_under_way(self) -> bool:
        """Whether nobody has to do anything but wait."""
        return self.job is not None and not self.job.state.is_over


_WHAT = {
    EnvironmentName.TRL: ("trainer", "trains models"),
    EnvironmentName.UNSLOTH: ("trainer Unsloth", "trains models"),
    EnvironmentName.AXOLOTL: ("trainer Axolotl", "trains models"),
    EnvironmentName.GGUF: ("converter to GGUF", "writes models for llama.cpp and Ollama"),
}


def for_training(
    session: orm.Session, home: Home, *, domain: str, trainer: EnvironmentName = EnvironmentName.TRL
) -> tuple[Need, ...]:
    """What a training needs: the environment of the trainer, and a base model, which that of TRL converts."""
    converter = need_of_environment(session, home, EnvironmentName.TRL)
    model = need_of_model(session, domain=domain, is_blocked=converter is not None)
    own = need_of_environment(session, home, trainer) if trainer is not EnvironmentName.TRL else None
    is_converter_needed = model is not None or trainer is EnvironmentName.TRL
    return tuple(need for need in (converter if is_converter_needed else None, model, own) if need is not None)


def for_answers(session: orm.Session, home: Home, machine: MachineFacts, *, domain: str) -> tuple[Need, ...]:
    """What answers of a model need: a base model, which the trainer converts, and an engine, unless one is ready."""
    if any(engine.state == EngineState.READY.value for engine in serve.page(session, domain=domain)):
        return ()
    before = () if models.bases(session, domain=domain) else for_training(session, home, domain=domain)
    engine = need_of_environment(session, home, engine_of(machine))
    return (*before, engine) if engine is not None else before


def engine_of(machine: MachineFacts) -> EnvironmentName:
    """The environment of the engine that fits the machine."""
    return EnvironmentName.VLLM if machine.device == "cuda" else EnvironmentName.VLLM_CPU


def need_of_environment(session: orm.Session, home: Home, name: EnvironmentName) -> Need | None:
    """The environment, if it is not installed."""
    if folders.find(name, home=home.root).is_installed:
        return None
    what, does = _WHAT.get(name, ("engine", "lets models answer"))
    earlier = jobs.newest_of(session, name.value, environments.KIND)
    return Need(
        title=f"The {what} is not installed yet",
        why=f"It {does} and stands apart from Goldsmith itself, in an environment called {name}.",
        cost=_cost(_hint(name)),
        label=f"Install the {what}",
        action=f"/setup/environments/{name}",
        job=job_line(earlier) if earlier else None,
    )


def need_of_model(session: orm.Session, *, domain: str, is_blocked: bool = False) -> Need | None:
    """A base model, if there is none; the trainer has to be there before, because it converts it."""
    if models.bases(session, domain=domain):
        return None
    earlier = jobs.newest_of(session, SMOLLM2.name, model_service.KIND_GGUF)
    return Need(
        title="There is no model yet",
        why=f"{SMOLLM2.name} is a small open model that runs on any machine.",
        cost=f"{size(SMOLLM2.download_bytes)} to fetch, {about(60 * MODEL_MINUTES)}, once.",
        label="Get the model",
        action=f"/setup/models/{SMOLLM2.name}",
        job=job_line(earlier) if earlier else None,
        blocked_because="Install the trainer first: it converts the model." if is_blocked else "",
    )


def has_model(needed: Sequence[Need]) -> bool:
    """Whether the built-in model is offered among these, so that a page need not offer it twice."""
    return any(need.action == f"/setup/models/{SMOLLM2.name}" for need in needed)


@pages.post("/setup/environments/{name}")
def install(
    request: Request,
    session: Session,
    home: TheHome,
    person: CurrentPerson,
    name: EnvironmentName,
    back: Back = "/",
) -> RedirectResponse:
    """Queue the install of an environment."""
    environments.start_install(session, name, home=home.root, by=person)
    return redirect(request, local(back), toast=f"Installing {name}. You can close this page; it goes on.")


@pages.post("/setup/models/{name}")
def get_model(
    request: Request, session: Session, person: CurrentPerson, name: str, back: Back = "/"
) -> RedirectResponse:
    """Queue the model that comes with Goldsmith."""
    model_service.start_builtin(session, name, by=person)
    return redirect(request, local(back), toast=f"Getting {name}. You can close this page; it goes on.")


@cache
def _hint(name: EnvironmentName) -> InstallHint | None:
    try:
        return locks.install_time_hint(name)
    except NoLockForThisMachine:
        return None


def _cost(hint: InstallHint | None) -> str:
    if hint is None:
        return "There is no list of packages for this kind of machine; installing will say so."
    return hint.sentence[0].upper() + hint.sentence[1:]
