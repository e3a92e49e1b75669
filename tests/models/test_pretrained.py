"""Folders that are not a whole checkpoint in single precision: adapters, and half precision."""

from __future__ import annotations

import json
import shutil

import peft
import pytest
import torch

from whetstone.core.errors import ModelError
from whetstone.core.types import Embed, Sample, Sampling, Score, user
from whetstone.models.load import load_model
from whetstone.models.transformers import TransformersModel, save_checkpoint

ITEMS = [(user("Q63c-7?"), "c-7=56"), (user("Q1"), "01")]


@pytest.fixture
def folder(tiny, tmp_path):
    save_checkpoint(tiny.llama(), tiny.character_tokenizer(), tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def adapter(folder, tmp_path):
    """An adapter with weights that matter, and what the adapted model says of some texts."""
    base = TransformersModel(folder, device="cpu")
    config = peft.LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = peft.get_peft_model(base.net, config)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_" in name:
                parameter += 0.05
    adapted.peft_config["default"].base_model_name_or_path = str(folder)
    adapted.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter", base.logprobs(ITEMS)[0]


def test_an_adapter_is_loaded_with_its_base_model(folder, adapter):
    path, wanted = adapter
    found = load_model(f"hf/{path}", device="cpu")
    assert torch.allclose(found.logprobs(ITEMS)[0], wanted, atol=1e-4)
    assert not torch.allclose(TransformersModel(folder, device="cpu").logprobs(ITEMS)[0], wanted, atol=1e-2)
    assert found.fingerprint != TransformersModel(folder, device="cpu").fingerprint


def based_on(path, base):
    file = path / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "base_model_name_or_path": base}))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda path: based_on(path, "/no/such/model"),
            "the base model of the adapter .*: there is no folder /no/such/model",
        ),
        (lambda path: (path / "adapter_config.json").write_text("{"), "adapter_config.json cannot be used"),
        (lambda path: (path / "adapter_config.json").write_text("{}"), "adapter_config.json cannot be used"),
        (lambda path: based_on(path, str(path)), "names no base model other than itself"),
        (lambda path: based_on(path, ""), "names no base model other than itself"),
        (lambda path: (path / "adapter_model.safetensors").unlink(), "does not fit"),
        (lambda path: shutil.rmtree(path.parent / "model"), "the base model of the adapter"),
    ],
)
def test_a_spoilt_adapter_is_one_line(adapter, spoil, said):
    path, _ = adapter
    spoil(path)
    with pytest.raises(ModelError, match=said) as error:
        load_model(f"hf/{path}", device="cpu")
    assert "\n" not in str(error.value)


def test_adapters_of_each_other_are_one_line(adapter, tmp_path):
    path, _ = adapter
    other = shutil.copytree(path, tmp_path / "other")
    based_on(path, str(other))
    based_on(other, str(path))
    with pytest.raises(ModelError, match="names no base model other than itself"):
        load_model(f"hf/{path}", device="cpu")


def test_half_precision_samples_scores_and_embeds(tiny, folder):
    """Log-probabilities of a few tokens agree with single precision to a tenth."""
    whole, half = (TransformersModel(folder, device="cpu", dtype=dtype) for dtype in ("float32", "bfloat16"))
    prompt = user("Q63")
    requests = [Score(prompt, "c-7=56"), Sample(prompt, Sampling(seed=1, max_tokens=8, logprobs=2)), Embed(prompt)]
    (one, _, vector), (other, reply, close) = (tiny.ask(model, requests) for model in (whole, half))
    assert half.net.dtype == torch.bfloat16
    for a, b in zip(one.tokens, other.tokens, strict=True):
        assert a.logprob == pytest.approx(b.logprob, abs=0.1)
    assert reply.tokens
    assert vector.vector == pytest.approx(close.vector, abs=0.1)
    again = tiny.ask(half, [requests[1]])[0]
    assert again == reply
