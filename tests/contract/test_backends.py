"""The contract of training backends: over all that the registry has, and in full over those that need nothing else."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from tests.contract.training_at_provider import ProviderContract

import goldsmith
from goldsmith import app
from goldsmith.errors import Invalid
from goldsmith.testing.contracts.job_folder import CPU, Trainer
from goldsmith.testing.contracts.trainings import TrainingContract
from goldsmith.train.backends.base import Backend
from goldsmith.train.recipe import read_options

BACKENDS = app.make_backends()
PLANS = {name: backend.plan(backend.options(), CPU) for name, backend in BACKENDS.items()}
LIGHT = [name for name, plan in PLANS.items() if plan.environment is None and not plan.at_provider]
AT_PROVIDERS = [name for name, plan in PLANS.items() if plan.at_provider]
LOCKS = Path(goldsmith.__file__).parent / "environments" / "locks"
each = pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS.keys())


class TestLightBackends(TrainingContract):
    @pytest.fixture(scope="class", params=LIGHT)
    @classmethod
    def trainer(cls, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trainer:
        return Trainer(BACKENDS[request.param], Path(sys.executable), tmp_path_factory.mktemp("base"))


class TestBackendsAtProviders(ProviderContract):
    @pytest.fixture(scope="class", params=AT_PROVIDERS)
    @classmethod
    def backend(cls, request: pytest.FixtureRequest) -> Backend:
        return BACKENDS[request.param]


@each
def test_every_option_has_a_title_a_help_and_a_default(backend: Backend) -> None:
    for name, option in backend.options.model_fields.items():
        assert option.title, name
        assert option.description, name
        assert not option.is_required(), name


@each
def test_what_is_no_option_is_refused_by_its_name(backend: Backend) -> None:
    with pytest.raises(Invalid, match="surprise"):
        read_options(backend, {"surprise": 1})


@each
def test_a_check_is_pure_and_says_what_to_do(backend: Backend) -> None:
    options = backend.options()
    problems = backend.check(options, CPU)
    assert problems == backend.check(options, CPU)
    assert all(problem.summary and problem.hint for problem in problems)


@each
def test_a_plan_is_pure_and_names_a_program_and_an_environment_that_are_there(backend: Backend) -> None:
    options = backend.options()
    plan = backend.plan(options, CPU)
    assert plan == backend.plan(options, CPU)
    assert plan.program.startswith("goldsmith.trainers.")
    assert importlib.util.find_spec(plan.program)
    assert plan.environment is None or any((LOCKS / plan.environment).iterdir())


@each
def test_everything_that_was_chosen_stands_in_the_order(backend: Backend) -> None:
    chosen = backend.options().model_dump()
    settings = backend.plan(backend.options(), CPU).settings
    assert {name: settings.get(name, "absent") for name in chosen} == chosen
    assert json.loads(json.dumps(settings)) == settings
