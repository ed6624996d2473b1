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


def makes_environments(text: str) -> bool:
    """Whether a module calls or subclasses one of Jinja's environments; naming one as a type is fine."""
    tree = ast.parse(text)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    from_jinja = [node for node in imports if (node.module or "").split(".")[0] == "jinja2"]
    aliases = [alias for node in from_jinja for alias in node.names]
    names = {alias.asname or alias.name for alias in aliases if alias.name.endswith(("Environment", "Template"))}
    used = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    used += [base for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases]
    by_name = any(isinstance(node, ast.Name) and node.id in names for node in used)
    by_module = any(ast.unparse(node).startswith(("jinja2.", "sandbox.")) for node in used)
    return by_name or by_module


@pytest.mark.parametrize(
    ("text", "makes"),
    [
        ("from jinja2 import Environment as E\nE()", True),
        ("from jinja2.sandbox import SandboxedEnvironment\nclass Mine(SandboxedEnvironment): ...", True),
        ("import jinja2\njinja2.Template('x')", True),
        ("import jinja2.sandbox\njinja2.sandbox.SandboxedEnvironment()", True),
        ("from jinja2 import Environment\ndef make() -> Environment: ...", False),
        ("class Environment: ...\nEnvironment()", False),
    ],
)
def test_the_check_below_sees_what_makes_an_environment(text: str, makes: bool) -> None:
    assert makes_environments(text) == makes


def test_no_other_module_makes_an_environment_for_templates() -> None:
    root = Path(goldsmith.__file__).parent
    found = {path.relative_to(root).as_posix() for path in root.rglob("*.py") if makes_environments(path.read_text())}
    pages = {name for name in found if name.startswith("web/")}  # pages are Goldsmith's own templates
    assert found - pages == {"models/sandbox.py"}
