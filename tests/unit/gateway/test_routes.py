from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.gateway.conftest import BASE, SLOW, TUNED, make_table, share

from goldsmith.gateway import routes
from goldsmith.gateway.errors import EngineNotReady, ModelNotOffered, NoDefaultModel
from goldsmith.serve.types import Proof, Route, RouteTable, Share, Target


@pytest.mark.parametrize("name", [BASE, "smollm2", "HuggingFaceTB/SmolLM2"])
def test_a_base_model_is_found_by_id_name_and_hub_id(table: RouteTable, name: str) -> None:
    assert routes.resolve(table, name, pick=0).model_id == BASE


@pytest.mark.parametrize("name", [None, "", "default"])
def test_who_names_no_model_gets_the_default(table: RouteTable, name: str | None) -> None:
    assert routes.resolve(table, name, pick=0.5).model_id == TUNED


def test_an_unknown_model_is_refused_with_what_there_is(table: RouteTable) -> None:
    with pytest.raises(ModelNotOffered, match=r"no model 'gpt-4'.*default.*HuggingFaceTB/SmolLM2.*support"):
        routes.resolve(table, "gpt-4", pick=0)


def test_without_a_default_a_name_is_asked_for() -> None:
    with pytest.raises(NoDefaultModel, match="No model is live"):
        routes.resolve(None, None, pick=0)


@pytest.mark.parametrize("name", [None, "default"])
def test_who_asks_for_a_default_that_nobody_set_is_told_page_and_command(name: str | None) -> None:
    table = make_table(Route(BASE, "base", (share(BASE),), "smollm2"))
    with pytest.raises(NoDefaultModel) as caught:
        routes.resolve(table, name, pick=0)
    assert "/models" in caught.value.hint
    assert "goldsmith models switch MODEL" in caught.value.hint
    assert BASE in caught.value.message
    with pytest.raises(NoDefaultModel):
        routes.model(table, "default")


def test_a_model_that_is_being_loaded_is_not_ready_yet(table: RouteTable) -> None:
    with pytest.raises(EngineNotReady):
        routes.resolve(table, SLOW, pick=0)


@given(st.floats(0, 1, exclude_max=True))
def test_parts_get_their_shares(pick: float) -> None:
    table = make_table(Route("beta", "alias", (share(BASE, 0.25), share(TUNED, 0.75))))
    assert routes.resolve(table, "beta", pick=pick).model_id == (BASE if pick < 0.25 else TUNED)


@given(st.floats(0, 1, exclude_max=True))
def test_a_part_that_is_not_ready_gets_nothing(pick: float) -> None:
    table = make_table(Route("beta", "alias", (share(BASE, 0.9, is_ready=False), share(TUNED, 0.1))))
    assert routes.resolve(table, "beta", pick=pick).model_id == TUNED


def test_the_list_has_every_alias_and_every_model_once(table: RouteTable) -> None:
    listed = routes.models(table)
    assert [entry["id"] for entry in listed] == ["default", BASE, TUNED, SLOW]
    assert listed[1]["names"] == ["HuggingFaceTB/SmolLM2", "smollm2"]
    assert [entry["is_ready"] for entry in listed] == [True, True, True, False]
    assert all(entry["object"] == "model" and isinstance(entry["created"], int) for entry in listed)


def test_every_entry_of_the_list_says_in_words_what_it_is_and_what_may_be_sent() -> None:
    table = make_table(
        Route(BASE, "base", (share(BASE),), "smollm2"),
        Route("smollm2", "base", (share(BASE),), "smollm2"),
        Route(TUNED, "fine_tuned", (share(TUNED),), "support"),
        Route(SLOW, "fine_tuned", (share(SLOW, is_ready=False),), "support"),
        Route("beta", "alias", (share(BASE, 0.25), share(TUNED, 0.75))),
    )
    said = {entry["id"]: (entry["name"], entry["description"]) for entry in routes.models(table)}
    assert said == {
        "beta": ("beta", "a stable name that leads to smollm2 (25%) and support (75%)"),
        BASE: ("smollm2", "base model smollm2; `model` may also be smollm2"),
        TUNED: ("support", "fine-tuned model support; send its id as `model`, as another has the same name"),
        SLOW: (
            "support",
            "fine-tuned model support, not ready yet; send its id as `model`, as another has the same name",
        ),
    }


def test_one_model_is_shown_under_the_name_that_was_asked_for(table: RouteTable) -> None:
    assert routes.model(table, "HuggingFaceTB/SmolLM2")["models"] == [{"id": BASE, "share": 1.0}]
    with pytest.raises(ModelNotOffered):
        routes.model(table, "gpt-4")


def on(*engines: str) -> Share:
    first, *others = [Target(f"http://{name}", Path("none"), BASE, name, is_ready=True) for name in engines]
    return Share(BASE, 1.0, first, Proof.PROVED, others=tuple(others))


def test_the_engine_with_the_fewest_requests_in_work_is_asked() -> None:
    share = on("eng_1", "eng_2", "eng_3")
    load = routes.Load({"eng_1": 2, "eng_2": 1, "eng_3": 3})
    assert routes.least_busy(share, load).target.engine_id == "eng_2"
    assert routes.least_busy(share, routes.NO_LOAD).target.engine_id == "eng_1"


def test_an_engine_that_is_away_is_asked_only_when_all_are() -> None:
    share = on("eng_1", "eng_2")
    assert routes.least_busy(share, routes.Load({"eng_2": 9}, {"eng_1"})).target.engine_id == "eng_2"
    assert routes.least_busy(share, routes.Load({"eng_2": 9}, {"eng_1", "eng_2"})).target.engine_id == "eng_1"
