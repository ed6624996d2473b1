import json
from collections.abc import Mapping
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types import completion_create_params as completion_params
from openai.types import embedding_create_params as embedding_params
from openai.types.chat import completion_create_params as chat_params
from openai.types.responses import response_create_params as response_params
from tests.unit.gateway.conftest import target

from goldsmith.gateway import body
from goldsmith.gateway.endpoints import CHAT, COMPLETIONS, EMBEDDINGS, ENDPOINTS, RESPONSES, Endpoint
from goldsmith.gateway.errors import BadField, BodyNotJson, EndangersEngine, FieldNotAllowed, ValueNotAllowed

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
SMALLEST: dict[str, dict[str, Any]] = {
    CHAT.path: ASK,
    COMPLETIONS.path: {"prompt": "Hello"},
    EMBEDDINGS.path: {"input": "Hello"},
    RESPONSES.path: {"input": "Hello"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
STEPS = st.lists(st.one_of(st.text(min_size=1, max_size=8), st.integers(0, 2)), max_size=12)


def nested(steps: list[str | int], name: str, value: object) -> Any:
    """`value` under `name`, wrapped in objects and lists."""
    wrapped: Any = {name: value}
    for step in reversed(steps):
        wrapped = [None] * step + [wrapped] if isinstance(step, int) else {step: wrapped}
    return wrapped


@settings(max_examples=40)
@given(st.sampled_from(sorted(body.REFUSED)), STEPS, JSON)
def test_refused_names_are_refused_at_any_depth(name: str, steps: list[str | int], value: object) -> None:
    steps = [step for step in steps if step not in ("schema", "parameters", "json")]
    with pytest.raises(FieldNotAllowed, match=name):
        body.refuse_names({"x": nested(steps, name, value)})


@settings(max_examples=40)
@given(st.sampled_from(sorted(ENDPOINTS)), st.text(max_size=12), JSON.filter(lambda value: value is not None))
def test_a_field_that_is_on_no_list_is_refused_by_its_name(path: str, name: str, value: object) -> None:
    endpoint = ENDPOINTS[path]
    if name in (*endpoint.fields, *endpoint.engine_fields, *endpoint.dropped, "model"):
        return
    with pytest.raises(FieldNotAllowed) as caught:
        body.check(endpoint, {**SMALLEST[path], name: value})
    assert caught.value.param is not None
    assert caught.value.param.startswith(name)


@settings(max_examples=40)
@given(st.sampled_from(sorted(ENDPOINTS)), JSON)
def test_any_json_is_passed_or_refused_and_never_breaks(path: str, value: Any) -> None:
    try:
        checked = body.check(ENDPOINTS[path], body.read(json.dumps(value).encode()))
    except BadField:
        return
    assert set(checked) <= {*ENDPOINTS[path].fields, *ENDPOINTS[path].engine_fields, "model"}


@settings(max_examples=40)
@given(st.sampled_from(sorted(ENDPOINTS)), st.data())
def test_any_value_of_an_allowed_field_is_passed_or_refused_and_never_breaks(path: str, data: st.DataObject) -> None:
    endpoint = ENDPOINTS[path]
    name = data.draw(st.sampled_from(sorted({**endpoint.fields, **endpoint.engine_fields})))
    try:
        body.check(endpoint, {**SMALLEST[path], name: data.draw(JSON)})
    except BadField:
        return


@pytest.mark.parametrize("path", sorted(ENDPOINTS))
def test_the_smallest_request_passes_with_the_model_s_name_in_the_engine(path: str) -> None:
    checked = body.check(ENDPOINTS[path], {**SMALLEST[path], "model": "support"})
    assert json.loads(body.for_target(ENDPOINTS[path], checked, target("ftm_1"))) == {
        **SMALLEST[path],
        "model": "ftm_1",
    }


def test_an_everyday_request_passes_whole() -> None:
    schema = {"type": "object", "properties": {"priority": {"enum": ["low"]}, "documents": {"type": "array"}}}
    asked = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Look:"}]},
            {"role": "assistant", "content": None, "tool_calls": [call()], "refusal": None, "audio": None},
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
        ],
        "temperature": 0,
        "max_completion_tokens": 20,
        "stop": ["\n"],
        "stream": True,
        "stream_options": {"include_usage": True},
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema, "strict": True}},
        "tools": [{"type": "function", "function": {"name": "look", "parameters": schema}}],
        "tool_choice": "auto",
        "user": "u1",
        "metadata": {"a": "b"},
        "top_k": 5,
    }
    checked = body.check(CHAT, asked)
    assert checked["response_format"] == asked["response_format"]
    assert checked["messages"][2] == {"role": "assistant", "tool_calls": [call()]}
    assert "user" not in checked
    assert "metadata" not in checked


def call() -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def test_names_of_a_schema_s_properties_are_people_s_and_its_other_names_are_not() -> None:
    def asked(schema: object) -> dict[str, Any]:
        return {**ASK, "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}}

    body.check(CHAT, asked({"type": "object", "properties": {"priority": {"type": "string"}}}))
    with pytest.raises(FieldNotAllowed, match="priority"):
        body.check(CHAT, asked({"type": "object", "properties": {"x": {"priority": 1}}}))
    with pytest.raises(FieldNotAllowed, match="properties"):
        body.check(CHAT, {**ASK, "properties": {"priority": 1}})


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 9}, "n"),
        ({"n": True}, "n"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"max_tokens": 10_000_000}, "max_tokens"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stop": "x" * 257}, "stop"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": "x", "prompt_embeds": "x"}]}, "messages[0].prompt_embeds"),
        ({"messages": [{"role": "root", "content": "x"}]}, "messages[0].role"),
        ({"chat_template": "{{ 1 }}"}, "chat_template"),
        ({"chat_template_kwargs": {"chat_template": "x"}}, "chat_template_kwargs.chat_template"),
        ({"chat_template_kwargs": {"tokenize": True}}, "chat_template_kwargs.tokenize"),
        ({"cache_salt": "ftm_1"}, "cache_salt"),
        ({"extra_body": {"cache_salt": "x"}}, "extra_body.cache_salt"),
        ({"structured_outputs": {"grammar": "root ::= x"}}, "structured_outputs.grammar"),
        ({"structured_outputs": {"regex": "a{99999}"}}, "structured_outputs.regex"),
        ({"logit_bias": {"a": 1}}, "logit_bias.a"),
        ({"tools": [{"type": "mcp", "server_url": "http://x"}]}, "tools[0].type"),
        ({"model": 7}, "model"),
    ],
)
def test_what_is_beyond_its_limits_is_refused_with_its_place(more: dict[str, Any], param: str) -> None:
    with pytest.raises(BadField) as caught:
        body.check(CHAT, {**ASK, **more})
    assert caught.value.param == param


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "https://x/a.png", "file:///etc/passwd", "", "DATA", 7])
@pytest.mark.parametrize("kind", ["image_url", "audio_url", "video_url"])
def test_media_travel_with_the_request_and_are_never_fetched(kind: str, url: object) -> None:
    part = {"type": kind, kind: {"url": url}}
    with pytest.raises(ValueNotAllowed, match="data: URL"):
        body.check(CHAT, {"messages": [{"role": "user", "content": [part]}]})
    with pytest.raises(BadField):
        body.check(CHAT, {"messages": [{"role": "user", "content": [{kind: url}]}]})
    good = {"type": kind, kind: {"url": "data:image/png;base64,AAAA"}}
    body.check(CHAT, {"messages": [{"role": "user", "content": [good]}]})


@pytest.mark.parametrize(
    ("endpoint", "more"),
    [
        (CHAT, {**ASK, "prompt_logprobs": 0}),
        (CHAT, {**ASK, "echo": True, "logprobs": True, "top_logprobs": 1}),
        (COMPLETIONS, {"prompt": "x", "prompt_logprobs": 1}),
        (COMPLETIONS, {"prompt": "x", "echo": True, "logprobs": 0}),
    ],
)
def test_log_probabilities_of_a_prompt_are_refused_on_a_processor(endpoint: Endpoint, more: dict[str, Any]) -> None:
    with pytest.raises(EndangersEngine, match="runs on a processor"):
        body.for_target(endpoint, body.check(endpoint, more), target("ftm_1"))


def test_log_probabilities_of_an_answer_are_not() -> None:
    checked = body.check(COMPLETIONS, {"prompt": "x", "echo": False, "logprobs": 5})
    assert json.loads(body.for_target(COMPLETIONS, checked, target("ftm_1")))["logprobs"] == 5


def test_a_provider_gets_no_words_of_vllm() -> None:
    with pytest.raises(FieldNotAllowed, match="word of vLLM"):
        body.for_target(CHAT, body.check(CHAT, {**ASK, "top_k": 3}), target("gpt", is_ours=False))


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b'"x"', b"\xff", b"[" * 2000])
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(BodyNotJson):
        body.read(raw)


def test_a_body_that_is_too_deep_is_refused() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = {"a": deep}
    with pytest.raises(ValueNotAllowed, match="levels deep"):
        body.refuse_names(deep)


def test_of_two_fields_with_one_name_the_engine_sees_the_one_that_was_checked() -> None:
    raw = b'{"n": 1000, "n": 2, "messages": [{"role": "user", "content": "x"}]}'
    assert body.check(CHAT, body.read(raw))["n"] == 2


NOT_OFFERED: Mapping[str, Mapping[str, str]] = {
    CHAT.path: {
        "audio": "answers are text",
        "function_call": "replaced by tool_choice",
        "functions": "replaced by tools",
        "moderation": "no engine has it",
        "prediction": "no engine has it",
        "verbosity": "no engine has it",
        "web_search_options": "engines fetch nothing",
    },
    COMPLETIONS.path: {},
    EMBEDDINGS.path: {},
    RESPONSES.path: {
        "access_programs": "programs of OpenAI's own",
        "background": "nothing is kept",
        "background_options": "nothing is kept",
        "context_management": "no engine has it",
        "conversation": "nothing is kept",
        "image": "answers are text",
        "include": "parts of tools that are not offered",
        "max_tool_calls": "tools run at the caller's",
        "moderation": "no engine has it",
        "previous_response_id": "nothing is kept",
        "prompt": "prompts kept at OpenAI's",
    },
}
"""Fields of OpenAI's API that are refused, with the reason."""


@pytest.mark.parametrize(
    ("endpoint", "params"),
    [
        (CHAT, chat_params.CompletionCreateParamsStreaming),
        (COMPLETIONS, completion_params.CompletionCreateParamsStreaming),
        (EMBEDDINGS, embedding_params.EmbeddingCreateParams),
        (RESPONSES, response_params.ResponseCreateParamsStreaming),
    ],
)
def test_of_every_field_of_openai_s_api_it_is_decided_what_becomes_of_it(endpoint: Endpoint, params: type) -> None:
    known = {"model", *endpoint.fields, *endpoint.dropped, *endpoint.engine_fields}
    assert set(get_type_hints(params)) - known == set(NOT_OFFERED[endpoint.path])


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in NOT_OFFERED.items() for name in names])
def test_what_is_not_offered_is_refused_by_name(path: str, name: str) -> None:
    with pytest.raises(FieldNotAllowed, match=name):
        body.check(ENDPOINTS[path], {**SMALLEST[path], name: "x"})
