"""Every step's pages and addresses, by the form in which they tell errors. `app.py` hands them to `make_web`."""

from goldsmith.web.batches import handlers as batch_pages
from goldsmith.web.compare import api as compare_api
from goldsmith.web.compare import handlers as compare
from goldsmith.web.connect import api as connect_api
from goldsmith.web.connect import bringing_api
from goldsmith.web.connect import handlers as connect
from goldsmith.web.data import api as data_api
from goldsmith.web.data import handlers as data
from goldsmith.web.embed import api as embedding
from goldsmith.web.factory import Routers
from goldsmith.web.home import handlers as home
from goldsmith.web.jobs import api as jobs_api
from goldsmith.web.jobs import handlers as jobs
from goldsmith.web.kept import api as kept_api
from goldsmith.web.kept import handlers as kept
from goldsmith.web.models import api as models_api
from goldsmith.web.models import handlers as models
from goldsmith.web.moving import api as moving_api
from goldsmith.web.moving import handlers as moving
from goldsmith.web.openai import batches, files, fine_tuning, uploads
from goldsmith.web.playground import api as playground_api
from goldsmith.web.playground import handlers as playground
from goldsmith.web.run import api as run_api
from goldsmith.web.run import handlers as run
from goldsmith.web.serve import api as serve_api
from goldsmith.web.serve import handlers as serve
from goldsmith.web.settings import api as settings_api
from goldsmith.web.settings import handlers as settings
from goldsmith.web.shadow import api as shadow_api
from goldsmith.web.shadow import handlers as shadow
from goldsmith.web.sources import api as sources_api
from goldsmith.web.sources import handlers as sources
from goldsmith.web.sources import hooks, offers_api
from goldsmith.web.stars import api as stars_api
from goldsmith.web.stars import handlers as stars
from goldsmith.web.train import api as train_api
from goldsmith.web.train import handlers as train
from goldsmith.web.webhooks import api as webhooks_api
from goldsmith.web.webhooks import handlers as webhooks

_IN_THE_MENU = (home, data, run, batch_pages, stars, train, models, serve, playground, compare, jobs, settings)
_ELSEWHERE = (webhooks, connect, sources, moving, kept, shadow)
_STEPS = (data_api, models_api, serve_api, run_api, stars_api, train_api, compare_api, connect_api, moving_api)
_SOURCES = (sources_api.api, offers_api.api, bringing_api.api)
_OTHERS = (playground_api.api, jobs_api.api, jobs_api.notices_api, settings_api.api, webhooks_api.api)
_OF_WHAT_PASSED = (kept_api.api, shadow_api.api)


def make_routers() -> Routers:
    """Everybody's routers."""
    return Routers(
        pages=[each.pages for each in (*_IN_THE_MENU, *_ELSEWHERE)],
        api=[*(step.api for step in _STEPS), *_OTHERS, *_SOURCES, *_OF_WHAT_PASSED, embedding.api],
        openai=[each.openai for each in (fine_tuning, files, batches, uploads)],
        embed=[embedding.embed],
        hooks=[hooks.api],
    )
