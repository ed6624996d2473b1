"""How many gold stars one needs, and for what: one sentence, said where one brings rows, stars and trains."""

import math
from typing import Final

from goldsmith.compare.verdict import FEWEST_ROWS
from goldsmith.stars.split import EXAM_SHARE, FEWEST_STARS, GOOD_START_STARS

FEWEST_TO_COMPARE: Final = math.ceil(FEWEST_ROWS / EXAM_SHARE)
"""Stars of which the usual share makes an exam that is large enough for a comparison."""

FOR_STARRING: Final = (
    f"How many? From {FEWEST_STARS} gold stars on, some are kept back as an exam. {FEWEST_TO_COMPARE} make an exam of "
    f"{FEWEST_ROWS} rows, the fewest for a comparison. About {GOOD_START_STARS} are a good start for a training."
)
FOR_TRAINING: Final = (
    f"How many rows? About {GOOD_START_STARS} are a good start, and it works with fewer. To compare afterwards, at "
    f"least {FEWEST_ROWS} rows have to be kept back as the exam, which {FEWEST_TO_COMPARE} gold stars give."
)
