"""Writes `docs/reference/` and `docs/licences.md` from the code, so that neither can say what is not true.

`make docs` writes; `--check` (in `make check`) only compares, and names what is old. Starts nothing and asks nothing of
a network: the application is put together in an empty temporary home and only asked for its list of routes.
"""

import ast
import importlib
import inspect
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, cast

import licences
import typer.main
from pydantic import BaseModel
from pydantic_settings import BaseSettings

import goldsmith
from goldsmith import app
from goldsmith.cli.main import make_root
from goldsmith.errors import Conflict, Denied, GoldsmithError, Invalid, NotFound, Unavailable
from goldsmith.jobs.states import TRANSITIONS, JobState
from goldsmith.settings import AristotleSettings, Settings
from goldsmith.wire.events import EventKind

DOCS = Path(__file__).parent
FAMILIES = (NotFound, Invalid, Conflict, Denied, Unavailable)
GENERATED = "<!-- Written by docs/generate.py from the code; change the code and run: make docs -->"


def pages() -> dict[str, str]:
    """Every generated page by its path under `docs/`."""
    return {
        "reference/settings.md": settings(),
        "reference/problems.md": problems(),
        "reference/job-states.md": job_states(),
        "reference/commands.md": commands(),
        "reference/events.md": events(),
        "reference/backends.md": backends(),
        "reference/api.md": api(),
        "licences.md": page("Licences", licences.sections()),
    }


def page(title: str, parts: Iterable[str]) -> str:
    """A page of Markdown."""
    return "\n\n".join((f"# {title}", GENERATED, *parts)).rstrip() + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of Markdown; a bar or a line break inside a cell does not break it."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def settings() -> str:
    """Every setting, from the docstrings under the fields."""
    head = ("variable", "default", "what it is")
    intro = "Settings are environment variables. They are read once, when a program of Goldsmith starts."
    aristotle = "## Aristotle\n\nOnly where gold stars are taken from Aristotle's database."
    parts = (intro, table(head, _variables(Settings)), aristotle, table(head, _variables(AristotleSettings)))
    return page("Settings", parts)


def _variables(model: type[BaseSettings]) -> list[tuple[str, ...]]:
    prefix = model.model_config["env_prefix"]
    return [
        (f"`{prefix}{name.upper()}`", _default(field.default), field.description or "")
        for name, field in model.model_fields.items()
    ]


def problems() -> str:
    """Every error, from its class."""
    import_everything()
    found = sorted(subclasses(GoldsmithError), key=lambda cls: cls.slug())
    intro = (
        "Everything that can go wrong and end a request, in five families. Programs get the slug as the last part of "
        "`type` in an `application/problem+json`; the command line ends with the exit code of the family."
    )
    parts = [intro]
    for family in FAMILIES:
        parts.append(f"## {family.__name__}\n\n{paragraph(family)} Status {_status(family)}.")
        own = [cls for cls in found if issubclass(cls, family)]
        rows = [(f"`{cls.slug()}`", cls.title, _with_status(cls, family), cls.default_hint) for cls in own]
        parts.append(table(("slug", "title", "what it means", "what to do"), rows))
    return page("Problems", parts)


def job_states() -> str:
    """The states of a job and the moves between them, from the table that the queue obeys."""
    rows = [
        (f"`{state}`", state.meaning, ", ".join(f"`{to}`" for to in _sorted(TRANSITIONS[state]))) for state in JobState
    ]
    arrows = [f"    {state} --> {to}" for state in JobState for to in _sorted(TRANSITIONS[state])]
    diagram = "\n".join(("```mermaid", "stateDiagram-v2", "    [*] --> queued", *arrows, "```"))
    intro = (
        "Everything long is a job. Back to `queued` means a new attempt of the same job, which goes on where it was. "
        '"Cancelling" and "pausing" are no states: they are requests that a running job answers when it has saved.'
    )
    return page("Job states", (intro, table(("state", "meaning", "can become"), rows), diagram))


def commands() -> str:
    """Every command with its arguments and options, as the command line itself knows them."""
    group: Any = typer.main.get_command(make_root())
    parts = [
        "`goldsmith NOUN VERB`. `--json` may stand anywhere and prints JSON for programs; `--as NAME` says under whose "
        "name to act.",
        table(("exit code", "means"), _exit_codes()),
    ]
    for words, command in walk((), group):
        parts.append(f"## goldsmith {' '.join(words)}\n\n{_sentence(command.help)}")
        rows = [_parameter(one) for one in command.params if one.name != "help" and not getattr(one, "hidden", False)]
        if rows:
            parts.append(table(("argument or option", "default", "what it is"), rows))
    return page("Commands", parts)


def events() -> str:
    """What a child can say, from the docstrings under the members."""
    said = docstrings_under(EventKind)
    rows = [(f"`{kind}`", said[kind.name], "yes" if kind.is_last else "") for kind in EventKind]
    intro = (
        "A heavy child reports by appending to `events.jsonl` in its attempt's folder: one JSON object a line, "
        '`{"seq": 1, "at": 1790000000.0, "kind": "step", "data": {…}}`. A line counts once its newline is there. '
        "`seq` counts from 1 within an attempt; `at` is seconds since 1970, UTC."
    )
    return page("Events of a child", (intro, table(("kind", "meaning and data", "last"), rows)))


def backends() -> str:
    """The options of every backend, from the model that makes the form and checks what is given."""
    parts = [
        "What can be chosen for a training: on its page, in the API, and with `goldsmith train start --set NAME=VALUE`."
    ]
    for name, backend in app.make_backends().items():
        parts.append(f"## {name}\n\n{paragraph(type(backend))}")
        parts.append(table(("option", "default", "allowed", "what it is"), options(backend.options)))
    return page("Training backends", parts)


def api() -> str:
    """Every route with the first sentence of its docstring, from the application itself."""
    with tempfile.TemporaryDirectory() as folder:
        web = app.make_asgi(app.assemble(Settings(home=Path(folder))))
    described: Mapping[str, Mapping[str, Any]] = web.openapi()["paths"]
    rows = [
        (f"`{method.upper()} {path}`", _first_sentence(operation.get("description", "")))
        for path, operations in described.items()
        for method, operation in operations.items()
    ]
    rows.sort(key=_by_path)
    known = [(next(iter(route.methods), ""), route.path, route.face) for route in web.state.faces.routes]
    passed_on = [
        (f"`{method} {path}`",) for method, path, _ in known if path not in described and path.startswith("/v1/")
    ]
    opened = [(f"`{path}`",) for method, path, face in known if face == "page" and method == "GET"]
    intro = (
        "All on one port of loopback. Programs send `Authorization: Bearer KEY`; make one with `goldsmith keys add`. "
        "The full description for tools is at `/v1/openapi.json`. Errors: see [problems](problems.md)."
    )
    parts = (
        *(intro, table(("route", "what it does"), rows)),
        "## Passed on to the engine\n\nOpenAI's own API, to the model that is named, or to `default`.",
        table(("route",), passed_on),
        *("## Pages", table(("address",), sorted(opened))),
    )
    return page("API", parts)


def options(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """The rows of a model's fields."""
    schema = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        yield f"`{name}`", _default(field.default), _allowed(schema[name]), field.description or ""


def import_everything() -> None:
    """Load every module that defines an error; `tests/docs` sees to it that none is left out."""
    source = Path(goldsmith.__file__).parent
    for path in sorted(source.rglob("*.py")):
        name = ".".join(("goldsmith", *path.relative_to(source).with_suffix("").parts))
        if "default_hint = " in path.read_text(encoding="utf-8") and not name.startswith("goldsmith.trainers"):
            importlib.import_module(name)


def subclasses(cls: type[GoldsmithError]) -> set[type[GoldsmithError]]:
    """Every class below this one that Goldsmith itself defines."""
    below = {one for direct in cls.__subclasses__() for one in {direct, *subclasses(direct)}}
    return {one for one in below if one.__module__.startswith("goldsmith.")}


def walk(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that can be called, with its words."""
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, inner in command.commands.items():
        if not inner.hidden:
            yield from walk((*words, name), inner)


def docstrings_under(cls: type) -> dict[str, str]:
    """The string under each member of an enum, which Python itself does not keep."""
    body = cast("ast.ClassDef", ast.parse(inspect.getsource(cls)).body[0])
    return {
        target.id: before_and_after[1].value.value
        for before_and_after in zip(body.body, body.body[1:], strict=False)
        if isinstance(before_and_after[0], ast.Assign)
        and isinstance(before_and_after[1], ast.Expr)
        and isinstance(before_and_after[1].value, ast.Constant)
        and isinstance(before_and_after[1].value.value, str)
        for target in before_and_after[0].targets
        if isinstance(target, ast.Name)
    }


def paragraph(cls: type) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def _status(cls: type[GoldsmithError]) -> int:
    from goldsmith.web.problems import status_of

    return status_of(cls(""))


def _with_status(cls: type[GoldsmithError], family: type[GoldsmithError]) -> str:
    differs = _status(cls) != _status(family)
    return paragraph(cls) + (f" Status {_status(cls)}." if differs else "")


def _exit_codes() -> list[tuple[object, str]]:
    from goldsmith.cli.console import EXIT_CODES

    return [(0, "done"), *((code, f"{cls.__name__}: {paragraph(cls)}") for cls, code in EXIT_CODES.items())]


def _sorted(states: Iterable[JobState]) -> list[JobState]:
    return sorted(states, key=list(JobState).index)


def _default(value: object) -> str:
    if value is None or value == () or str(value) == "PydanticUndefined":
        return ""
    return f"`{value}`"


def _allowed(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    limits = {"minimum": "from {}", "exclusiveMinimum": "above {}", "maximum": "to {}", "exclusiveMaximum": "below {}"}
    limits |= {"maxLength": "at most {} characters"}
    return " ".join(
        [schema.get("type", ""), *(text.format(schema[key]) for key, text in limits.items() if key in schema)]
    )


def _parameter(parameter: Any) -> tuple[str, str, str]:
    is_option = parameter.param_type_name == "option"
    names = "/".join((*parameter.opts, *parameter.secondary_opts)) if is_option else parameter.name.upper()
    kind = parameter.type_descriptor.annotation
    choices = list(kind) if isinstance(kind, type) and issubclass(kind, Enum) else []
    one_of = f"One of: {', '.join(str(one.value) for one in choices)}." if choices else ""
    default = getattr(parameter.default, "value", parameter.default)
    shown = (
        "must be given"
        if parameter.required
        else ""
        if default in (None, "", False)
        else "yes"
        if default is True
        else f"`{default}`"
    )
    return f"`{names}`", shown, f"{parameter.help or ''} {one_of}".strip()


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def _by_path(row: Sequence[str]) -> tuple[str, str]:
    method, _, path = row[0].strip("`").partition(" ")
    return path, method


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n", maxsplit=1)[0].split())


def main() -> int:
    """Write, or with `--check` say which pages are old."""
    is_check = "--check" in sys.argv[1:]
    old = []
    for name, text in pages().items():
        path = DOCS / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        old.append(name)
        if not is_check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if is_check and old:
        print("These pages are older than the code: " + ", ".join(old) + ". Run: make docs")
        return 1
    print("The generated pages are up to date." if not old else "Wrote " + ", ".join(old))
    return 0


if __name__ == "__main__":
    sys.exit(main())
