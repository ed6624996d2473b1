"""Templates of others reach nothing, and there is one place that makes their environments."""

import ast
from datetime import date
from pathlib import Path

import pytest
from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

import goldsmith
from goldsmith.models.errors import RenderedTextTooLong
from goldsmith.models.sandbox import RefusedByTemplate, chat_template_environment, prompt_environment, render_within

TODAY = date(2026, 1, 1)


def render_chat_template(text: str, **values: object) -> str:
    return render_within(chat_template_environment(TODAY).from_string(text), values)


def test_chat_templates_see_only_the_named_globals() -> None:
    environment = chat_template_environment(TODAY)
    assert set(environment.globals) == {"range", "namespace", "dict", "raise_exception", "strftime_now"}
    assert environment.loader is None
    assert set(prompt_environment().globals) == set()
    assert prompt_environment().loader is None


def test_chat_templates_have_what_models_use() -> None:
    assert (
        render_chat_template("{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}") == "01"
    )
    assert render_chat_template("{{ x | tojson }}", x={"a": "<é'>"}) == '{"a": "<é\'>"}'
    assert render_chat_template("{{ strftime_now('%d %b %Y %H:%M') }}") == "01 Jan 2026 00:00"
    assert render_chat_template("{% generation %}{{ x }}{% endgeneration %}!", x="yes") == "yes!"
    assert render_chat_template("{% set n = namespace(a=1) %}{% set n.a = 2 %}{{ n.a }}") == "2"
    with pytest.raises(RefusedByTemplate, match="roles must alternate"):
        render_chat_template("{{ raise_exception('roles must alternate') }}")


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ strftime_now.__self__.year }}",
        "{{ raise_exception.__globals__.json }}",
        "{{ messages.append(1) }}",
        "{{ 'x' * 300000000 }}",
        "{{ 300000000 * 'x' }}",
        "{{ 10 ** 10000000 }}",
        "{{ range(10000000) | list }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
    ],
)
def test_what_a_template_must_not_do_fails(text: str) -> None:
    with pytest.raises((TemplateError, SecurityError, TypeError, OverflowError)):
        render_chat_template(text, messages=[])


def test_a_text_that_grows_without_end_is_stopped() -> None:
    with pytest.raises(RenderedTextTooLong, match="2,000,000"):
        render_chat_template("{% for i in range(99999) %}{{ 'x' * 1000 }}{% endfor %}")


def test_a_prompt_puts_texts_in_unchanged() -> None:
    text = "{{ 7 * 7 }} <b> & {% if %}\n"
    assert render_within(prompt_environment().from_string("Q: {{ question }}\n"), {"question": text}) == f"Q: {text}\n"


def test_a_prompt_with_an_unknown_name_fails() -> None:
    with pytest.raises(UndefinedError, match="topic"):
        render_within(prompt_environment().from_string("{{ topic }}"), {"question": "x"})
    with pytest.raises(TemplateSyntaxError):
        prompt_environment().from_string("{{ question ")


def makes_environments(path: Path) -> bool:
    """Whether a module imports something with which it could make one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jinja2":
            if any(alias.name.endswith("Environment") for alias in node.names):
                return True
        elif isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "jinja2" for alias in node.names):
            return True
    return False


def test_no_other_module_makes_an_environment_for_templates() -> None:
    root = Path(goldsmith.__file__).parent
    found = {path.relative_to(root).as_posix() for path in root.rglob("*.py") if makes_environments(path)}
    pages = {name for name in found if name.startswith("web/")}  # pages are Goldsmith's own templates
    assert found - pages == {"models/sandbox.py"}
