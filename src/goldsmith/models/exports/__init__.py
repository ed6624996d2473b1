"""Taking a fine-tuned model out: as an adapter or merged, checked against the adapter's own answers."""
