"""The base model as engines have it, for trainings that pack theirs into 4 bit.

Packed weights are rounded ones: with them the model finds other probabilities than an engine that loads the adapter on
whole ones. So what such a training leaves is proved on whole weights.
"""

from typing import Any

from goldsmith.trainers._report import Job

ROOM = 1.3
"""So much of the weights' size has to be free on a GPU; otherwise they are put into the machine's memory."""


def is_packed(job: Job) -> bool:
    """Whether the training has its base model in 4 bit."""
    return bool(job.order.settings.get("load_in_4bit"))


def load(job: Job, trainer: Any) -> Any:
    """The adapter of the result on the whole base model, where `trainer` has the packed one if there is room."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    device = trainer.model.device
    folder = job.folder / job.order.base_model_folder
    if device.type == "cuda":
        torch.cuda.empty_cache()
        needed = ROOM * sum(path.stat().st_size for path in folder.glob("*.safetensors"))
        device = device if torch.cuda.mem_get_info(device)[0] > needed else torch.device("cpu")
    dtype = job.order.settings.get("dtype") or ("float32" if job.order.device == "cpu" else "bfloat16")
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True, trust_remote_code=False)
    return PeftModel.from_pretrained(base, str(job.result)).to(device)
