"""The table of offers: which run's answers went to which source, how far, and what became of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from goldsmith.connect.syncing.tables import SourceConnection
from goldsmith.run.tables import Run
from goldsmith.storage import clock
from goldsmith.storage.database import Table


class SourceOffer(Table):
    """The answers of one run, on their way to a source. It has its job's state."""

    __tablename__ = "source_offers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey(SourceConnection.id), index=True)
    run_id: Mapped[str] = mapped_column(ForeignKey(Run.id), index=True)
    job_id: Mapped[str] = mapped_column(String(64), index=True)
    is_by_itself: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    """Up to this answer of the run it has come."""
    num_new: Mapped[int] = mapped_column(default=0)
    num_same: Mapped[int] = mapped_column(default=0)
    """Stood there already."""
    num_not_taken: Mapped[int] = mapped_column(default=0)
    not_taken: Mapped[list[Any]]
    """The first 200: {place, reason}."""
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
