"""A LoRA adapter with made-up weights, as large as one that was trained: `make_adapter.py BASE_FOLDER TARGET`."""

import sys

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

base_folder, target = sys.argv[1:]
lora = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
model = get_peft_model(AutoModelForCausalLM.from_pretrained(base_folder, dtype=torch.float32), lora)
for name, weight in model.named_parameters():
    if "lora_B" in name:
        torch.nn.init.normal_(weight, std=0.01)
model.save_pretrained(target, save_embedding_layers=False)
