"""The pages over the whole loop: home, and the guided way."""
