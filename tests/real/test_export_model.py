"""A model that was really trained is taken out, and what was written answers as the adapter does."""

import json
import zipfile
from pathlib import Path

import pytest
from tests.real.walk import Walk

from goldsmith.models import queries
from goldsmith.models.exports import queries as exports
from goldsmith.models.exports import service
from goldsmith.people import service as people
from goldsmith.people.types import DEFAULT_DOMAIN
from goldsmith.wire.export import ExportForm

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("form", "weights"),
    [
        (ExportForm.ADAPTER, "adapter_model.safetensors"),
        (ExportForm.MERGED, "model.safetensors"),
        (ExportForm.GGUF, "model.gguf"),
    ],
)
def test_an_export_answers_as_the_adapter_does(walk: Walk, tmp_path: Path, form: ExportForm, weights: str) -> None:
    with walk.parts.database.transaction() as session:
        by = people.known_by_name(session, "tests")
        model = queries.tuned(session, walk.model_id, domain=DEFAULT_DOMAIN)
        job_id = service.start(session, model, form, by=by).id
    job = walk.supervised(job_id)
    result = job.result or {}
    print(form.value, result["size_bytes"], result["reason"])
    assert result["is_good"], result["reason"]
    assert len(result["check"]["rows"]) == 5
    path = exports.there(walk.parts.home, job)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / path.stem
    names = {each.name for each in folder.iterdir()}
    assert {weights, "README.md", "manifest.json"} <= names
    assert not {"probe.jsonl"} & names
    assert all(not name.endswith((".bin", ".pt", ".pkl")) for name in names)
    if form is ExportForm.MERGED:
        assert {"tokenizer.json", "chat_template.jinja", "config.json"} <= names
        assert json.loads((folder / "config.json").read_text())["dtype"] == "float16"
    if form is ExportForm.GGUF:
        lines = (folder / "Modelfile").read_text().splitlines()
        assert lines[0] == "FROM ./model.gguf"
        assert {'PARAMETER stop "<|im_end|>"', "PARAMETER temperature 0", "PARAMETER num_ctx 8192"} <= set(lines)
        assert any(line.startswith('SYSTEM """You are a helpful AI assistant named SmolLM') for line in lines)
        assert names == {weights, "Modelfile", "README.md", "manifest.json"}
