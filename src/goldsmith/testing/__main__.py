"""The fake engine as a program in place of vLLM: `python -m goldsmith.testing --port N`, vLLM's arguments allowed."""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from goldsmith.testing.fake_answers import answers_from, default_answer
from goldsmith.testing.fake_engine import FakeEngine, Faults


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a program in place of vLLM; unknown arguments are vLLM's and are passed over."""
    parser = argparse.ArgumentParser(prog="python -m goldsmith.testing", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--served-model-name", default="base")
    parser.add_argument("--max-lora-rank", type=int, default=8)
    parser.add_argument("--key-file", type=Path)
    parser.add_argument("--model-folder", type=Path, help="whose tokenizer and chat template to use")
    parser.add_argument("--answers", type=Path, help="a file for answers_from()")
    parser.add_argument("--delay-s", type=float, default=0.0)
    parser.add_argument("--startup-s", type=float, default=0.0)
    parser.add_argument("--faults", type=json.loads, default={}, help="fields of Faults as JSON")
    parser.add_argument("--die-at-start", action="store_true", help="end with an error, as without memory")
    options, _ = parser.parse_known_args(arguments)
    time.sleep(options.startup_s)
    if options.die_at_start:
        raise SystemExit("RuntimeError: Engine core initialization failed.")
    engine = FakeEngine(
        options.served_model_name,
        answer=answers_from(options.answers) if options.answers else default_answer,
        key=options.key_file.read_text().strip() if options.key_file else None,
        port=options.port,
        delay_s=options.delay_s,
        base_folder=options.model_folder,
    )
    engine.max_lora_rank = options.max_lora_rank
    engine.faults = Faults(**options.faults)
    engine.on_death = lambda: os._exit(1)
    asyncio.run(engine.serve())


if __name__ == "__main__":
    main()
