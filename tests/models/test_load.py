from __future__ import annotations

import sys

import pytest

from whetstone.core.errors import ConfigError, ModelError
from whetstone.models.load import load_model
from whetstone.models.transformers import TransformersModel, save_checkpoint


def test_scripted_and_recorded(tmp_path):
    (tmp_path / "a.txt").write_text("yes\n")
    (tmp_path / "b.jsonl").write_text('{"prompt": "q", "text": "a"}\n')
    assert load_model(f"scripted:{tmp_path / 'a.txt'}").name == "scripted:a.txt"
    assert load_model(f"recorded:{tmp_path / 'b.jsonl'}").name == "recorded:b.jsonl"


def test_hugging_face_folder(tiny, tmp_path):
    save_checkpoint(tiny.llama(), tiny.character_tokenizer(), tmp_path / "m")
    model = load_model(f"hf/{tmp_path / 'm'}", device="cpu")
    assert isinstance(model, TransformersModel)
    assert model.name == f"hf/{tmp_path / 'm'}"


@pytest.mark.parametrize("spec", ["", "gpt", "hf/", "scripted:", "recorded", "grit:", "gritty"])
def test_unknown_names_list_what_is_possible(spec):
    with pytest.raises(ConfigError, match=r"recorded:FILE .*scripted:FILE"):
        load_model(spec)


def test_missing_folder(tmp_path):
    with pytest.raises(ModelError, match="no folder"):
        load_model(f"hf/{tmp_path / 'none'}")


def test_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith("whetstone.models")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigError, match="pip install"):
        load_model("hf/some/model")
