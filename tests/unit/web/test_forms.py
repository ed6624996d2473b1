"""Model → form → model: fields with help and limits, errors at their fields, what was typed kept."""

from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import Field, SecretStr

from goldsmith.web.errors import FormNotUsable
from goldsmith.web.forms import FormModel, Option, fields_of, fill


class Effort(StrEnum):
    QUICK = "quick"
    BALANCED = "balanced"


class TrainForm(FormModel):
    backend: Literal["trl"] = "trl"
    name: Annotated[str, Field(min_length=1, max_length=64, title="Name of the model")]
    """Callers use this name."""
    rounds: Annotated[int, Field(ge=1, le=50)] = 3
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-4
    effort: Effort = Effort.BALANCED
    stop_early: bool = True
    note: str | None = None
    base_model: str = ""
    text: Annotated[str, Field(json_schema_extra={"kind": "textarea"})] = ""


def test_a_model_becomes_fields_with_help_limits_and_defaults() -> None:
    fields = {field.name: field for field in fields_of(TrainForm)}
    assert "backend" not in fields
    assert fields["name"].label == "Name of the model"
    assert fields["name"].help == "Callers use this name."
    assert fields["name"].is_required
    assert dict(fields["rounds"].attrs) == {"min": "1", "max": "50"}
    assert (fields["rounds"].kind, fields["rounds"].value) == ("number", "3")
    assert dict(fields["learning_rate"].attrs)["step"] == "any"
    assert [option.value for option in fields["effort"].options] == ["quick", "balanced"]
    assert (fields["stop_early"].kind, fields["stop_early"].value) == ("checkbox", "true")
    assert fields["text"].kind == "textarea"
    assert not fields["note"].is_required


def test_choices_that_are_known_only_now_become_a_select() -> None:
    fields = fields_of(TrainForm, options={"base_model": [Option("bm_1", "smollm2")]})
    field = next(each for each in fields if each.name == "base_model")
    assert (field.kind, field.options) == ("select", (Option("bm_1", "smollm2"),))


def test_a_filled_form_becomes_the_model_and_empty_means_default() -> None:
    filled = fill(TrainForm, {"name": " support-1 ", "rounds": "", "effort": "quick", "note": ""})
    assert filled.usable == TrainForm(name="support-1", effort=Effort.QUICK, stop_early=False)


def test_what_cannot_be_used_keeps_the_text_and_names_the_field() -> None:
    filled = fill(TrainForm, {"name": "", "rounds": "many", "learning_rate": "7"})
    fields = {field.name: field for field in filled.fields}
    assert not filled.is_usable
    assert fields["name"].error == "This is needed."
    assert fields["rounds"].value == "many"
    assert "integer" in fields["rounds"].error
    assert fields["learning_rate"].error
    with pytest.raises(FormNotUsable, match="Rounds"):
        _ = filled.usable


def test_a_value_that_no_field_is_for_is_refused() -> None:
    assert not fill(TrainForm, {"name": "a", "is_admin": "true"}).is_usable


def test_a_choice_among_numbers_is_read_as_a_number() -> None:
    class RankForm(FormModel):
        rank: Literal[8, 16] = 8

    assert fill(RankForm, {"rank": "16"}).usable.rank == 16
    assert not fill(RankForm, {"rank": "9"}).is_usable


class SecretForm(FormModel):
    key: SecretStr | None = Field(None, json_schema_extra={"kind": "password"})
    name: str = Field(min_length=1)


def test_a_secret_is_taken_but_never_sent_back_to_the_page() -> None:
    usable = fill(SecretForm, {"key": "sk-hidden", "name": "mine"})
    assert usable.usable.key is not None
    assert usable.usable.key.get_secret_value() == "sk-hidden"
    refused = fill(SecretForm, {"key": "sk-hidden", "name": ""})
    for filled in (usable, refused):
        field = next(field for field in filled.fields if field.name == "key")
        assert (field.kind, field.value) == ("password", "")
