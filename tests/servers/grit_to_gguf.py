"""A checkpoint of grit as a GGUF file for llama.cpp: `python grit_to_gguf.py FOLDER FILE`. Needs numpy and gguf.

grit's tokens are single characters and pairs such as `-7`. llama.cpp has no tokenizer of whole words, but byte-pair
encoding with one merge a pair cuts the same tokens: no two pairs overlap, as only their first character is a sign.
Of llama.cpp's rules for cutting texts before merging, BLOOM's never cuts between a sign and a digit. Its Llama rotates
neighbouring numbers where Hugging Face's rotates halves, so rows of query and key matrices change places.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gguf
import numpy as np

TEMPLATE = "{{ messages[-1]['content'] }}"
LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def read_tensors(file: Path) -> dict[str, np.ndarray]:
    """The float32 tensors of a safetensors file."""
    data = file.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    entries = json.loads(data[8:start])
    entries.pop("__metadata__", None)
    tensors = {}
    for name, entry in entries.items():
        assert entry["dtype"] == "F32", f"{name} is {entry['dtype']}"
        first, last = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[start + first : start + last], np.float32).reshape(entry["shape"])
    return tensors


def neighbours(matrix: np.ndarray, heads: int) -> np.ndarray:
    """Rows reordered so that the two halves of each head alternate."""
    halves = matrix.reshape(heads, 2, -1, matrix.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(matrix.shape)


def new_name(name: str) -> str:
    """llama.cpp's name of a tensor."""
    name = name.removeprefix("model.")
    if name.startswith("layers."):
        _, index, rest = name.split(".", 2)
        return f"blk.{index}.{LAYER[rest.removesuffix('.weight')]}.weight"
    return {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}[name]


def convert(folder: Path, file: Path) -> None:
    """Write the checkpoint in `folder` to `file`."""
    config = json.loads((folder / "config.json").read_text())
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    special = {entry["content"] for entry in tokenizer["added_tokens"]}
    assert max(map(len, vocabulary)) <= 2
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]

    writer = gguf.GGUFWriter(file, "llama")
    writer.add_name("grit")
    writer.add_vocab_size(len(vocabulary))
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])

    kinds = [gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in vocabulary]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("bloom")
    writer.add_token_list(vocabulary)
    writer.add_token_types(kinds)
    # llama.cpp wants at least one merge; special tokens do not occur in texts
    merges = [f"{token[0]} {token[1]}" for token in vocabulary if len(token) == 2]
    writer.add_token_merges(merges or [" ".join(sorted(special))])
    # no token begins a text; llama.cpp's own default would be a number beyond this vocabulary
    writer.add_bos_token_id(config["eos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(TEMPLATE)

    for name, tensor in read_tensors(folder / "model.safetensors").items():
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            tensor = neighbours(tensor, heads if "q_proj" in name else kv_heads)
        writer.add_tensor(new_name(name), tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
