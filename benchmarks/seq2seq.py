"""Greedy decoding with encoder-decoders beside Transformers on PyTorch, in one run: see generate.py.

    python benchmarks/seq2seq.py --reference PYTHON [--markdown FILE]

The encoder reads 64 tokens a row and the decoder makes 64; a call's time includes both. Of the weights it reads only
those of the decoder at each step: the column of GB/s says too much here.
"""

import functools

from contestants import run
from generate import CONTESTANTS, NEW, PROMPT, benchmark, options

BEGINS = {"decoder_start_token_id": 0, "pad_token_id": 0}
MODELS = {
    "T5 small": ("T5ForConditionalGeneration", "T5Config", BEGINS),
    "BART base": (
        "BartForConditionalGeneration",
        "BartConfig",
        {
            "d_model": 768,
            "encoder_layers": 6,
            "decoder_layers": 6,
            "encoder_attention_heads": 12,
            "decoder_attention_heads": 12,
            "encoder_ffn_dim": 3072,
            "decoder_ffn_dim": 3072,
            "forced_eos_token_id": None,
            **BEGINS,
        },
    ),
}

if __name__ == "__main__":
    title = f"Encoder-decoders: greedy decoding, {NEW} tokens for {PROMPT},"
    description = options(__doc__, MODELS, ("float32", "bfloat16"))
    run(description, CONTESTANTS, functools.partial(benchmark, models=MODELS, title=title))
