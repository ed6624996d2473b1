"""The pages of training, through HTTP, over a real database."""

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from tests.web.conftest import Site
from tests.web.loop_rows import make_loop_site, walking

from goldsmith.jobs import queries as jobs
from goldsmith.jobs import queue
from goldsmith.jobs.folder import JobFolder
from goldsmith.models import queries as models
from goldsmith.serve import outside
from goldsmith.stars import queries as stars
from goldsmith.stars.tables import TrainingSetRow
from goldsmith.train import queries
from goldsmith.web.stars_needed import FOR_STARRING, FOR_TRAINING
from goldsmith.web.train import handlers
from goldsmith.wire.events import Event, EventKind


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[Site]:
    made = make_loop_site(tmp_path, handlers.pages, database_url=database_url)
    yield made
    made.database.dispose()


def ready(site: Site) -> tuple[str, str]:
    """Rows, answers, stars and a training set; the ids of set and base model."""
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        return walk.set_id, walk.base_id


def test_without_a_training_set_the_pages_lead_to_the_stars(site: Site) -> None:
    browser = site.browser()
    assert 'href="/stars"' in browser.get("/training").text
    assert FOR_STARRING in browser.get("/training").text
    assert "There is no training set yet" in browser.get("/training/new").text


def test_the_form_says_rows_what_is_missing_and_shows_what_is_learned(site: Site) -> None:
    set_id, _ = ready(site)
    text = site.browser().get(f"/training/new?training_set={set_id}").text
    assert "45 rows to learn, 15 rows kept back as exam" in text
    assert FOR_TRAINING in text
    assert "The trainer is not installed yet" in text
    assert "/setup/environments/trl" in text
    assert "tok-learn" in text
    assert "LoRA rank" in text


def test_a_missing_environment_is_a_button_that_starts_a_job(site: Site) -> None:
    ready(site)
    browser = site.browser()
    answer = browser.post("/setup/environments/trl", data={"back": "/training/new"})
    assert answer.headers["location"] == "/training/new"
    assert "waits for its turn" in browser.get("/training/new").text.lower()
    assert browser.post("/setup/environments/trl", data={"back": "//evil"}).headers["location"] == "/"


def test_the_backend_is_chosen_on_the_form_and_stays_chosen(site: Site) -> None:
    ready(site)
    browser = site.browser()
    text = browser.get("/training/new").text
    assert 'value="trl" aria-pressed="true"' in text
    assert 'value="fake"' not in text
    assert "padding_free" in text
    chosen = browser.get("/training/new?backend=trl&dial=quick&backend=unsloth").text
    assert 'value="unsloth" aria-pressed="true"' in chosen
    assert 'action="/training/new?backend=unsloth"' in chosen
    assert "load_in_4bit" in chosen
    assert "padding_free" not in chosen
    assert 'name="method"' not in chosen
    assert "Install the trainer Unsloth" in chosen


def test_a_training_is_queued_by_a_plain_form(site: Site) -> None:
    set_id, base_id = ready(site)
    browser = site.browser()
    form = {"training_set": set_id, "base_model": base_id, "name": "triage", "num_epochs": "3", "lora_rank": "16"}
    answer = browser.post("/training/new", data=form)
    assert answer.status_code == 303
    text = browser.get(answer.headers["location"]).text
    assert "Will learn 45 gold stars on top of smollm2-135m-instruct." in text
    assert "place 1 in the queue" in text
    assert "Begins in a moment" in text
    with site.database.reading() as session:
        training = queries.page(session, domain="local")[0]
    assert (training.config["num_epochs"], training.config["lora_rank"]) == (3, 16)


def test_a_value_that_cannot_be_used_comes_back_with_its_reason(site: Site) -> None:
    set_id, base_id = ready(site)
    form = {"training_set": set_id, "base_model": base_id, "num_epochs": "900", "batch_size": "7"}
    answer = site.browser().post("/training/new", data=form)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert 'value="900"' in answer.text


def test_a_running_training_shows_step_time_left_figures_and_curve(site: Site) -> None:
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        walk.start_training()
        walk.run_training()
        training_id = walk.training_id
    text = site.browser().get(f"/training/{training_id}").text
    assert "Step 28 of 45, second of 3 rounds through the rows" in text
    assert "about 2 min left" in text
    assert "It got worse on the exam rows at the last check" in text
    assert "Stop and keep the best" in text
    assert "Loss on exam rows" in text
    assert "Show as a table" in text
    fragment = site.browser().get(f"/training/{training_id}", headers={"hx-request": "true"}).text
    assert "<title>" not in fragment


def test_pause_cancel_and_resume_stay_on_the_page(site: Site) -> None:
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        walk.start_training()
        training_id = walk.training_id
    browser = site.browser()
    assert browser.post(f"/training/{training_id}/cancel").headers["location"] == f"/training/{training_id}"
    assert "Try again" in browser.get(f"/training/{training_id}").text
    assert browser.post(f"/training/{training_id}/resume").status_code == 303
    with site.database.reading() as session:
        assert jobs.one(session, training_id).attempt == 2


def test_a_training_is_repeated_by_a_button_and_leads_to_the_one_that_it_repeats(site: Site) -> None:
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        walk.start_training()
        walk.run_training()
        walk.fail_training()
        training_id = walk.training_id
    order = JobFolder.of(site.home, training_id).order
    order.parent.mkdir(parents=True, exist_ok=True)
    order.write_text("{}")
    browser = site.browser()
    assert "Train again exactly" in browser.get(f"/training/{training_id}").text
    answer = browser.post(f"/training/{training_id}/again")
    assert answer.status_code == 303
    text = browser.get(answer.headers["location"]).text
    assert f'href="/training/{training_id}"' in text
    assert "Exactly as " in text
    assert "Train again exactly" not in text


def test_it_is_seen_learning_and_ended_with_its_best(site: Site) -> None:
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        walk.start_training()
        walk.run_training()
        training_id = walk.training_id
        training = queries.one(walk.session, training_id, domain=site.person.domain)
        (row,) = stars.training_set_rows(walk.session, str(training.training_set_id), "exam", limit=1)
        for seq, (step, text) in enumerate(((0, "I cannot say"), (15, row.expected)), start=900):
            data = {"step": step, "answers": [{"row_id": row.row_id, "text": text, "is_cut": step == 0}]}
            event = Event(seq, 1e9, EventKind.SAMPLED, data)
            queue.record(walk.session, jobs.one(walk.session, training_id), event, source="train")
        expected = row.expected
    browser = site.browser()
    text = browser.get(f"/training/{training_id}").text
    assert "What it answers" in text
    assert "Before it learned" in text
    assert "cut here" in text
    assert html.unescape(text).count(expected) > 1
    assert browser.post(f"/training/{training_id}/keep").headers["location"] == f"/training/{training_id}"
    assert "asked to end and keep the best" in browser.get(f"/training/{training_id}").text


def test_a_failed_training_says_why_and_what_to_do(site: Site) -> None:
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        walk.start_training()
        walk.run_training()
        walk.fail_training()
        training_id = walk.training_id
    text = site.browser().get(f"/training/{training_id}").text
    assert "This machine ran out of memory." in text
    assert "4 instead of 8 rows at once" in text
    again = re.search(r'href="(/training/new[^"]+)">Try it with this change', text)
    assert again is not None
    assert "batch_size=4" in again[1]
    assert "gradient_accumulation=2" in again[1]
    form = site.browser().get(again[1].replace("&amp;", "&")).text
    assert 'name="save_every_steps" type="number" value="20"' in form


def test_afterwards_the_gold_button_deploys(site: Site) -> None:
    with walking(site) as walk:
        walk.to_model()
        training_id, model_id = walk.training_id, walk.model_id
    text = site.browser().get(f"/training/{training_id}").text
    assert f'action="/models/{model_id}/deploy"' in text
    assert text.count("button primary") == 1
    assert "support-triage-1" in site.browser().get("/training").text


def test_another_organisations_training_does_not_exist(site: Site) -> None:
    assert site.browser().get("/training/job_x").status_code == 404


def look_at_pair(set_id: str, base_id: str) -> str:
    """The address of the look at the pair."""
    return f"/training/look?training_set={set_id}&base_model={base_id}"


def test_a_look_shows_every_row_as_the_model_sees_it_and_leads_back(site: Site) -> None:
    address = look_at_pair(*ready(site))
    browser = site.browser()
    page = browser.get(address + "&max_length=1024").text
    assert "rows are learned whole, end marker included." in page
    assert '<span class="tok-end">&lt;|im_end|&gt;</span>' in page
    assert page.count('class="sample"') == 10
    assert "1 to 10 of 45" in page
    assert "&amp;max_length=1024" in page
    short = browser.get(address + "&max_length=16&show=left_out").text
    assert "Not one of 45 rows can be learned" in short
    assert "Left out: The row has" in short


def test_a_look_for_pairs_counts_them_and_shows_the_bad_answers(site: Site) -> None:
    address = look_at_pair(*ready(site)) + "&method=dpo"
    browser = site.browser()
    page = browser.get(address).text
    assert re.search(r"\d+ of 45 rows are left out: \d+ have no bad answer beside the good one\.", page)
    assert "It learns to find this unlikelier:" in page
    assert "&amp;method=dpo" in page
    left_out = browser.get(address + "&show=left_out").text
    assert "There is no bad answer to this row" in left_out


def test_a_look_for_single_marks_counts_both_kinds_and_one_kind_alone_is_refused(site: Site) -> None:
    set_id, base_id = ready(site)
    address = look_at_pair(set_id, base_id) + "&method=kto"
    browser = site.browser()
    page = browser.get(address).text
    assert re.search(
        r"All \d+ answers are learned whole, end marker included; it learns from 45 good and \d+ bad ones\.", page
    )
    assert '#check"' in page.partition('id="counts"')[2].partition('id="rows"')[0]
    assert "&amp;method=kto" in page
    assert "A bad answer: it learns to find this unlikelier." in browser.get(address + "&after=40").text
    form = {"training_set": set_id, "base_model": base_id, "name": "marks", "method": "kto"}
    refused = browser.post("/training/new", data=form | {"batch_size": "1"})
    assert (refused.status_code, "at least two rows at once" in refused.text.lower()) == (422, True)
    started = browser.post("/training/new", data=form)
    shown = browser.get(started.headers["location"]).text
    assert "Weight of the bad answers (kto)" in shown
    assert "Weight of the good answer (dpo)" not in shown
    with site.database.transaction() as session:
        session.execute(update(TrainingSetRow).values(rejected=None))
        session.execute(delete(TrainingSetRow).where(TrainingSetRow.side == "bad"))
    shutil.rmtree(next(site.home.training_sets.glob("*/sizes")))
    looked_at = browser.get(address).text
    assert "not one bad one to tell them apart from. A training is refused." in looked_at
    assert '#check"' not in looked_at.partition('id="counts"')[2].partition('id="rows"')[0]  # nothing is called good
    refused = browser.post("/training/new", data=form | {"name": "other"})
    assert refused.status_code == 422
    assert "not one bad one to tell them apart from" in refused.text
    assert "with the method sft, or mark bad answers" in refused.text


def test_a_training_with_pairs_is_queued_and_one_without_any_is_refused(site: Site) -> None:
    set_id, base_id = ready(site)
    browser = site.browser()
    form = {"training_set": set_id, "base_model": base_id, "name": "triage", "method": "dpo", "beta": "0.2"}
    assert browser.post("/training/new", data=form).status_code == 303
    with site.database.transaction() as session:
        session.execute(update(TrainingSetRow).values(rejected=None))
    shutil.rmtree(next(site.home.training_sets.glob("*/sizes")))
    refused = browser.post("/training/new", data=form | {"name": "other"})
    assert refused.status_code == 422
    assert "There is no bad answer to this row" in refused.text


def test_settings_that_mean_nothing_to_a_training_are_not_said_to_be_used(site: Site) -> None:
    set_id, base_id = ready(site)
    browser = site.browser()
    for method, is_used in (("sft", False), ("dpo", True)):
        form = {"training_set": set_id, "base_model": base_id, "name": method, "method": method}
        page = browser.get(browser.post("/training/new", data=form).headers["location"]).text
        assert ("Beta (dpo, kto)" in page) is is_used
        assert ("Weight of the good answer (dpo)" in page) is is_used
        assert "Weight of the bad answers (kto)" not in page


def test_a_choice_that_would_have_no_effect_is_refused(site: Site) -> None:
    set_id, base_id = ready(site)
    form = {"training_set": set_id, "base_model": base_id, "beta": "0.2"}
    refused = site.browser().post("/training/new", data=form)
    assert refused.status_code == 422
    assert "This is for the method dpo or kto: choose it too" in refused.text


def test_the_form_gets_the_look_and_offers_it_without_javascript(site: Site) -> None:
    address = look_at_pair(*ready(site))
    browser = site.browser()
    assert address.replace("&", "&amp;") in browser.get("/training/new").text
    fragment = browser.get(address, headers={"hx-request": "true"}).text
    assert "<title>" not in fragment
    assert "See every row in colour" in fragment


def test_a_look_at_a_model_that_nothing_can_be_taught_says_why(site: Site) -> None:
    set_id, base_id = ready(site)
    with site.database.reading() as session:
        folder = site.home.root / models.base(session, base_id, domain=site.person.domain).folder
    (folder / "chat_template.jinja").unlink()
    page = site.browser().get(f"/training/look?training_set={set_id}&base_model={base_id}")
    assert page.status_code == 200
    assert "cannot be taught this. The model has no chat template" in page.text
    assert "Choose a model that was made for chats" in page.text


def test_a_look_with_what_is_not_there_is_refused(site: Site) -> None:
    set_id, base_id = ready(site)
    browser = site.browser()
    assert browser.get(f"/training/look?training_set={set_id}&base_model=nothing").status_code == 404
    assert browser.get(f"/training/look?training_set=nothing&base_model={base_id}").status_code == 404
    assert browser.get(f"/training/look?training_set={set_id}&base_model={base_id}&max_length=3").status_code == 422


def test_the_dial_fills_in_numbers_that_fit_and_keeps_the_rest(site: Site) -> None:
    set_id, base_id = ready(site)

    browser = site.browser()
    chosen = {"training_set": set_id, "base_model": base_id, "name": "mine", "seed": "7", "dial": "thorough"}
    page = browser.get("/training/new", params=chosen).text
    shown = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page)) | dict(
        re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page)
    )
    assert (shown["num_epochs"], shown["name"], shown["seed"]) == ("8", "mine", "7")
    assert 'value="thorough" aria-pressed="true"' in page
    assert "Thorough: more rounds and a larger adapter." in page
    assert 'name="dial" value="thorough" aria-pressed="true"' not in browser.get("/training/new").text


def test_trainings_are_put_side_by_side_with_what_differs_first(site: Site) -> None:
    with walking(site) as walk:
        walk.bring_rows()
        walk.ask()
        walk.star()
        walk.export()
        ids = []
        for name in ("first", "second"):
            walk.start_training(name)
            walk.run_training(steps=45)
            walk.finish_training()
            ids.append(walk.training_id)
        row = queries.one(walk.session, ids[1], domain=site.person.domain)
        row.config = {**row.config, "num_epochs": 9}
    browser = site.browser()
    assert browser.get("/training").text.count('name="training"') == 2
    page = browser.get("/training/side-by-side", params={"training": ids}).text
    lines = re.findall(r'<th scope="row">([^<]+)</th>', page)
    assert lines.index("Epochs") < lines.index("Base model")
    assert "Lowest loss on exam rows: " in page
    assert "not measured on the same exam rows" not in page
    alone = browser.get("/training/side-by-side", params={"training": ids[:1]})
    assert alone.headers["location"] == "/training"
    assert browser.get("/training/side-by-side", params={"training": [ids[0], "nothing"]}).status_code == 404


def add_provider(site: Site) -> str:
    with site.database.transaction() as session:
        return outside.add_provider(session, "https://api.example.com", model="small-1", by=site.person, name="far").id


def test_without_a_provider_the_form_leads_to_where_one_is_added(site: Site) -> None:
    ready(site)
    text = html.unescape(site.browser().get("/training/new?backend=openai").text)
    assert 'value="openai" aria-pressed="true"' in text
    assert "No provider yet" in text
    assert "First add a provider under Settings." in text


def test_before_the_start_it_says_which_rows_leave_and_where_to(site: Site) -> None:
    set_id, base_id = ready(site)
    engine_id = add_provider(site)
    browser = site.browser()
    text = html.unescape(browser.get(f"/training/new?backend=openai&training_set={set_id}").text)
    assert "What leaves this machine" in text
    assert "45 rows to learn and 15 exam rows" in text
    assert "go to https://api.example.com, where small-1 learns from them" in text
    assert f'value="{engine_id}"' in text
    assert base_id not in text
    assert "LoRA rank" not in text
    assert "Learning rate, times the usual" in text
    assert "The trainer is not installed yet" not in text
    assert "What leaves this machine" not in browser.get(f"/training/new?training_set={set_id}").text


def test_options_that_a_backend_does_not_have_are_refused(site: Site) -> None:
    set_id, _ = ready(site)
    form = {"training_set": set_id, "base_model": add_provider(site), "lora_rank": "8"}
    assert site.browser().post("/training/new?backend=openai", data=form).status_code == 422


def test_a_dial_turns_what_the_backend_has(site: Site) -> None:
    set_id, _ = ready(site)
    address = f"/training/new?backend=openai&training_set={set_id}&base_model={add_provider(site)}&dial=quick"
    text = site.browser().get(address).text
    assert re.search(r'name="num_epochs"[^>]*value="\d', text) or re.search(r'value="\d"[^>]*name="num_epochs"', text)


def test_a_training_at_a_provider_has_a_page_that_promises_nothing_of_this_machine(site: Site) -> None:
    set_id, _ = ready(site)
    form = {"training_set": set_id, "base_model": add_provider(site), "name": "support-there"}
    browser = site.browser()
    answer = browser.post("/training/new?backend=openai", data=form)
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"]
    assert browser.post(f"{address}/cancel").status_code == 303
    text = html.unescape(browser.get(address).text)
    assert "small-1 at api.example.com" in text
    assert "openai, on the machines of api.example.com" in text
    assert "Train again exactly" not in text
    [again] = re.findall(r'href="(/training/new\?[^"]+)">Train again with others', text)
    assert "What leaves this machine" in browser.get(again).text
