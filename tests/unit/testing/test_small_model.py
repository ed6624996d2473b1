from pathlib import Path

from goldsmith.models import inspection
from goldsmith.models.rendering import Renderer
from goldsmith.testing import write_small_model


def test_the_small_model_passes_the_inspection_of_an_import(tmp_path: Path) -> None:
    folder = write_small_model(tmp_path / "small")
    found = inspection.inspect_folder(folder)
    assert found.context_length == 4096


def test_the_small_model_turns_a_chat_into_tokens_and_back(tmp_path: Path) -> None:
    renderer = Renderer.open(write_small_model(tmp_path / "small", text="parcel parcel parcel"))
    prompt = renderer.render_prompt([{"role": "user", "content": "Where is my parcel? Grüße"}])
    assert "Where is my parcel? Grüße" in renderer.decode(prompt.token_ids)
