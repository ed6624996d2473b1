"""OpenAI's templates (`{{item.question}}`, `{{sample.output_text}}`) become ours, whose variables are columns."""

import re
from collections.abc import Mapping
from typing import Any, Final

from goldsmith.data.readers import values

SAMPLE: Final = "sample.output_text"
"""The column for what a model answered, in prompts that judge answers."""
_VARIABLE = re.compile(r"\{\{\s*(item|sample)\.([^{}\s]+)\s*\}\}")


def ours(text: str) -> str:
    """The template with our variables: `item.` falls away, `sample.` stays."""
    return _VARIABLE.sub(lambda found: f"{{{{{_column(found)}}}}}", text)


def only_column(text: str) -> str | None:
    """The column, where the template is that one variable of the row's and nothing besides."""
    found = _VARIABLE.fullmatch(text.strip())
    return found[2] if found is not None and found[1] == "item" else None


def is_answer(text: str) -> bool:
    """Whether the template stands for the model's answer and nothing besides."""
    found = _VARIABLE.fullmatch(text.strip())
    return found is not None and _column(found) == SAMPLE


def filled(text: str, row: Mapping[str, str]) -> str:
    """The template with a row's values; a variable that the row lacks is left empty."""
    return _VARIABLE.sub(lambda found: row.get(_column(found), ""), text)


def flat(item: Mapping[str, Any]) -> dict[str, str]:
    """A row's values as texts; what lies inside an object gets a dotted name, as templates say it."""
    found: dict[str, str] = {}
    for name, value in item.items():
        if isinstance(value, dict) and value:
            found.update({f"{name}.{inner}": text for inner, text in flat(value).items()})
        else:
            found[name] = values.text_of(value)
    return found


def _column(found: re.Match[str]) -> str:
    return found[2] if found[1] == "item" else f"sample.{found[2]}"
