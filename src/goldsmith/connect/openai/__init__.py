"""What a person kept at OpenAI comes here: training files, evals, batches, stored completions."""
