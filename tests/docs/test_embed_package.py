"""The elements, their types, their React components and the how-to say the same; nothing of it needs node."""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE, ELEMENTS = ROOT / "embed", ROOT / "src" / "goldsmith" / "web" / "static" / "embed"
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in ELEMENTS.glob("*.js")}
TYPES = (PACKAGE / "elements.d.ts").read_text(encoding="utf-8")
REACT = (PACKAGE / "react.js").read_text(encoding="utf-8")
REACT_TYPES = (PACKAGE / "react.d.ts").read_text(encoding="utf-8")
README = (PACKAGE / "README.md").read_text(encoding="utf-8")
HOW_TO = (ROOT / "docs" / "howto" / "show-goldsmith-inside-your-application.md").read_text(encoding="utf-8")


def named(pattern: str, text: str) -> set[str]:
    return set(re.findall(pattern, text))


def test_every_element_has_its_types_its_component_and_its_line() -> None:
    tags = named(r'"(goldsmith-[a-z-]+)": \w+,', SCRIPTS["elements.js"])
    assert len(tags) == 6
    assert named(r'"(goldsmith-[a-z-]+)": \w+;', TYPES) == tags
    components = dict(re.findall(r'component\("(\w+)", "([a-z-]+)"', REACT))
    assert set(components.values()) == tags
    for name, tag in components.items():
        assert f"export const {name}: Component<" in REACT_TYPES
        assert f"| `{name}` | `{tag}` |" in README
    assert named(r"`<(goldsmith-[a-z-]+)>`", HOW_TO) == tags


def test_every_event_is_typed_handed_on_and_told() -> None:
    told = named(r'tell\(\s*"(goldsmith-[a-z-]+)"', "".join(SCRIPTS.values()))
    assert {"goldsmith-exported", "goldsmith-model-selected", "goldsmith-token-expiring"} <= told
    assert set(re.findall(r'^  "(goldsmith-[a-z-]+)": \{', TYPES, re.MULTILINE)) == told
    handed = dict(re.findall(r'(on\w+): "(goldsmith-[a-z-]+)"', REACT))
    assert set(handed.values()) == told - {"goldsmith-token-expiring"}
    for prop, event in handed.items():
        assert f'{prop}?: Detail<"{event}">' in REACT_TYPES
        assert f"`{prop}`" in README
    assert told <= named(r"`(goldsmith-[a-z-]+)`", HOW_TO)


def test_every_property_of_the_look_and_every_shadow_part_stands_in_the_how_to() -> None:
    properties = named(r"var\((--goldsmith-[a-z0-9-]+)", SCRIPTS["style.js"])
    assert len(properties) > 10
    assert properties == named(r"`(--goldsmith-[a-z0-9-]+)`", HOW_TO)
    parts = {word for found in re.findall(r'part: "([a-z -]+)"', "".join(SCRIPTS.values())) for word in found.split()}
    listed = named(r"`([a-z-]+)`", HOW_TO[HOW_TO.index("Shadow parts") : HOW_TO.index("Attributes:")])
    assert parts - {"status"} - listed == set()


def test_the_package_has_goldsmith_s_version_and_names_no_registry() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((PACKAGE / "package-lock.json").read_text(encoding="utf-8"))
    assert (package["version"], package["license"]) == (project["version"], project["license"])
    assert lock["packages"][""]["devDependencies"] == package["devDependencies"]
    for name, found in lock["packages"].items():
        assert not name or ("integrity" in found and "resolved" not in found), name
