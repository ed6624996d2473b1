"""The stand-in for a provider speaks to OpenAI's own client as OpenAI does."""

import openai
import pytest

from goldsmith.testing import FakeProvider

pytestmark = pytest.mark.enable_socket
LINE = b'{"messages": [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "On its way"}]}\n'


def test_openais_client_trains_with_it_and_asks_what_came_of_it() -> None:
    with (
        FakeProvider(num_steps=2) as provider,
        openai.OpenAI(base_url=f"{provider.url}/v1", api_key=provider.key) as client,
    ):
        file = client.files.create(file=("chats.jsonl", LINE), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model="small-1", training_file=file.id, suffix="mail")
        assert provider.files[file.id] == ("chats.jsonl", LINE)
        while client.fine_tuning.jobs.retrieve(job.id).status != "succeeded":
            pass
        done = client.fine_tuning.jobs.retrieve(job.id)
        steps = [event.data for event in client.fine_tuning.jobs.list_events(job.id) if event.type == "metrics"]
        assert [step["step"] for step in steps if isinstance(step, dict)] == [2, 1]
        assert [point.step_number for point in client.fine_tuning.jobs.checkpoints.list(job.id)] == [2]
        said = [
            client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Where?"}])
            for model in ("small-1", done.fine_tuned_model or "")
        ]
    assert [one.choices[0].message.content for one in said] == ["I do not know.", "On its way"]


def test_another_key_is_refused() -> None:
    with (
        FakeProvider() as provider,
        openai.OpenAI(base_url=f"{provider.url}/v1", api_key="sk-other") as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.files.list()
