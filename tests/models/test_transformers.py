from __future__ import annotations

import json

import pytest
import torch
from transformers import LlamaForSequenceClassification, ViTConfig

from whetstone.core.errors import ModelError
from whetstone.core.types import Sample, Sampling, Score, user
from whetstone.models.transformers import TransformersModel, save_checkpoint

ITEMS = [(user("Q63c-7?"), "c-7=56"), (user("Q1"), "01"), (user("Q22a+1b-3?"), "")]


@pytest.fixture
def folder(tiny, tmp_path):
    save_checkpoint(tiny.llama(), tiny.character_tokenizer(), tmp_path / "model")
    return tmp_path / "model"


def sampled(tiny, model):
    return tiny.ask(model, [Sample(user("Q63"), Sampling(seed=i, max_tokens=12)) for i in range(4)])


def test_load_gives_the_saved_model(tiny, folder):
    first, second = (
        TransformersModel(folder, device="cpu"),
        TransformersModel.of(tiny.llama(), tiny.character_tokenizer()),
    )
    assert first.fingerprint == second.fingerprint
    assert sampled(tiny, first) == sampled(tiny, second)


def test_half_precision_checkpoint_runs_in_single_on_the_cpu(tiny, tmp_path):
    save_checkpoint(tiny.llama().half(), tiny.character_tokenizer(), tmp_path / "half")
    assert TransformersModel(tmp_path / "half", device="cpu").net.dtype == torch.float32


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "lacks config.json"),
        (lambda folder: (folder / "config.json").write_text("{}"), "damaged: config.json"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x"), "damaged: model.safetensors"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "not a manifest"),
    ],
)
def test_damage_is_noticed(folder, spoil, message):
    spoil(folder)
    with pytest.raises(ModelError, match=message):
        TransformersModel(folder)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json cannot be used"),
        (lambda folder: (folder / "model.safetensors").unlink(), "weights of .* cannot be loaded"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 99), "weights of .* cannot be loaded"),
        (lambda folder: [file.unlink() for file in folder.glob("token*")], "tokenizer of .* cannot be loaded"),
        (lambda folder: ViTConfig().save_pretrained(folder), "not a causal language model"),
    ],
)
def test_foreign_folders_are_explained(folder, spoil, message):
    (folder / "manifest.json").unlink()
    spoil(folder)
    with pytest.raises(ModelError, match=message):
        TransformersModel(folder)


def test_missing_head_is_not_invented(tiny, folder):
    config = tiny.llama().config
    config.tie_word_embeddings = False
    LlamaForSequenceClassification(config).save_pretrained(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(ModelError, match="lacks lm_head"):
        TransformersModel(folder)


def test_missing_places(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="is a file"):
        TransformersModel(tmp_path / "file")
    with pytest.raises(ModelError, match="no folder"):
        TransformersModel(tmp_path / "none")
    with pytest.raises(ModelError, match="hf download nobody/nothing"):
        TransformersModel("nobody/nothing")
    with pytest.raises(ModelError, match="device 'abacus'"):
        TransformersModel("nobody/nothing", device="abacus")


def test_fingerprint_follows_weights_tokenizer_and_dialect(tiny):
    class Plain:
        def encode(self, prompt):
            return prompt[0].text

    net, tokenizer = tiny.llama(), tiny.character_tokenizer()
    model = TransformersModel.of(net, tokenizer)
    before = model.fingerprint
    assert before == TransformersModel.of(tiny.llama(), tiny.character_tokenizer(), name="other").fingerprint
    assert before != TransformersModel.of(net, tokenizer, dialect=Plain()).fingerprint
    assert before != TransformersModel.of(tiny.llama(1), tokenizer).fingerprint
    with torch.no_grad():
        net.model.norm.weight += 0.1
    assert model.fingerprint == before
    model.changed()
    assert model.fingerprint != before


def test_logprobs_are_scores_with_an_end(tiny, model):
    logprobs, mask = model.logprobs(ITEMS)
    assert logprobs.shape == mask.shape == (3, 7)
    assert mask.sum(1).tolist() == [7, 3, 1]
    assert logprobs.requires_grad
    assert not logprobs[mask == 0].any()
    for row, (reply, (_, text)) in enumerate(
        zip(tiny.ask(model, [Score(*item) for item in ITEMS]), ITEMS, strict=True)
    ):
        wanted = [token.logprob for token in reply.tokens]
        assert logprobs[row, : len(text)].tolist() == pytest.approx(wanted, abs=1e-5)


def test_logprobs_do_not_depend_on_padding(model):
    together, _ = model.logprobs(ITEMS)
    for row, item in enumerate(ITEMS):
        alone, _ = model.logprobs([item])
        assert torch.allclose(together[row, : alone.shape[1]], alone[0], atol=1e-5)


def test_encode_length(model):
    assert [model.encode_length(*item) for item in ITEMS] == [14, 5, 11]


def test_too_long_items_are_refused(model):
    with pytest.raises(ModelError, match="context of 128"):
        model.logprobs([(user("Q" * 100), "a" * 30)])


@pytest.mark.parametrize("lora_rank", [0, 4])
def test_training_raises_the_likelihood_and_sampling_follows(tiny, lora_rank):
    model = TransformersModel.of(tiny.llama(), tiny.character_tokenizer(), lora_rank=lora_rank)
    before, start = model.fingerprint, model.state()
    optimizer = model.optimizer(lr=1e-2)
    for _ in range(60):
        logprobs, mask = model.logprobs(ITEMS[:2])
        loss = -logprobs.sum() / mask.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.changed()
    assert float(loss.detach()) < 0.2
    assert model.fingerprint != before
    greedy = tiny.ask(model, [Sample(prompt, Sampling(temperature=0.0, max_tokens=20)) for prompt, _ in ITEMS[:2]])
    assert [reply.text for reply in greedy] == [text for _, text in ITEMS[:2]]
    trained = model.state()
    model.load_state(start)
    assert model.fingerprint == before
    model.load_state(trained)
    assert tiny.ask(model, [Sample(ITEMS[0][0], Sampling(temperature=0.0, max_tokens=20))])[0].text == ITEMS[0][1]


def test_adapters_alone_are_trained_and_saved_merged(tiny, tmp_path):
    model = TransformersModel.of(tiny.llama(), tiny.character_tokenizer(), lora_rank=2)
    assert 0 < sum(p.numel() for p in model.parameters()) < sum(p.numel() for p in tiny.llama().parameters())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05
    model.changed()
    wanted = model.logprobs(ITEMS)[0]
    model.save(tmp_path / "merged")
    assert torch.allclose(TransformersModel(tmp_path / "merged", device="cpu").logprobs(ITEMS)[0], wanted, atol=1e-4)
    assert torch.equal(model.logprobs(ITEMS)[0], wanted)


def test_own_optimizer(tiny):
    def optimizer(network, *, lr, weight_decay=0.0):
        return torch.optim.SGD(network.parameters(), lr=lr, weight_decay=weight_decay)

    model = TransformersModel.of(tiny.llama(), tiny.character_tokenizer(), optimizer=optimizer, learning_rate=0.3)
    assert isinstance(model.optimizer(lr=0.1), torch.optim.SGD)
    assert model.learning_rate == 0.3


def test_state_of_another_model_is_refused(tiny, model):
    with pytest.raises(ModelError, match="does not belong"):
        model.load_state(TransformersModel.of(tiny.gpt2(), tiny.byte_tokenizer()).state())


def test_save_replaces_a_checkpoint_whole(tiny, folder):
    model = TransformersModel(folder, device="cpu")
    (folder / "stale").write_text("")
    with torch.no_grad():
        model.net.model.norm.weight += 1.0
    model.changed()
    model.save(folder)
    assert not (folder / "stale").exists()
    assert json.loads((folder / "manifest.json").read_text())["fingerprint"] == model.fingerprint
    assert TransformersModel(folder, device="cpu").fingerprint == model.fingerprint
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_failed_save_leaves_the_old_checkpoint(tiny, folder, monkeypatch):
    model = TransformersModel(folder, device="cpu")

    def broken(place):
        raise OSError("disk full")

    monkeypatch.setattr(model.tokenizer, "save_pretrained", broken)
    with pytest.raises(ModelError, match="disk full"):
        model.save(folder)
    assert TransformersModel(folder, device="cpu").fingerprint == model.fingerprint
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_slots_must_be_positive(tiny):
    with pytest.raises(ModelError, match="slots"):
        TransformersModel.of(tiny.llama(), tiny.character_tokenizer(), slots=0)
