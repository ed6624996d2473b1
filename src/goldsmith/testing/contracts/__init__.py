"""What everything of a kind promises, as tests for whoever writes a source, a measure or a training backend.

They need pytest, which Goldsmith itself does not. How: `docs/howto/write-a-plugin.md` and `examples/plugin/tests`.
"""

RAN_ON = "contract: ran on"
"""The property of a test's report under which it says what it ran on."""
