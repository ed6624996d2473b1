"""Plain PEFT in a bare loop, as its documentation shows it: the model's own loss on padded rows as they come.

Weights in the numbers that our trainers compute in (bfloat16 on a GPU, float32 on a CPU); no gradient checkpointing.
"""

import torch
from job_rows import Steps, read_work
from peft import get_peft_model
from transformers import AutoModelForCausalLM, set_seed

work = read_work()
settings, steps, size = work.settings, Steps(), work.settings["batch_size"]

dtype = torch.float32 if work.device == "cpu" else torch.bfloat16
model = AutoModelForCausalLM.from_pretrained(work.base_folder, dtype=dtype).to(work.device)
set_seed(settings["seed"])
model = get_peft_model(model, work.adapter()).train()
weights = [weight for weight in model.parameters() if weight.requires_grad]
optimizer = torch.optim.AdamW(weights, lr=settings["learning_rate"], weight_decay=settings["weight_decay"])
num_steps = -(-len(work.rows) // size)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / num_steps)

for start in range(0, len(work.rows), size):
    rows = work.rows[start : start + size]
    longest = max(len(row.input_ids) for row in rows)
    missing = [longest - len(row.input_ids) for row in rows]
    batch = {
        "input_ids": [row.input_ids + [0] * left for row, left in zip(rows, missing, strict=True)],
        "labels": [row.labels + [-100] * left for row, left in zip(rows, missing, strict=True)],
        "attention_mask": [[1] * len(row.input_ids) + [0] * left for row, left in zip(rows, missing, strict=True)],
    }
    loss = model(**{name: torch.tensor(values, device=work.device) for name, values in batch.items()}).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
    steps.add(loss.item())

work.write(steps)
