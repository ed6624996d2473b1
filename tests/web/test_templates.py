"""Templates and pages fit: what a template uses is a field, and every field is used. Every part is well formed."""

import importlib
import re
from collections.abc import Iterator
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import meta, nodes
from tests.web.conftest import Site

from goldsmith import web
from goldsmith.jobs.states import JobState
from goldsmith.web.badges import BADGES, badge_of
from goldsmith.web.pages import TEMPLATES, Page, make_environment

ENVIRONMENT = make_environment()
FILES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
VOID = {"meta", "link", "input", "img", "br", "hr", "path", "use", "circle"}


def page_classes() -> Iterator[type[Page]]:
    """Every page that there is."""
    root = Path(web.__file__).parent
    for path in sorted(root.rglob("*.py")):
        importlib.import_module("goldsmith.web." + ".".join(path.relative_to(root).with_suffix("").parts))
    queue = list(Page.__subclasses__())
    while queue:
        page = queue.pop()
        queue += page.__subclasses__()
        if "template" in vars(page):
            yield page


def used_by(template: str) -> set[str]:
    """Everything that a template and what it extends and includes takes from `page`."""
    loader = ENVIRONMENT.loader
    assert loader is not None
    tree = ENVIRONMENT.parse(loader.get_source(ENVIRONMENT, template)[0])
    used = {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "page"
    }
    for name in meta.find_referenced_templates(tree):
        used |= used_by(name) if name else set()
    return used


def given_by(page: type[Page]) -> set[str]:
    """What a page gives its template: its fields, and the words that it always says."""
    always = {name for base in page.__mro__ for name in vars(base).get("__annotations__", ())}
    return always - {"template", "current"} | {field.name for field in fields(page)}


@pytest.mark.parametrize("page", list(page_classes()), ids=lambda page: page.__name__)
def test_a_template_uses_exactly_what_its_page_gives(page: type[Page]) -> None:
    assert used_by(page.template) == given_by(page)


@pytest.mark.parametrize("name", FILES)
def test_a_template_compiles_stays_small_and_holds_no_style_or_script(name: str) -> None:
    ENVIRONMENT.get_template(name)
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= (40 if name.startswith("parts/") else 120)
    assert not re.search(r"\sstyle=|\son[a-z]+=", text)
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize("state", list(JobState))
def test_every_state_has_a_badge_with_its_word_and_a_shape(state: JobState) -> None:
    text = str(ENVIRONMENT.get_template("parts/badge.html").module.badge(state))  # type: ignore[attr-defined]
    assert f"badge {state.value}" in text
    assert f"#{badge_of(state).icon}" in text
    assert text.endswith(f"{state.value}</span>")


def test_a_state_without_a_badge_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        badge_of("happy")


def test_every_icon_that_is_asked_for_is_in_the_sprite() -> None:
    sprite = (Path(web.__file__).parent / "static" / "icons.svg").read_text(encoding="utf-8")
    drawn = set(re.findall(r'symbol id="([^"]+)"', sprite))
    asked = {badge.icon for badge in BADGES.values() if badge.icon}
    for name in FILES:
        asked |= set(re.findall(r'icon\("([a-z-]+)"', (TEMPLATES / name).read_text(encoding="utf-8")))
    assert asked <= drawn


class Balance(HTMLParser):
    """Raises when a tag is closed that is not the last one opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.num_gold = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in ("button", "a") and "primary" in str(values.get("class")).split():
            self.num_gold += 1

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or self.open.pop() == tag, (tag, self.getpos())


@pytest.mark.parametrize("path", ["/activity", "/design", "/hello", "/nope"])
def test_a_page_is_well_formed(site: Site, path: str) -> None:
    text = site.browser().get(path).text
    balance = Balance()
    balance.feed(text)
    assert balance.open == []
    assert len(balance.ids) == len(set(balance.ids))
    assert balance.headings.count(1) == 1
    assert path == "/design" or balance.num_gold <= 1


def test_the_page_of_all_parts_shows_every_part(site: Site) -> None:
    text = (TEMPLATES / "design.html").read_text(encoding="utf-8")
    shown = set(re.findall(r'from "parts/([a-z_]+)\.html"', text))
    elsewhere = {"menu", "menu_now", "keys", "form", "job_meter", "needs", "bell", "lately"}
    assert shown == {path.stem for path in (TEMPLATES / "parts").glob("*.html")} - elsewhere
    assert site.browser().get("/design").status_code == 200
