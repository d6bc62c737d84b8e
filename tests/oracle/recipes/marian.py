"""Marian: words that both sides share, and words that they don't; positions that follow from a formula."""

from recipe import Case
from recipes import bart

CONFIG = bart.SIZES | {
    "encoder_layers": 1,
    "decoder_layers": 2,
    "scale_embedding": True,
    "activation_function": "swish",
    "pad_token_id": 60,
    "decoder_start_token_id": 60,
}
HEADS = ["MarianModel", "MarianMTModel", "MarianForCausalLM"]
CASES = [
    Case("base", CONFIG, HEADS, bart.calls),
    Case("apart", CONFIG | {"share_encoder_decoder_embeddings": False}, HEADS[:2], bart.calls),
]
