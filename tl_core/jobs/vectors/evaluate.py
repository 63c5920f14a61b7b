"""Scores of word vectors on a set of analogies or word pairs, in a worker or at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tl_core.catalog.vector_sets import open_vectors, vector_set
from tl_core.convert import from_json
from tl_core.errors import DataError
from tl_core.jobs.evaluation import ask_all, read_result, write_result
from tl_core.jobs.trainings import submit_job
from tl_core.knobs import check_knobs, from_values, knob, to_values
from tl_core.runs.store import Job, Store
from tl_core.training.events import Training
from tl_core.vectors.quality import (
    AnalogyReport,
    SimilarityReport,
    evaluate_analogies,
    evaluate_similarity,
)
from tl_core.vectors.quality_files import BUNDLED, AnalogySet, SimilaritySet, read_bundled, read_quality
from tl_core.vectors.space import WordVectors

SET = "set"  # in the job's data: an uploaded file, as it came
Report = AnalogyReport | SimilarityReport
REPORTS: dict[type[Report], str] = {AnalogyReport: "analogies", SimilarityReport: "similarity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityConfig:
    """Settings of an evaluation by analogies; word pairs know none of them."""

    method: str = knob(
        "add",
        "add: cosine to b - a + c (3CosAdd). mul: cosines multiplied and divided (3CosMul).",
        choices=("add", "mul"),
    )
    include_inputs: bool = knob(
        False, "Let the words of a question be its answer. They then win often, which is told."
    )
    first: int = knob(
        0, "Search only the first, so most frequent, words; 0 searches all.", low=0, label="Words to search"
    )

    def __post_init__(self) -> None:
        check_knobs(self)


def evaluate_events(
    vectors: WordVectors, questions: AnalogySet | SimilaritySet, config: QualityConfig
) -> Training[Report]:
    """The report on a set, by the kind of set it is; Progress while analogies are answered."""
    if isinstance(questions, SimilaritySet):
        return evaluate_similarity(vectors, questions)
    return (
        yield from evaluate_analogies(
            vectors,
            questions,
            first=config.first or None,
            include_inputs=config.include_inputs,
            method="mul" if config.method == "mul" else "add",
        )
    )


def read_set(name: str, content: bytes | None = None) -> AnalogySet | SimilaritySet:
    """A bundled set by its name, or that of a file's content; DataError if it is neither."""
    return read_bundled(name) if content is None else read_quality(content, name)


def read_set_file(name: str) -> AnalogySet | SimilaritySet:
    """A bundled set, or the file of this name; DataError if there is neither."""
    if name in BUNDLED:
        return read_bundled(name)
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise DataError(
            "{name} cannot be read ({reason}); it must be a file or one of {bundled}.",
            name=name,
            reason=error.strerror,
            bundled=", ".join(BUNDLED),
        ) from error
    return read_quality(content, Path(name).name)


def submit_evaluation(
    store: Store, vectors: str, config: QualityConfig, set_name: str, content: bytes | None = None
) -> Job:
    """Check the set, start a worker that asks all of it, and give the job back at once."""
    questions = read_set(set_name, content)
    title = f"{vector_set(store, vectors).title} on {set_name}"

    def write_data(folder: Path) -> None:
        if content is not None:
            (folder / SET).write_bytes(content)

    job_config = {
        "vectors": vectors,
        "set": set_name,
        "questions": questions.total,
        "quality": to_values(config),
    }
    return submit_job(store, "evaluate_vectors", title[:200], job_config, write_data)


def run_evaluation(store: Store, job: Job) -> None:
    """The worker's side of `submit_evaluation`: leaves `result.json` in the job."""
    config = job.record.config
    path = job.folder / "data" / SET
    questions = read_set(str(config["set"]), path.read_bytes() if path.exists() else None)

    def open_set() -> Training[Report]:
        vectors = open_vectors(store, str(config["vectors"]))
        return evaluate_events(vectors, questions, from_values(QualityConfig, config["quality"]))

    report, seconds = ask_all(job, questions.total, "Opening the vectors", open_set)
    write_result(job, report, seconds, kind=REPORTS[type(report)])


def evaluation_result(job: Job) -> tuple[Report, float]:
    """(report, seconds) of a finished evaluation; RunError if it has none."""
    result = read_result(job)
    kind = next(kind for kind, name in REPORTS.items() if name == result["kind"])
    return from_json(kind, result.get("report", result)), float(result["seconds"])  # earlier, all in one
