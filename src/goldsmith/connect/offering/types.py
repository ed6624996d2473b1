"""Words of offers."""

from typing import Final

OFFER_JOB: Final = "offer"
