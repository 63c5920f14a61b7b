from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.tasks.classify.words.rows import fit, small_config
from tl_core.errors import ConfigError
from tl_core.settings import Settings
from tl_core.tasks.classify.words.cnn import k_max, sentence_scores
from tl_core.tasks.classify.words.config import CnnConfig
from tl_core.tasks.classify.words.documents import Documents
from tl_core.tasks.classify.words.networks import make_batch, make_table, make_word_network
from tl_core.tasks.classify.words.splitting import Splitter, read_corpus

TEXTS = ["a b. c d e f g", "", "a", "g f e d c b a. a a a a a. b", "c c c"]
INDEX = {word: at for at, word in enumerate("abcdefg", 2)}
WORDS = 9


def make_documents() -> Documents:
    return Documents(read_corpus(Splitter("words"), TEXTS, 100), INDEX, 5, torch.device("cpu"))


def make(kind: str, **changes):
    torch.manual_seed(0)
    vectors = np.random.default_rng(0).normal(size=(WORDS, 6)).astype("f4")
    vectors[0] = 0
    config = small_config(kind, **changes)
    return make_word_network(make_table(vectors, 5, config.word_dropout), config, 3).eval(), config


def logits(kind: str, **changes) -> torch.Tensor:
    network, config = make(kind, **changes)
    with torch.no_grad():
        return network(make_batch(config, make_documents(), np.arange(len(TEXTS))))


def test_an_embedding_bag_is_the_mean_with_padding():
    assert torch.allclose(logits("mean"), logits("bag"), atol=1e-6)


def test_the_mean_is_the_mean_and_of_an_empty_text_zero():
    network, config = make("mean")
    batch = make_batch(config, make_documents(), np.arange(len(TEXTS)))
    table = torch.cat([network.table.trained, network.table.kept]).detach()
    texts = network.text(batch).detach()
    assert torch.allclose(texts[4], table[INDEX["c"]])
    assert torch.allclose(texts[0], table[2:9].mean(0), atol=1e-6)
    assert not texts[1].any()


@pytest.mark.parametrize("state", ["last", "mean"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_packed_texts_give_what_padded_ones_give(cell: str, layers: int, state: str):
    shared = {"cell": cell, "layers": layers, "state": state}
    packed, padded = logits("recurrent", packed=True, **shared), logits("recurrent", packed=False, **shared)
    assert torch.allclose(packed, padded, atol=1e-6)
    assert not torch.allclose(packed[0], packed[3], atol=1e-4)


@pytest.mark.parametrize("layers", [1, 2])
def test_both_directions_are_those_of_torchs_own_bidirectional_network(layers: int):
    network, config = make("recurrent", layers=layers, state="last")
    oracle = torch.nn.LSTM(6, config.state_width, layers, batch_first=True, bidirectional=True)
    named = {}
    for number, layer in enumerate(network.layers):
        for way, end in zip(layer, ("", "_reverse"), strict=True):
            named |= {name.replace("l0", f"l{number}{end}"): each for name, each in way.named_parameters()}
    oracle.load_state_dict(named)
    batch = make_batch(config, make_documents(), np.array([3]))
    with torch.no_grad():
        _, (state, _) = oracle(network.table(batch.ids))
        wanted = network.head(torch.cat([state[-2], state[-1]], -1))
        assert torch.allclose(network(batch), wanted, atol=1e-6)


def test_k_max_keeps_the_order():
    values = torch.tensor([[3.0, 1.0, 5.0, 2.0, 9.0]]).unsqueeze(-1)
    mask = torch.tensor([[True, True, True, True, False]])
    assert k_max(values, mask, 3).tolist() == [[3.0, 5.0, 2.0]]
    assert k_max(values, mask, 1).tolist() == [[5.0]]
    assert k_max(values[:, :2], mask[:, :2], 3).tolist() == [[3.0, 1.0, 0.0]]
    assert k_max(values, torch.zeros(1, 5, dtype=torch.bool), 2).tolist() == [[0.0, 0.0]]


def test_k_max_is_brute_force():
    torch.manual_seed(0)
    values = torch.randn(4, 7, 3)
    lengths = [7, 2, 5, 1]
    mask = torch.arange(7) < torch.tensor(lengths).unsqueeze(1)
    found = k_max(values, mask, 2).view(4, 2, 3)
    for row, length in enumerate(lengths):
        for feature in range(3):
            of = values[row, :length, feature].tolist()
            kept = sorted(sorted(range(length), key=lambda at: -of[at])[:2])
            wanted = [of[at] for at in kept] + [0.0] * (2 - len(kept))
            assert found[row, :, feature].tolist() == pytest.approx(wanted)


def test_the_document_model_is_what_the_paper_says():
    """The same by plain loops: windows, largest values in their order, twice."""
    network, config = make("cnn", sentence_k=2, document_k=2, sentence_kernel=3, document_kernel=3)
    table = torch.cat([network.table.trained, network.table.kept]).detach()

    def convolve(rows: torch.Tensor, layer) -> torch.Tensor:
        rows = torch.cat([torch.zeros(1, rows.shape[1]), rows, torch.zeros(1, rows.shape[1])])
        kernel = layer.weight.detach()[:, :, 0]
        windows = [rows[at : at + 3].T for at in range(len(rows) - 2)]
        return torch.stack([(kernel * each).sum((1, 2)) for each in windows]) + layer.bias.detach()

    def largest(rows: torch.Tensor) -> torch.Tensor:
        found = torch.zeros(2, rows.shape[1])
        for feature in range(rows.shape[1]):
            kept = sorted(rows[:, feature].argsort(descending=True)[:2].tolist())
            found[: len(kept), feature] = rows[kept, feature]
        return found.clamp(min=0).flatten()

    sentences = [
        ["g", "f", "e", "d", "c"],
        ["b", "a"],
        ["a", "a", "a", "a", "a"],
        ["b"],
    ]  # at most 5 words long
    vectors = torch.stack(
        [largest(convolve(table[[INDEX[word] for word in each]], network.sentence)) for each in sentences]
    )
    wanted = network.head(largest(convolve(vectors, network.document)))
    found = network(make_batch(config, make_documents(), np.array([1, 3])))
    assert torch.allclose(found[1], wanted, atol=1e-5)


def test_words_are_dropped_only_in_training():
    network, _ = make("mean", word_dropout=0.5)
    ids = torch.full((4, 50), 2)
    ids[:, 40:] = 0
    assert torch.equal(network.table.drop(ids), ids)
    network.train()
    dropped = network.table.drop(ids)
    assert 0.2 < (dropped[:, :40] == 1).float().mean() < 0.8
    assert (dropped[:, 40:] == 0).all()


def test_the_table_gives_the_same_in_training_where_rows_hold_words_that_stay():
    network, _ = make("mean", word_dropout=0.0)
    ids = torch.tensor([[2, 3, 8, 0], [7, 1, 4, 4]])
    table = torch.cat([network.table.trained, network.table.kept])
    assert torch.equal(network.table(ids), table[ids])
    network.train()
    found = network.table(ids)
    assert torch.equal(found, table[ids])
    found.sum().backward()
    assert network.table.trained.grad.sum(1).tolist() == [0.0, 6.0, 6.0, 6.0, 12.0]


def test_sentence_scores_find_the_sentences_that_decide(settings: Settings):
    fitted, _ = fit(settings, "cnn", epochs=30, learning_rate=2e-2)
    text = "It was on at six. <br />Bad poor sad ill!  We left... 🙂 Ill &amp; sad."
    scores = sentence_scores(fitted.model, text, "bad")
    assert [each.sentence for each in scores] == [
        "It was on at six.",
        "Bad poor sad ill!",
        "We left...",
        "🙂 Ill & sad.",
    ]
    assert max(scores, key=lambda each: each.score).sentence == "Bad poor sad ill!"
    for each in scores[:3]:
        assert text[each.start : each.end] == each.sentence
    assert (scores[3].start, scores[3].end) == (-1, -1)
    assert sentence_scores(fitted.model, "", "bad") == []


def test_sentence_scores_are_the_gradient_times_the_vector(settings: Settings):
    """Against differences: scaling one sentence's vector a little changes the logit by score times the scale."""
    fitted, _ = fit(settings, "cnn", epochs=10, learning_rate=2e-2, longest_sentence=5)
    text = "Good fine nice. Bad sad. Good good good good good good well."
    found = sentence_scores(fitted.model, text, "good")
    network = fitted.model.network
    batch = fitted.model.documents([text]).by_sentences(np.array([0]))
    with torch.no_grad():
        vectors = network.sentence_vectors(batch).double()
        network = network.double()
        plain = network.classify(vectors, batch.counts)[0, 1]
        changes = []
        for at in range(4):  # the third sentence is cut in two
            scaled = vectors.clone()
            scaled[0, at] *= 1 + 1e-6
            changes.append(float(network.classify(scaled, batch.counts)[0, 1] - plain) / 1e-6)
    wanted = [changes[0], changes[1], changes[2] + changes[3]]
    assert [each.score for each in found] == pytest.approx(wanted, abs=1e-3)


def test_sentence_scores_ask_for_a_document_model_and_a_known_class(settings: Settings):
    mean, _ = fit(settings, "mean", epochs=1)
    with pytest.raises(ConfigError, match="cnn"):
        sentence_scores(mean.model, "good", "good")
    cnn, _ = fit(settings, "cnn", epochs=1)
    with pytest.raises(ConfigError, match="must be one of bad, good, so so; got 'ugly'"):
        sentence_scores(cnn.model, "good", "ugly")


def test_settings_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="CnnConfig.sentence_k must be between 1 and 20; got 0"):
        CnnConfig(sentence_k=0)
