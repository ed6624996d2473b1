"""Stands where an environment's Python is: whatever trainer it is told to run, it pretends, slowly enough to watch.

Started by the supervisor as `bin/python -E -s -m goldsmith.trainers.trl_sft --order … --attempt …`.
"""

import sys

from goldsmith.trainers import fake
from goldsmith.trainers._report import run

STEP_S = 0.5

if __name__ == "__main__":
    place = next(place for place, word in enumerate(sys.argv) if word.startswith("goldsmith.trainers."))
    sys.argv = [sys.argv[0], *sys.argv[place + 1 :]]
    fake.SETTINGS["step_s"] = STEP_S
    sys.exit(run(fake.work))
