"""Every path of the gateway with the official package: what is asked reaches the engine as it was written."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest
from aiohttp import web
from tests.web.gateway_site import ENGINE, ENGINE_KEY, TUNED, WAIT_S, Running

from goldsmith.serve.tables import Engine
from goldsmith.testing.fake_engine import end_connections

CHAT, COMPLETIONS, EMBEDDINGS, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"
QUESTION: Any = [{"role": "user", "content": "Where is my parcel?"}]
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
SCHEMA: Any = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION: Any = {"name": "find_parcel", "description": "Finds it.", "parameters": SCHEMA}
TOOL: Any = {"type": "function", "function": FUNCTION}
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def chat(message: dict[str, Any], reason: str = "stop", **choice: Any) -> dict[str, Any]:
    choices = [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason, **choice}]
    return {"id": "c", "object": "chat.completion", "created": 1, "model": TUNED, "choices": choices, "usage": USAGE}


def piece(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": TUNED, "choices": choices}


@dataclass
class Engines:
    """An engine that answers what it was told to, and keeps what it was asked."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    port: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"Bearer {ENGINE_KEY}"
        self.asked.append((request.path, await request.json()))
        answer = self.answers.get(request.path)
        if answer is None:
            return web.json_response({"detail": "Not Found"}, status=404)
        if not isinstance(answer, list):
            return web.json_response(answer)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        for event in answer:
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    @property
    def last(self) -> dict[str, Any]:
        """The body of the last request, without the model's name, which must be its id."""
        body = dict(self.asked[-1][1])
        assert body.pop("model") == TUNED
        return body


@pytest.fixture
def engine(running: Running) -> Iterator[Engines]:
    found = Engines()
    is_ready, loop = threading.Event(), asyncio.new_event_loop()

    async def serve() -> None:
        application = web.Application()
        application.router.add_post("/{path:.*}", found.handle)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.port = runner.addresses[0][1]
        stop.append(asyncio.Event())
        is_ready.set()
        await stop[0].wait()
        await end_connections(runner)

    stop: list[asyncio.Event] = []
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert is_ready.wait(WAIT_S)
    with running.parts.database.transaction() as session:
        session.get_one(Engine, ENGINE).url = f"http://127.0.0.1:{found.port}"
    running.refresh()
    yield found
    loop.call_soon_threadsafe(stop[0].set)
    thread.join(WAIT_S)
    loop.close()


@pytest.fixture
def client(running: Running, engine: Engines) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{running.url}/v1", api_key=running.key, max_retries=0, timeout=WAIT_S) as found:
        yield found


def test_a_chat(client: openai.OpenAI, engine: Engines) -> None:
    engine.answers[CHAT] = chat({"content": "On its way."})
    found = client.chat.completions.create(
        model="support", messages=QUESTION, temperature=0, max_tokens=9, stop=["\n"], seed=3, user="u1"
    )
    assert found.choices[0].message.content == "On its way."
    assert found.usage is not None
    assert found.usage.total_tokens == 12
    assert engine.last == {"messages": QUESTION, "temperature": 0, "max_tokens": 9, "stop": ["\n"], "seed": 3}


def test_a_chat_as_a_stream_with_its_usage_at_the_end(client: openai.OpenAI, engine: Engines) -> None:
    end = {**piece({}), "choices": [], "usage": USAGE}
    engine.answers[CHAT] = [piece({"role": "assistant", "content": "On "}), piece({"content": "its way."}, "stop"), end]
    stream = client.chat.completions.create(
        model="support", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "On its way."
    assert chunks[-1].usage is not None
    assert engine.last == {"messages": QUESTION, "stream": True, "stream_options": {"include_usage": True}}


def test_tools_are_called_and_their_results_sent_back(client: openai.OpenAI, engine: Engines) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "find_parcel", "arguments": '{"city": "Ghent"}'}}
    engine.answers[CHAT] = chat({"content": None, "tool_calls": [call]}, "tool_calls")
    found = client.chat.completions.create(
        model="support", messages=QUESTION, tools=[TOOL], tool_choice="auto", parallel_tool_calls=False
    )
    message: Any = found.choices[0].message
    first: Any = message.tool_calls[0]
    assert json.loads(first.function.arguments) == {"city": "Ghent"}
    assert engine.last["tools"] == [TOOL]
    engine.answers[CHAT] = chat({"content": "In Ghent."})
    result: Any = {"role": "tool", "tool_call_id": "call_1", "content": "Ghent"}
    client.chat.completions.create(model="support", messages=[*QUESTION, message, result], tools=[TOOL])
    assert engine.last["messages"][1]["tool_calls"][0]["function"] == call["function"]
    assert engine.last["messages"][2] == result


def test_a_tool_s_call_comes_as_a_stream(client: openai.OpenAI, engine: Engines) -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "find_parcel", "arguments": '{"ci'}}
    rest = {"index": 0, "function": {"arguments": 'ty": "Ghent"}'}}
    engine.answers[CHAT] = [piece({"tool_calls": [call]}), piece({"tool_calls": [rest]}), piece({}, "tool_calls")]
    with client.chat.completions.stream(model="support", messages=QUESTION, tools=[TOOL]) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.arguments == '{"city": "Ghent"}'


def test_a_json_schema_is_handed_on_whole(client: openai.OpenAI, engine: Engines) -> None:
    engine.answers[CHAT] = chat({"content": '{"city": "Ghent"}'})
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
    found = client.chat.completions.create(model="support", messages=QUESTION, response_format=wanted)
    assert json.loads(found.choices[0].message.content or "") == {"city": "Ghent"}
    assert engine.last["response_format"] == wanted


def test_logprobs(client: openai.OpenAI, engine: Engines) -> None:
    token = {"token": "On", "logprob": -0.25, "bytes": [79, 110], "top_logprobs": []}
    engine.answers[CHAT] = chat({"content": "On"}, logprobs={"content": [token]})
    found = client.chat.completions.create(model="support", messages=QUESTION, logprobs=True, top_logprobs=2)
    logprobs = found.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert logprobs.content[0].logprob == -0.25
    assert (engine.last["logprobs"], engine.last["top_logprobs"]) == (True, 2)


def test_an_image_comes_with_the_request(client: openai.OpenAI, engine: Engines) -> None:
    engine.answers[CHAT] = chat({"content": "A dot."})
    parts: Any = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    client.chat.completions.create(model="support", messages=[{"role": "user", "content": parts}])
    assert engine.last["messages"][0]["content"] == parts


@pytest.mark.parametrize("url", ["https://example.org/a.png", "file:///etc/passwd", "http://169.254.169.254/"])
def test_an_image_that_would_have_to_be_fetched_is_refused(client: openai.OpenAI, engine: Engines, url: str) -> None:
    parts: Any = [{"type": "image_url", "image_url": {"url": url}}]
    with pytest.raises(openai.BadRequestError, match="data: URL"):
        client.chat.completions.create(model="support", messages=[{"role": "user", "content": parts}])
    assert engine.asked == []


def test_what_only_vllm_knows_goes_in_the_extra_body(client: openai.OpenAI, engine: Engines) -> None:
    engine.answers[CHAT] = chat({"content": "yes"})
    more = {"top_k": 20, "min_p": 0.1, "structured_outputs": {"choice": ["yes", "no"]}}
    client.chat.completions.create(model="support", messages=QUESTION, extra_body=more)
    assert {name: engine.last[name] for name in more} == more


def test_a_completion_and_a_stream_of_it(client: openai.OpenAI, engine: Engines) -> None:
    choice = {"index": 0, "text": " in Ghent", "finish_reason": "stop", "logprobs": None}
    answer = {"id": "t", "object": "text_completion", "created": 1, "model": TUNED, "choices": [choice], "usage": USAGE}
    engine.answers[COMPLETIONS] = answer
    found = client.completions.create(model="support", prompt=["It is", "She is"], max_tokens=3, n=2, logprobs=1)
    assert found.choices[0].text == " in Ghent"
    assert engine.last == {"prompt": ["It is", "She is"], "max_tokens": 3, "n": 2, "logprobs": 1}
    engine.answers[COMPLETIONS] = [answer, answer]
    stream = client.completions.create(model="support", prompt="It is", stream=True)
    assert [part.choices[0].text for part in stream] == [" in Ghent", " in Ghent"]


def test_embeddings(client: openai.OpenAI, engine: Engines) -> None:
    data = [{"object": "embedding", "index": 0, "embedding": [0.5, -0.5]}]
    engine.answers[EMBEDDINGS] = {"object": "list", "data": data, "model": TUNED, "usage": USAGE}
    found = client.embeddings.create(model="support", input=["a parcel"], encoding_format="float", dimensions=2)
    assert found.data[0].embedding == [0.5, -0.5]
    assert engine.last == {"input": ["a parcel"], "encoding_format": "float", "dimensions": 2}


def test_a_response_and_a_stream_of_it(client: openai.OpenAI, engine: Engines) -> None:
    text = {"type": "output_text", "text": "In Ghent.", "annotations": []}
    message = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [text]}
    answer = {
        "id": "r", "object": "response", "created_at": 1, "model": TUNED, "output": [message], "status": "completed",
        "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    }  # fmt: skip
    engine.answers[RESPONSES] = answer
    found = client.responses.create(model="support", input="Where?", instructions="Be brief.", max_output_tokens=9)
    assert found.output_text == "In Ghent."
    assert engine.last == {"input": "Where?", "instructions": "Be brief.", "max_output_tokens": 9}
    engine.answers[RESPONSES] = [{"type": "response.completed", "sequence_number": 1, "response": answer}]
    events = list(client.responses.create(model="support", input="Where?", stream=True))
    assert [event.type for event in events] == ["response.completed"]


@pytest.mark.parametrize("path", [EMBEDDINGS, RESPONSES])
def test_what_the_engine_does_not_have_is_said_clearly(client: openai.OpenAI, engine: Engines, path: str) -> None:
    create: Any = client.embeddings.create if path == EMBEDDINGS else client.responses.create
    with pytest.raises(openai.NotFoundError, match=f"engine of this model has nothing at {path}") as refused:
        create(model="support", input="a")
    assert refused.value.code == "not_offered_by_engine"
    assert engine.asked[-1][0] == path


def test_models_are_listed_and_one_of_them_told(client: openai.OpenAI) -> None:
    listed = {model.id for model in client.models.list()}
    assert {"default", TUNED} <= listed
    assert client.models.retrieve("support").id == "support"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")


def test_a_stream_that_stops_in_the_middle_raises_in_the_official_package(
    client: openai.OpenAI, running: Running
) -> None:
    with running.parts.database.transaction() as session:
        session.get_one(Engine, ENGINE).url = running.engine.url
    running.refresh()
    running.engine.breaks_off = True
    stream = client.chat.completions.create(model="support", messages=QUESTION, stream=True)
    words: list[str | None] = []
    running.engine.go_on.set()
    with pytest.raises(openai.APIError, match="broke the connection"):
        words.extend(chunk.choices[0].delta.content for chunk in stream)
