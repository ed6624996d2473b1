"""Stands where an engine's Python is: a fake engine that takes its time, with a second process, as vLLM has.

Started by the keeper as `bin/python -E -s -m vllm.entrypoints.cli.main serve FOLDER …`; its key is in the environment.
"""

import os
import subprocess
import sys
from pathlib import Path

from goldsmith.testing.__main__ import main

DELAY_S = 0.25
STARTUP_S = 2.0

if __name__ == "__main__":
    answers = Path(sys.argv[1])
    folder, *options = sys.argv[sys.argv.index("serve") + 1 :]
    key = answers.with_name(f"engine-{os.getpid()}.key")
    key.touch(mode=0o600)
    key.write_text(os.environ["VLLM_API_KEY"], encoding="ascii")
    # Outlives a kill of this one, without the mark that would tell whose it is: vLLM's workers write over theirs.
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env={"PATH": "/usr/bin:/bin"})
    own = ["--model-folder", folder, "--key-file", str(key), "--answers", str(answers), "--delay-s", str(DELAY_S)]
    own += ["--startup-s", str(STARTUP_S)]
    main([*options, *own])
