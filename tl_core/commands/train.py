"""`train`, `predict`, and the worker's own `work` and `estimate-rates`."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tl_core.commands.arms import parse_arm
from tl_core.commands.get import have_encoders
from tl_core.commands.output import add_json, show, tell, told_by_tenths
from tl_core.data.columns import Columns, guess_columns
from tl_core.data.examples import Examples, to_examples
from tl_core.data.tables import read_table_file
from tl_core.errors import ConfigError, DataError, StillInUse
from tl_core.jobs.classify.compare import submit_prepared
from tl_core.jobs.classify.encoder_trial import AUTO, FALLBACK, better_of, in_words, try_encoders
from tl_core.jobs.classify.estimate import with_seeds_measured
from tl_core.jobs.classify.plan import USUAL, ClassifyExperiment, Task, config_from_json, size_of
from tl_core.jobs.classify.prepare import Prepared, prepare
from tl_core.jobs.kinds import run_job
from tl_core.jobs.trainings import resume_job
from tl_core.knobs import knobs_of, parse_value
from tl_core.outcomes.tasks import kind_of, scores_text
from tl_core.processes import give_way
from tl_core.runs.store import Job, Run, Store
from tl_core.runs.worker import work
from tl_core.settings import read_settings
from tl_core.tasks.classify.strategies import STRATEGIES, strategy
from tl_core.training.devices import end_process
from tl_core.whole_files import check_output
from tl_core.wording import seconds_text

POLL_SECONDS = 0.25
PLACES = {"encoder": "start", "vectors": "start", "source": "source"}  # words of --arm for fields of an arm


def add_commands(commands: Any) -> None:
    train = commands.add_parser("train", help="train strategies on a labelled file and compare them")
    train.add_argument("file", type=Path)
    names = ", ".join(row.name for row in STRATEGIES)
    train.add_argument("--strategy", action="append", default=[], help=f"one of {names}; may be repeated")
    train.add_argument(
        "--arm",
        action="append",
        default=[],
        metavar="ARM",
        help='a strategy with settings and a name of its own: "LoRA rank 4: lora rank=4"; encoder=, vectors= and '
        "source= (a run, a shipped source or none) say where it begins; may be repeated",
    )
    train.add_argument(
        "--encoder",
        help="auto (without a config): the packaged one that does better, frozen, on the rows to learn from; minilm, e5, a "
        "folder, or a hub name",
    )
    train.add_argument("--vectors", help="word vectors for the strategies on words; without a config glove")
    train.add_argument(
        "--source", default="", help="a labelled file to train on first, a run's id, or amazon, ag-news, nsmc"
    )
    train.add_argument("--test", type=Path, help="a labelled file to score on")
    train.add_argument(
        "--seeds", type=int, help="trainings of every strategy; without one, or 0, by what a training costs"
    )
    train.add_argument("--per-class", type=int, help="training rows of each class; 0 takes all")
    train.add_argument(
        "--sizes",
        nargs="+",
        metavar="N",
        help="a grid over rows of each class, such as 8 64 all; with a source, with and without it",
    )
    train.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="epochs=3 or lora.rank=8"
    )
    train.add_argument("--config", type=Path, help="a config saved as JSON; other options go over it")
    train.add_argument("--processes", type=int, default=1, help="train with this many processes (torchrun)")
    add_column_options(train)
    add_group_option(train)
    add_json(train)
    train.set_defaults(run=run_train)
    predict = commands.add_parser("predict", help="label the rows of a file with a run's model")
    predict.add_argument("run_id", metavar="RUN")
    predict.add_argument("file", type=Path)
    predict.add_argument("--out", type=Path, required=True)
    add_column_options(predict)
    add_json(predict)
    predict.set_defaults(run=run_predict)
    worker = commands.add_parser("work", help="run a submitted job (started by the app itself)")
    worker.add_argument("job")
    worker.set_defaults(run=run_work)
    probe = commands.add_parser(
        "probe", help="measure the speed of strategies here (started by the app itself)"
    )
    probe.add_argument("folder", type=Path)
    probe.set_defaults(run=run_probe)
    trial = commands.add_parser(
        "try-encoders", help="try the packaged encoders on labelled rows (started by the app itself)"
    )
    trial.add_argument("folder", type=Path)
    trial.set_defaults(run=run_try_encoders)


def add_group_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--group",
        default="",
        help="a column (customer, document) whose rows never stand on both sides of a split",
    )


def add_column_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--text", action="append", default=[], help="a text column; may be repeated")
    parser.add_argument("--label", default="", help="the label column")
    parser.add_argument("--no-header", action="store_true", help="the first row is data")
    parser.add_argument(
        "--merge-labels", action="store_true", help="merge labels that differ by case or spaces"
    )


def read_labelled(path: Path, options: argparse.Namespace, *, own_columns: bool = False) -> Examples:
    """The examples of a labelled file under the command's column options.

    With `own_columns`, as for a source task, the options hold only for a file that has all of those columns. Only the
    file itself must have the group column.
    """
    table = read_table_file(path, has_header=False if options.no_header else None)
    guess = guess_columns(table)
    group = options.group if options.group in table.columns or path == options.file else ""
    columns = Columns(tuple(options.text) or guess.text, options.label or guess.label, group or None)
    if own_columns and not {*options.text, *filter(None, [options.label])} <= set(table.columns):
        columns = guess
    if columns.label is None:
        raise DataError("{path} has no column that looks like labels. Name one with --label.", path=path.name)
    return to_examples(table, columns, merge_labels=options.merge_labels).examples


def run_train(options: argparse.Namespace) -> int:
    store = Store(read_settings())
    config = _config(options)
    source = None
    if options.source:
        path = Path(options.source)
        if path.is_file():
            source = read_labelled(path, options, own_columns=True)
        else:
            config = config_from_json({**config.to_json(), "source_run": options.source})
    task = Task(
        read_labelled(options.file, options),
        read_labelled(options.test, options) if options.test else None,
        source,
        title=options.file.name,
    )
    have_encoders(
        store, *(name for name in config.encoders if name != AUTO), config.source_run, *config.own_sources
    )
    ready = _with_encoder(store, config, task)
    if not ready.config.seeds:
        tell("measuring what a training costs, which says how many seeds are usual")
        ready = with_seeds_measured(store, ready)
        tell(f"seeds: {ready.config.seeds or 1}")
    return finish(options, store, submit_prepared(store, ready, processes=options.processes))


def _with_encoder(store: Store, config: ClassifyExperiment, task: Task) -> Prepared:
    """The experiment made ready; an encoder that is left open is chosen by trying, if an arm begins with it."""
    if config.encoder != AUTO:
        return prepare(store, config, task)
    ready = prepare(store, replace(config, encoder=FALLBACK), task)
    if AUTO not in config.encoders or config.source_run:
        return ready
    tell("trying the packaged encoders, frozen, on the rows to learn from")
    tried = try_encoders(store.settings, ready.pool)
    tell(in_words(tried))
    ready = prepare(store, replace(config, encoder=better_of(tried)), task)
    return replace(ready, tried=tuple(tried))


def _config(options: argparse.Namespace) -> ClassifyExperiment:
    values: dict[str, Any] = _read_config(options.config) if options.config else {"encoder": AUTO}
    for name in ("seeds", "per_class", "encoder", "vectors"):
        if getattr(options, name) is not None:
            values[name] = getattr(options, name)
    if options.sizes:
        values["sizes"] = [size_of(size) for size in options.sizes]
    values["arms"] = arms = _arms(options, values.get("arms"))
    for setting in options.set:
        _apply(setting, arms, values)
    return config_from_json(values)


def _arms(options: argparse.Namespace, saved: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """The arms that are asked for: those of `--strategy` and `--arm`, else the saved ones, else the usual ones."""
    given = [parse_arm(text, {row.name: row.config for row in STRATEGIES}, PLACES) for text in options.arm]
    named = {arm["strategy"]: arm for arm in saved or ()}
    chosen = dict.fromkeys(options.strategy)
    if not given and not chosen:
        return saved or [{"strategy": name, "settings": {}} for name in USUAL]
    return [named.get(name, {"strategy": name, "settings": {}}) for name in chosen] + given


def _read_config(path: Path) -> dict[str, Any]:
    """The values of a saved config, spelt out; ConfigError for anything else."""
    try:
        return config_from_json(json.loads(path.read_text(encoding="utf-8-sig"))).to_json()
    except (OSError, ValueError) as error:
        raise ConfigError("{path} is not a readable JSON file ({error}).", path=path, error=error) from error


def _apply(setting: str, arms: list[dict[str, Any]], values: dict[str, Any]) -> None:
    """One `--set`: of the experiment, of one strategy's arms (`lora.rank=8`), or of every arm that has it."""
    name, equals, text = setting.partition("=")
    if not equals:
        raise ConfigError("--set takes NAME=VALUE, such as epochs=3; got {setting!r}.", setting=setting)
    for knob in knobs_of(ClassifyExperiment):
        if knob.name == name:
            values[name] = parse_value(knob, text)
            return
    prefix, dot, rest = name.partition(".")
    applied = False
    for arm in arms:
        for knob in knobs_of(strategy(arm["strategy"]).config):
            if knob.name == (rest if dot else name) and prefix in (arm["strategy"], name):
                arm["settings"][knob.name] = parse_value(knob, text)
                applied = True
    if not applied:
        known = sorted({knob.name for arm in arms for knob in knobs_of(strategy(arm["strategy"]).config)})
        raise ConfigError(
            "No chosen strategy has a setting {name!r}. They have: {known}.",
            name=name,
            known=", ".join(known),
        )


def finish(options: argparse.Namespace, store: Store, job: Job) -> int:
    """Follow a job to its end and print its runs."""
    job = followed(store, job)
    runs = store.runs_of(job.id)
    summaries = [run_summary(run) for run in runs]
    answer: dict[str, Any] = {"job": job.id, "status": job.status, "runs": summaries}
    if job.status not in ("done", "stopped"):
        answer["error"] = job.reason or f"The job is {job.status}."
    show(options, answer, (_line(run) for run in runs))
    if "error" in answer:
        tell(f"error: {answer['error']}")
        return 1
    return 0


def followed(store: Store, job: Job) -> Job:
    """The job at its end, its progress told on the way. Ctrl-C asks it to stop."""
    try:
        follow(store, job.id)
    except KeyboardInterrupt:
        store.request_stop(job.id)
        tell("stopping")
        follow(store, job.id)
    return store.job(job.id)


def follow(store: Store, job_id: str) -> None:
    last_said = ("", -1)
    while True:
        try:
            job = store.job(job_id)
            progress = job.progress
        except StillInUse:  # the training goes on, and so does looking at it
            continue
        if job.ended:
            return
        percent = int(100 * float(progress.get("share", 0)))
        doing = str(progress.get("doing", "")) if job.status == "running" else job.status
        if (doing, percent) != last_said:
            tell(f"{percent:3d} %  {doing}  left: {seconds_text(progress.get('seconds_left'))}")
            last_said = (doing, percent)
        time.sleep(POLL_SECONDS)


def run_summary(run: Run) -> dict[str, Any]:
    """One run as `train`, `train-reader` and `runs list` print it: what every run has, and what its task adds."""
    record = run.record
    return {
        "id": run.id,
        "arm": kind_of(run).arm_title(run),
        "strategy": record.strategy,
        "seed": record.seed,
        "role": record.role,
        "status": run.status,
        "seconds": record.seconds,
        "trained_parameters": record.trained_parameters,
        **kind_of(run).summary(run),
    }


def _line(run: Run) -> str:
    scores = scores_text(run)
    return f"{run.id}  {scores}  {seconds_text(run.record.seconds)}" if scores else f"{run.id}  {run.status}"


def run_predict(options: argparse.Namespace) -> int:
    from tl_core.jobs.classify.predict import predict_events, read_unlabelled

    store = Store(read_settings())
    run = store.run(options.run_id)
    table = read_table_file(options.file, has_header=False if options.no_header else None)
    columns = tuple(options.text) or guess_columns(table).text
    read_unlabelled(table, columns)
    check_output(options.out)
    have_encoders(store, run.id)
    work_events = predict_events(store.settings, run, table, columns, options.out)
    count = told_by_tenths(work_events, "predicting")
    show(options, {"rows": count, "out": str(options.out)}, [f"{count} rows written to {options.out}"])
    return 0


def run_probe(options: argparse.Namespace) -> int:
    from tl_core.jobs.classify.probe import run_probe as measure

    measure(read_settings(), options.folder)
    return 0


def run_try_encoders(options: argparse.Namespace) -> int:
    from tl_core.jobs.classify.encoder_trial import run_trials

    run_trials(read_settings(), options.folder)
    return 0


def run_work(options: argparse.Namespace) -> int:
    """Do a submitted job in this process, or along with the others that torchrun started."""
    settings = read_settings()
    give_way(settings)
    return end_process(work(Store(settings), options.job, run_job))


def run_resume(options: argparse.Namespace) -> int:
    store = Store(read_settings())
    job_id = options.run_id
    run_ids = {run.id: run.record.job for run in store.runs()}
    return finish(options, store, resume_job(store, run_ids.get(job_id) or job_id))
