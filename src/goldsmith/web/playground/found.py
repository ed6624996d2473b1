"""Puts the page of the playground together from what queries find, and asks for it. Used by the handlers only."""

from dataclasses import dataclass

from sqlalchemy import orm

from goldsmith.models import queries as models
from goldsmith.people.types import Person
from goldsmith.serve import queries as serve
from goldsmith.serve.types import DEFAULT_ALIAS, Route
from goldsmith.stars import playground, service
from goldsmith.stars.tables import Mark
from goldsmith.stars.types import MarkKind, MarkRequest
from goldsmith.web.forms import FormField, Option, fields_of
from goldsmith.web.playground.forms import FOLDED, AskForm, SayForm, values_of, with_choices
from goldsmith.web.playground.tried import Side, Tried
from goldsmith.web.playground.views import PlaygroundPage, ShownSide
from goldsmith.web.state import WebState

_VERBS = {"star": MarkKind.star, "unstar": MarkKind.unstar, "text": MarkKind.correction}
_SAID = {"star": "Starred. It goes into the next training set.", "unstar": "No star any more."}
_CORRECTED = "Your text is kept and starred. It goes into the next training set."
_KINDS = {"alias": "alias", "base": "base model", "fine_tuned": "fine-tuned", "provider": "outside this machine"}


@dataclass(frozen=True)
class Choices:
    """Who can be asked: options, and names by id."""

    options: tuple[Option, ...]
    names: dict[str, str]

    def label(self, name: str) -> str:
        """A model in words."""
        return self.names.get(name) or next((each.label for each in self.options if each.value == name), name)


def playground_page(
    session: orm.Session,
    person: Person,
    tried: Tried | None = None,
    *,
    fields: tuple[FormField, ...] = (),
    said: str = "",
) -> PlaygroundPage:
    """The page: as it begins, with the fields as they were sent, or with what was tried."""
    choices = choices_of(session, person)
    shown = tried or Tried(sides=_first_sides(choices))
    return PlaygroundPage(
        title="Playground",
        has_models=bool(choices.options),
        has_any_model=bool(models.bases(session, domain=person.domain)),
        fields=with_choices(fields or fields_of(AskForm, values_of(shown)), choices.options),
        folded=FOLDED,
        sides=tuple(_side(number, side, choices) for number, side in enumerate(shown.sides)),
        tried=shown.model_dump_json(),
        names=choices.names,
        said=said,
    )


def begun_with(a: str | None, b: str | None) -> Tried | None:
    """A page that somebody was led to from a model's page."""
    return Tried(sides=(Side(asked=a or ""), Side(asked=b or ""))) if a or b else None


def asked(state: WebState, person: Person, form: AskForm) -> Tried:
    """Ask both sides at once, through the gateway; no transaction is open while they answer."""
    tried = form.tried
    bodies = [tried.body(side) for side in tried.sides if side.asked]
    return tried.with_answers(state.offers["ask_models"](person, bodies))


def say(session: orm.Session, form: SayForm, *, by: Person) -> tuple[Tried, str]:
    """Keep an answer with what is said about it; what the page shows then, and a sentence."""
    tried = form.shown
    side = tried.sides[form.side]
    request = MarkRequest(_VERBS[form.verb], text=form.text or None)
    mark = _marked(session, tried, side, request, by)
    stands = {"answer_id": mark.answer_id, "is_star": mark.is_star, "correction": mark.correction}
    return tried.with_side(form.side, side.model_copy(update=stands)), _SAID.get(form.verb, _CORRECTED)


def choices_of(session: orm.Session, person: Person) -> Choices:
    """Everything that has a route: aliases first, the default before the others, each model once."""
    table = serve.route_table(session, person.domain)
    engines = {each.id: each.provider_model or each.name for each in serve.page(session, domain=person.domain)}
    names = serve.model_names(session) | engines
    shown = sorted((route for route in table.routes.values() if _is_listed(route)), key=_order)
    used = {share.model_id for route in table.routes.values() for share in route.shares}
    return Choices(
        tuple(_option(route, names) for route in shown),
        {model_id: name for model_id, name in names.items() if model_id in used},
    )


def _marked(session: orm.Session, tried: Tried, side: Side, request: MarkRequest, by: Person) -> Mark:
    if side.answer_id:
        return service.mark(session, side.answer_id, request, by=by, via=playground.VIA)
    return playground.say(session, tried.of(side), request, by=by)


def _is_listed(route: Route) -> bool:
    return route.kind == "alias" or route.name == route.shares[0].model_id


def _order(route: Route) -> tuple[bool, bool, bool, str]:
    return route.name != DEFAULT_ALIAS, route.kind != "alias", route.kind == "provider", route.name


def _option(route: Route, names: dict[str, str]) -> Option:
    leads_to = " and ".join(names.get(share.model_id, share.model_id) for share in route.shares)
    label = f"{route.name}: {leads_to}" if route.kind == "alias" else leads_to
    return Option(route.name, label, _KINDS[route.kind] + ("" if route.is_ready else ", not ready yet"))


def _first_sides(choices: Choices) -> tuple[Side, Side]:
    """The base on the left, what was trained on the right; else whoever is there."""
    values = [each.value for each in choices.options if each.value != DEFAULT_ALIAS]
    values = values or [each.value for each in choices.options]
    bases = [value for value in values if value.startswith("bm_")]
    tuned = [value for value in values if value.startswith("ftm_")]
    left = (bases or values or [""])[0]
    rest = [value for value in values if value != left]
    right = (tuned[-1:] or rest or [""])[0]
    return Side(asked=left), Side(asked=right)


def _side(number: int, side: Side, choices: Choices) -> ShownSide:
    return ShownSide(number, choices.label(side.model_id or side.asked), side, key=str(number + 1))
