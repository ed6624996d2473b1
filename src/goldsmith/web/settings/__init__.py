"""The page of settings: who answers from outside, keys, environments, how pages look, and what is set."""
