"""Jobs and runs as a worker would leave them, made up and written through the store: nothing is trained."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import numpy as np

from tl_core.convert import from_json, to_json
from tl_core.data.examples import Examples, write_examples
from tl_core.data.reading import Answer, Passage, Question, ReadingSet
from tl_core.data.reading_files import write_squad
from tl_core.encoders.adapted import FACTS
from tl_core.jobs.classify.plan import WITHOUT_SOURCE, of_strategies
from tl_core.jobs.evaluation import RESULT
from tl_core.jobs.experiment import Trial, trials_by_size
from tl_core.jobs.read.evaluate import QUESTIONS
from tl_core.jobs.read.plan import of_starts
from tl_core.jobs.read.train import ANSWERS, TEST, TRAIN, write_answers
from tl_core.knobs import to_values
from tl_core.records import write_record
from tl_core.runs.events import EventLog
from tl_core.runs.records import RunRecord
from tl_core.runs.store import Job, Run, Store
from tl_core.tasks.classify.metrics import score
from tl_core.tasks.classify.strategies import strategy
from tl_core.tasks.read.answers import FoundAnswer, Reply
from tl_core.tasks.read.config import ReadConfig
from tl_core.tasks.read.evaluate import judge, rule_for, scores_at
from tl_core.tasks.read.report import NEVER, Evaluation, ReadReport, groups_of
from tl_core.training.events import Metric

CLASSES = ("<b>bad</b>", "costs $5 or $6", "좋아요")
TUNED = ("lora", "full")


def made_up_examples(classes: Sequence[str], count: int, first_row: int = 2) -> Examples:
    """`count` texts, the classes in turn."""
    labels = tuple(classes[at % len(classes)] for at in range(count))
    texts = tuple(
        f"text {first_row + at}: *stars* and $dollars$ of a {label}" for at, label in enumerate(labels)
    )
    return Examples(texts, labels, tuple(range(first_row, first_row + count)))


def add_job(
    store: Store,
    strategies: Sequence[str] = ("tfidf", "lora"),
    seeds: int = 2,
    *,
    status: str = "done",
    reason: str = "",
    classes: Sequence[str] = CLASSES,
    rows: int = 60,
    title: str = "<i>reviews</i> $1$.csv",
    share_right: float = 0.8,
) -> Job:
    """A comparison whose runs are all finished; `share_right` of each run's answers are right."""
    config = of_strategies(strategies=tuple(strategies), seeds=seeds)
    job = store.add_job(
        "compare", title, {"comparison": config.to_json(), "source": to_json(WITHOUT_SOURCE), "expected": {}}
    )
    test = made_up_examples(classes, rows)
    write_examples(job.folder / "data" / "train.jsonl", made_up_examples(classes, 4 * rows, 1000))
    write_examples(job.folder / "data" / "test.jsonl", test)
    for name in strategies:
        for seed in range(1, seeds + 1):
            add_run(store, job, name, seed, test, share_right=share_right)
    store.update_job(job.id, status=status, reason=reason)
    return store.job(job.id)


def add_run(store: Store, job: Job, name: str, seed: int, test: Examples, *, share_right: float = 0.8) -> Run:
    """A finished run with predictions, and with curves where the strategy has them."""
    classes = tuple(sorted(set(test.labels)))
    random = np.random.default_rng([seed, len(name)])
    truth = np.array([classes.index(label) for label in test.labels])
    wrong = (truth + random.integers(1, len(classes), len(truth))) % len(classes)
    chosen = np.where(random.random(len(truth)) < share_right, truth, wrong)
    sure = random.uniform(0.55, 0.99, len(truth))
    probabilities = np.repeat(((1 - sure) / (len(classes) - 1))[:, None], len(classes), axis=1)
    probabilities[np.arange(len(truth)), chosen] = sure
    run_id = f"{job.id}-{name}-{seed}"
    record = {
        "id": run_id,
        "job": job.id,
        "title": job.title,
        "role": "target",
        "arm": name,
        "strategy": name,
        "seed": seed,
        "status": "done",
        "started": time.time(),
        "ended": time.time() + 1,
        "encoder": "minilm" if strategy(name).needs_encoder else "",
        "source": "",
        "config": to_values(strategy(name).config()),
        "rows": {"train": 3 * len(test), "validation": len(test), "test": len(test)},
        "classes": classes,
        "report": to_json(score(probabilities, truth, classes, majority=0)),
        "seconds": 1.5 * seed,
        "scoring_seconds": 0.5,
        "trained_parameters": 1234,
        "peak_memory": 500_000_000 + seed,
        "facts": {"best_epoch": 2} if name in TUNED else {},
    }
    store.write_run(from_json(RunRecord, record))
    run = store.run(run_id)
    np.save(run.folder / "predictions.npy", probabilities.astype(np.float32), allow_pickle=False)
    if name in TUNED:
        _write_curves(run)
    return run


def _write_curves(run: Run) -> None:
    log = EventLog(run.events)
    for step in range(1, 31):
        log.write(Metric("training loss", step, 1 / step))
        if step % 10 == 0:
            log.write(Metric("validation loss", step, 1.5 / step))
            log.write(Metric("validation accuracy", step, 0.5 + step / 100))
    log.close()


# reading

STARTS = ("en", "minilm")
TITLES = ("English *reader* ($1$)", "minilm")


def made_up_questions(count: int, first: int = 0) -> ReadingSet:
    """`count` questions, each on a passage of its own."""
    words = ("red", "old", "$5", "<b>big</b>")
    texts = [f"House {first + at} is {words[at % 4]} and stands in a *row*." for at in range(count)]
    asked = [
        Question(
            f"{first + at}",
            f"How is house {first + at}?",
            at,
            (Answer(words[at % 4], text.index("is ") + 3),),
        )
        for at, text in enumerate(texts)
    ]
    passages = tuple(Passage(text, at) for at, text in enumerate(texts))
    return ReadingSet("houses.json", passages, tuple(asked))


def made_up_evaluation(data: ReadingSet, share_right: float, seed: int = 0) -> Evaluation:
    """Replies of which about `share_right` are right, and the others the first word of the passage."""
    random = np.random.default_rng([seed, 5])
    replies = []
    for question in data.questions:
        right = random.random() < share_right
        found = question.answers[0] if right else Answer("House", 0)
        replies.append(Reply((FoundAnswer(found.text, found.start, found.end, 3.0, 0),), 1))
    rule = rule_for(data)
    judged = judge(data, replies, rule)
    report = ReadReport(
        rule=rule,
        answerable=data.answerable,
        scores=scores_at(judged, NEVER),
        threshold=None,
        josa=False,
        other_josa=None,
        best_threshold=None,
        best=None,
        groups=tuple(groups_of(data, judged, NEVER)),
    )
    return Evaluation(report, tuple(replies), tuple(judged))


def add_reader_job(
    store: Store,
    sizes: Sequence[int] = (64,),
    seeds: int = 1,
    *,
    status: str = "done",
    questions: int = 60,
    title: str = "<i>houses</i> $1$.json",
) -> Job:
    """Reader trainings from two starts, all finished."""
    config = of_starts(STARTS, sizes=tuple(sizes), seeds=seeds)
    told = {"training": config.to_json(), "titles": list(TITLES)}
    job = store.add_job("train_reader", title, told)
    test = made_up_questions(questions)
    (job.folder / "data" / TRAIN).write_bytes(write_squad(made_up_questions(200, 1000)))
    (job.folder / "data" / TEST).write_bytes(write_squad(test))
    for trial in trials_by_size(config):
        add_reader_run(store, job, trial, test)
    store.update_job(job.id, status=status)
    return store.job(job.id)


def add_reader_run(store: Store, job: Job, trial: Trial, test: ReadingSet) -> Run:
    """A finished run with answers and curves; the first start is the better one."""
    run_id = f"{job.id}-{trial.name}"
    evaluation = made_up_evaluation(test, 0.9 if trial.arm == "start1" else 0.4, trial.seed)
    record = {
        "id": run_id,
        "job": job.id,
        "task": "read",
        "title": job.title,
        "role": "target",
        "strategy": "lora",
        "seed": trial.seed + 1,
        "status": "done",
        "started": time.time(),
        "ended": time.time() + 1,
        "encoder": "minilm",
        "source": TITLES[int(trial.arm[-1]) - 1],
        "arm": trial.arm,
        "size": trial.size,
        "config": to_values(ReadConfig()),
        "rows": {"train": trial.size or 180, "validation": 0 if trial.size else 20, "test": len(test)},
        "report": to_json(evaluation.report),
        "seconds": 12.5,
        "scoring_seconds": 0.5,
        "trained_parameters": 4321,
        "peak_memory": 500_000_000,
        "facts": {"windows": 70, "best_epoch": 2},
    }
    store.write_run(from_json(RunRecord, record))
    run = store.run(run_id)
    run.model.mkdir()
    base = {"base": {"kind": "packaged", "name": "minilm", "revision": ""}}
    (run.model / FACTS).write_text(json.dumps(base), encoding="utf-8")
    write_answers(run.folder / ANSWERS, test, evaluation)
    _write_curves(run)
    return run


def add_evaluation_job(store: Store, *, status: str = "done") -> Job:
    """A reader asked a file of questions."""
    data = made_up_questions(40)
    told = {"reader": "en", "name": data.name, "questions": len(data)}
    job = store.add_job("evaluate_reading", "English reader on houses.json", told)
    (job.folder / "data" / QUESTIONS).write_bytes(write_squad(data))
    if status == "done":
        evaluation = made_up_evaluation(data, 0.7)
        write_answers(job.folder / ANSWERS, data, evaluation)
        write_record(job.folder / RESULT, {"report": to_json(evaluation.report), "seconds": 2.0})
    store.update_job(job.id, status=status)
    return store.job(job.id)
