"""What a reader's training learns from and is tested on."""

from __future__ import annotations

from tests.jobs.reader_jobs import small_set
from tl_core.jobs.experiment import Trial
from tl_core.jobs.read.plan import ReadExperiment, questions_of_trial, read_split


def test_two_parts_of_one_file_learn_and_test_although_they_carry_the_same_passages():
    data = small_set(articles=5)
    pool, held = read_split(ReadExperiment(), data.of_articles(range(4)), data.of_articles([4]))
    assert len(pool) == 4 * len(held)


def test_a_passage_that_the_test_asks_about_is_never_learned_from():
    data = small_set(articles=5)
    test = data.of_articles([0])
    pool, held = read_split(ReadExperiment(), data, test)
    asked = {held.passage_of(each) for each in held.questions}
    assert asked.isdisjoint(pool.passage_of(each) for each in pool.questions)
    assert len(pool) + len(held) == len(data)


def test_many_questions_are_not_held_back_beyond_what_chooses_an_epoch():
    pool, trial = small_set(articles=50), Trial("start1-all-1", "start1", size=0)

    def held(**changes: int) -> int:
        learned, validation = questions_of_trial(ReadExperiment(**changes), pool, trial)
        assert len(learned) + len(validation) == len(pool) == 400
        return len(validation)

    assert held() == 40
    assert held(validation_rows=10) == 16  # up to whole articles of 8 questions
