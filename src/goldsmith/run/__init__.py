"""4. A prompt, rows and a live model → answers. Prompts live here. Knows nothing of stars."""
