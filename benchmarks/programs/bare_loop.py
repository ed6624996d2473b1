"""The same training as a bare PyTorch loop: the backbone over everything, the output layer on what is learned.

As lean as it gets without changing what is calculated: no trainer, no callbacks, no collator, no metrics. With
`--without-mask` it leaves the padding unmasked, which a causal model never sees when it stands on the right.
"""

import torch
from job_rows import Steps, read_work
from peft import get_peft_model
from transformers import AutoModelForCausalLM, set_seed

work = read_work("--without-mask")
settings, steps, size = work.settings, Steps(), work.settings["batch_size"]

model = AutoModelForCausalLM.from_pretrained(work.base_folder, dtype=torch.float32)
set_seed(settings["seed"])  # just before the adapter is made, as TRL does: the same first weights
model = get_peft_model(model, work.adapter()).train()
backbone, head = model.get_base_model().model, model.get_output_embeddings()
weights = [weight for weight in model.parameters() if weight.requires_grad]
optimizer = torch.optim.AdamW(weights, lr=settings["learning_rate"], weight_decay=settings["weight_decay"])
num_steps = -(-len(work.rows) // size)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / num_steps)

for start in range(0, len(work.rows), size):
    rows = work.rows[start : start + size]
    longest = max(len(row.input_ids) for row in rows)
    ids = torch.tensor([row.input_ids + [0] * (longest - len(row.input_ids)) for row in rows])
    labels = torch.tensor([row.labels + [-100] * (longest - len(row.labels)) for row in rows])[:, 1:]
    mask = torch.tensor([[1] * len(row.input_ids) + [0] * (longest - len(row.input_ids)) for row in rows])
    asked = {} if work.options.without_mask else {"attention_mask": mask}
    hidden = backbone(input_ids=ids, use_cache=False, **asked).last_hidden_state[:, :-1]
    is_learned = labels != -100
    loss = torch.nn.functional.cross_entropy(head(hidden[is_learned]), labels[is_learned])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    optimizer.step()
    schedule.step()
    optimizer.zero_grad()
    steps.add(loss.item())

work.write(steps)
