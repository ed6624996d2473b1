"""Stands where an engine's Python is: takes vLLM's command line, and is the fake engine that ships with Goldsmith.

Started by the keeper as `bin/python -E -s -m vllm.entrypoints.cli.main serve FOLDER …`; its key is in the environment.
"""

import os
import sys
from pathlib import Path

from goldsmith.testing.__main__ import main

DELAY_S = 0.05

if __name__ == "__main__":
    answers = Path(sys.argv[1])
    folder, *options = sys.argv[sys.argv.index("serve") + 1 :]
    key = answers.with_name(f"engine-{os.getpid()}.key")
    key.touch(mode=0o600)
    key.write_text(os.environ["VLLM_API_KEY"], encoding="ascii")
    own = ["--model-folder", folder, "--key-file", str(key), "--answers", str(answers), "--delay-s", str(DELAY_S)]
    main([*options, *own])
