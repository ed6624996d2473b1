"""Gets what the real tests need: environments and the converted base model. Quick when they are there already."""

from tests.real.homes import ENVIRONMENTS, TEST_HOME, supervised

from goldsmith import app
from goldsmith.environments import installer
from goldsmith.people import service as people
from goldsmith.settings import Settings

BUILTIN = "smollm2-135m-instruct"


def main() -> None:
    """Install and convert, saying what takes long."""
    from goldsmith.models import queries, service

    settings = Settings(home=TEST_HOME, port=8011, engine_port=8110)
    for name in ENVIRONMENTS:
        installer.install(name, home=settings.root, torch_index_url=settings.torch_index_url, report=_say)
    parts = app.assemble(settings)
    app.prepare_database(parts)
    with parts.database.transaction() as session:
        person = people.known_by_name(session, "tests")
        job = service.start_builtin(session, BUILTIN, by=person)
    if job is not None:
        print("converting the base model: about a minute", flush=True)
        with supervised(parts) as wait:
            wait(job.id)
    with parts.database.reading() as session:
        model = queries.base(session, BUILTIN, domain=person.domain)
    print(f"the base model is at {queries.folder_of(parts.home, model)}", flush=True)


def _say(text: str, share: float | None) -> None:
    del share
    print(f"  {text}", flush=True)


if __name__ == "__main__":
    main()
