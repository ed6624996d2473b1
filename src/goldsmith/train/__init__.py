"""6. A training set and a base model → a fine-tuned model. Knows nothing of comparisons."""
