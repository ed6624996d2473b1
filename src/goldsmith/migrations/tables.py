"""Every table there is, in one `MetaData`: importing this module loads all modules of tables, and nothing else does.

A new module of tables is named here; a test compares the list with the files.
"""

from goldsmith.compare import tables as compare
from goldsmith.connect import tables as connect
from goldsmith.connect.executions import tables as executions
from goldsmith.connect.offering import tables as offering
from goldsmith.connect.syncing import tables as syncing
from goldsmith.data import tables as data
from goldsmith.jobs import tables as jobs
from goldsmith.models import tables as models
from goldsmith.people import tables as people
from goldsmith.run import tables as run
from goldsmith.run.batches import tables as batches
from goldsmith.serve import tables as serve
from goldsmith.serve.kept import tables as kept
from goldsmith.serve.shadow import tables as shadow
from goldsmith.stars import tables as stars
from goldsmith.storage.database import Table
from goldsmith.train import tables as train
from goldsmith.webhooks import tables as webhooks

MODULES = (
    people,
    jobs,
    data,
    models,
    serve,
    kept,
    shadow,
    run,
    batches,
    stars,
    train,
    compare,
    webhooks,
    connect,
    executions,
    syncing,
    offering,
)
METADATA = Table.metadata
