"""The allow-list: which addresses are passed on to engines, and for each the fields that a request may have.

What only vLLM knows is kept apart, because outside providers do not get it. A field that is on no list is refused.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from goldsmith.gateway.checks import (
    MAX_INT,
    Check,
    Fields,
    by_type,
    data_url,
    either,
    fields,
    flag,
    many,
    named,
    number,
    one_of,
    text,
    whole,
)
from goldsmith.gateway.schema import pattern, schema

MAX_TOKENS = 32_768
NAME = text(256)
ANY_TEXT = text()


@dataclass(frozen=True)
class Endpoint:
    """An address that is passed on, with what a request may say."""

    path: str
    fields: Fields
    """What OpenAI's API has."""
    engine_fields: Fields
    """What vLLM has beyond that."""
    needed: tuple[str, ...]
    dropped: frozenset[str] = frozenset()
    """What is taken, since OpenAI's clients send it, and goes no further, since engines do nothing with it."""

    @cached_property
    def check(self) -> Check:
        """The check of a whole body, its model left aside."""
        return fields({**self.fields, **self.engine_fields, "model": NAME}, dropped=self.dropped, needed=self.needed)


_STOP = either(str, text(256), many(text(256), 16))
_TOKENS = whole(1, MAX_TOKENS)
_STREAM_OPTIONS = fields(
    {"include_usage": flag, "continuous_usage_stats": flag}, dropped=frozenset({"include_obfuscation"})
)
_DROPPED = frozenset(
    {
        "user",
        "store",
        "metadata",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "service_tier",
    }
)

SAMPLING: Fields = {
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "n": whole(1, 8),
    "max_tokens": _TOKENS,
    "stop": _STOP,
    "stream": flag,
    "stream_options": _STREAM_OPTIONS,
    "presence_penalty": number(-2, 2),
    "frequency_penalty": number(-2, 2),
    "logit_bias": named(r"[0-9]{1,7}", number(-100, 100), 1024),
    "seed": whole(-MAX_INT, MAX_INT),
}
_SCHEMA_FORMAT = fields({"name": NAME, "description": text(4096), "schema": schema, "strict": flag}, needed=("schema",))
RESPONSE_FORMAT = by_type(
    {
        "text": fields({"type": NAME}),
        "json_object": fields({"type": NAME}),
        "json_schema": fields({"type": NAME, "json_schema": _SCHEMA_FORMAT}, needed=("json_schema",)),
    }
)
_STRUCTURED = fields(
    {"json": schema, "json_object": flag, "regex": pattern, "choice": many(text(1024), 1024, min_items=1)}
)
ENGINE_SAMPLING: Fields = {
    "top_k": whole(-1, 1_000_000),
    "min_p": number(0, 1),
    "repetition_penalty": number(0.01, 10),
    "stop_token_ids": many(whole(0, 10_000_000), 64),
    "include_stop_str_in_output": flag,
    "ignore_eos": flag,
    "min_tokens": whole(0, MAX_TOKENS),
    "skip_special_tokens": flag,
    "spaces_between_special_tokens": flag,
    "bad_words": many(text(256), 64),
    "allowed_token_ids": many(whole(0, 10_000_000), 4096),
    "truncate_prompt_tokens": whole(1, 1_000_000),
    "add_special_tokens": flag,
    "return_token_ids": flag,
    "return_tokens_as_token_ids": flag,
    "structured_outputs": _STRUCTURED,
    "prompt_logprobs": whole(0, 20),
    "echo": flag,
}

_URL_OF_DATA = fields({"url": data_url, "detail": one_of("auto", "low", "high")}, needed=("url",))
_TEXT_PART = fields({"type": NAME, "text": ANY_TEXT}, needed=("text",))
_AUDIO = fields({"data": ANY_TEXT, "format": one_of("wav", "mp3", "flac", "ogg")}, needed=("data",))
_PARTS = by_type(
    {
        "text": _TEXT_PART,
        "refusal": fields({"type": NAME, "refusal": ANY_TEXT}),
        "image_url": fields({"type": NAME, "image_url": _URL_OF_DATA}, needed=("image_url",)),
        "audio_url": fields({"type": NAME, "audio_url": _URL_OF_DATA}, needed=("audio_url",)),
        "video_url": fields({"type": NAME, "video_url": _URL_OF_DATA}, needed=("video_url",)),
        "input_audio": fields({"type": NAME, "input_audio": _AUDIO}, needed=("input_audio",)),
    }
)
_CALL = fields({"name": NAME, "arguments": ANY_TEXT}, needed=("name",))
_TOOL_CALL = by_type({"function": fields({"type": NAME, "id": NAME, "index": whole(0, 1024), "function": _CALL})})
MESSAGE = fields(
    {
        "role": one_of("system", "developer", "user", "assistant", "tool"),
        "content": either(str, ANY_TEXT, many(_PARTS, 256)),
        "name": NAME,
        "refusal": ANY_TEXT,
        "reasoning": ANY_TEXT,
        "reasoning_content": ANY_TEXT,
        "tool_calls": many(_TOOL_CALL, 128),
        "tool_call_id": NAME,
    },
    dropped=frozenset({"annotations"}),
    needed=("role",),
)
_FUNCTION = fields({"name": NAME, "description": text(8192), "parameters": schema, "strict": flag}, needed=("name",))
_TOOL = by_type({"function": fields({"type": NAME, "function": _FUNCTION}, needed=("function",))})
_NAMED_TOOL = by_type({"function": fields({"type": NAME, "function": fields({"name": NAME})})})
_TEMPLATE_WORDS = fields({"enable_thinking": flag, "thinking": flag, "reasoning_effort": NAME})

CHAT = Endpoint(
    path="/v1/chat/completions",
    fields={
        **SAMPLING,
        "messages": many(MESSAGE, 4096, min_items=1),
        "max_completion_tokens": _TOKENS,
        "logprobs": flag,
        "top_logprobs": whole(0, 20),
        "response_format": RESPONSE_FORMAT,
        "tools": many(_TOOL, 128),
        "tool_choice": either(str, one_of("none", "auto", "required"), _NAMED_TOOL),
        "parallel_tool_calls": flag,
        "reasoning_effort": one_of("none", "minimal", "low", "medium", "high"),
        "modalities": many(one_of("text"), 1),
    },
    engine_fields={
        **ENGINE_SAMPLING,
        "add_generation_prompt": flag,
        "continue_final_message": flag,
        "include_reasoning": flag,
        "chat_template_kwargs": _TEMPLATE_WORDS,
    },
    needed=("messages",),
    dropped=_DROPPED,
)

_TOKEN_IDS = many(whole(0, 10_000_000), 1_000_000, min_items=1)
_PROMPT_ITEM = either(str, ANY_TEXT, either(list, _TOKEN_IDS, whole(0, 10_000_000)))
COMPLETIONS = Endpoint(
    path="/v1/completions",
    fields={
        **SAMPLING,
        "prompt": either(str, ANY_TEXT, many(_PROMPT_ITEM, 1_000_000, min_items=1)),
        "logprobs": whole(0, 20),
        "best_of": whole(1, 8),
        "suffix": text(65_536),
    },
    engine_fields={**ENGINE_SAMPLING, "response_format": RESPONSE_FORMAT},
    needed=("prompt",),
    dropped=_DROPPED,
)

EMBEDDINGS = Endpoint(
    path="/v1/embeddings",
    fields={
        "input": either(str, ANY_TEXT, many(_PROMPT_ITEM, 2048, min_items=1)),
        "encoding_format": one_of("float", "base64"),
        "dimensions": whole(1, 65_536),
    },
    engine_fields={"truncate_prompt_tokens": whole(1, 1_000_000), "add_special_tokens": flag},
    needed=("input",),
    dropped=_DROPPED,
)

_TEXTS_OF_ITEMS = by_type(
    {
        "input_text": _TEXT_PART,
        "output_text": fields(
            {"type": NAME, "text": ANY_TEXT}, dropped=frozenset({"annotations", "logprobs"}), needed=("text",)
        ),
        "refusal": fields({"type": NAME, "refusal": ANY_TEXT}),
        "input_image": fields({"type": NAME, "image_url": data_url, "detail": NAME}, needed=("image_url",)),
        "summary_text": _TEXT_PART,
        "reasoning_text": _TEXT_PART,
    }
)
_STATUS = one_of("in_progress", "completed", "incomplete")
_ROLE = one_of("system", "developer", "user", "assistant")
_ITEM_MESSAGE: Fields = {
    "type": one_of("message"),
    "id": NAME,
    "role": _ROLE,
    "status": _STATUS,
    "content": either(str, ANY_TEXT, many(_TEXTS_OF_ITEMS, 256)),
}
_CALL_OUTPUT: Fields = {"type": NAME, "id": NAME, "call_id": NAME, "output": ANY_TEXT, "status": _STATUS}
_KINDS_OF_ITEMS = by_type(
    {
        "message": fields(_ITEM_MESSAGE, needed=("role", "content")),
        "function_call": fields(
            {"type": NAME, "id": NAME, "call_id": NAME, "name": NAME, "arguments": ANY_TEXT, "status": _STATUS}
        ),
        "function_call_output": fields(_CALL_OUTPUT, needed=("call_id", "output")),
        "reasoning": fields(
            {
                "type": NAME,
                "id": NAME,
                "status": _STATUS,
                "summary": many(_TEXTS_OF_ITEMS, 256),
                "content": many(_TEXTS_OF_ITEMS, 256),
            }
        ),
    }
)


def _item(value: object, where: str) -> object:
    is_bare = isinstance(value, dict) and "type" not in value
    return (fields(_ITEM_MESSAGE, needed=("role", "content")) if is_bare else _KINDS_OF_ITEMS)(value, where)


_TEXT_FORMAT = by_type(
    {
        "text": fields({"type": NAME}),
        "json_object": fields({"type": NAME}),
        "json_schema": fields(
            {"type": NAME, "name": NAME, "description": text(4096), "schema": schema, "strict": flag},
            needed=("schema",),
        ),
    }
)
_FLAT_FUNCTION: Fields = {
    "type": NAME,
    "name": NAME,
    "description": text(8192),
    "parameters": schema,
    "strict": flag,
}
RESPONSES = Endpoint(
    path="/v1/responses",
    fields={
        "input": either(str, ANY_TEXT, many(_item, 4096, min_items=1)),
        "instructions": ANY_TEXT,
        "max_output_tokens": _TOKENS,
        "temperature": number(0, 2),
        "top_p": number(0, 1),
        "top_logprobs": whole(0, 20),
        "stream": flag,
        "text": fields({"format": _TEXT_FORMAT}),
        "tools": many(by_type({"function": fields(_FLAT_FUNCTION, needed=("name",))}), 128),
        "tool_choice": either(
            str, one_of("none", "auto", "required"), by_type({"function": fields({"type": NAME, "name": NAME})})
        ),
        "parallel_tool_calls": flag,
        "reasoning": fields({"effort": one_of("none", "minimal", "low", "medium", "high")}),
        "truncation": one_of("auto", "disabled"),
    },
    engine_fields={},
    needed=("input",),
    dropped=_DROPPED | {"stream_options"},
)

ENDPOINTS: Final = {endpoint.path: endpoint for endpoint in (CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES)}
