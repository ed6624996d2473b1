"""Scores rows by a model: the log-probability of each learned token."""

from typing import Any

from goldsmith.wire.rows import NOT_LEARNED


def learned_logprobs(model: Any, batch: dict[str, Any]) -> list[list[float]]:
    """The log-probability of each learned token, by row, from the output layer of TRL's that skips the others."""
    scored = model(**batch, use_cache=False, fused_lm_head=True)
    rows = zip(scored.log_probs, scored.label_mask, strict=True)
    return [values[mask].float().tolist() for values, mask in rows]


def logprobs_row_by_row(model: Any, batch: dict[str, Any]) -> list[list[float]]:
    """The same from any model of transformers; the output layer is computed for what is learned alone."""
    import torch

    found = []
    for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        places = (labels[1:] != NOT_LEARNED).nonzero().flatten()
        logits = model(input_ids=ids[None], use_cache=False, logits_to_keep=places).logits[0].float()
        check_all_came(len(places), len(logits))
        chosen = labels[places + 1]
        found.append(torch.log_softmax(logits, dim=-1).gather(1, chosen[:, None]).flatten().tolist())
    return found


def check_all_came(num_asked: int, num_came: int) -> None:
    """Raise ValueError where a model has answered at other positions than those that were asked for, e.g. at all."""
    if num_came != num_asked:
        raise ValueError(f"{num_asked} positions were asked for, and {num_came} came.")
