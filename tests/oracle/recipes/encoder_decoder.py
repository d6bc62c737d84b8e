"""Encoder-decoders of two architectures: BERT with GPT-2 of another width, with BERT, with BART's decoder; RoBERTa
whose halves share their weights; labels with padding; greedy and beam search."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import integers, weights

BERT = {
    "model_type": "bert",
    "vocab_size": 61,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 24,
}
DECODER = {"is_decoder": True, "add_cross_attention": True}
GPT2 = {"model_type": "gpt2", "vocab_size": 67, "n_positions": 24, "n_embd": 12, "n_layer": 2, "n_head": 3}
BART = {
    "model_type": "bart",
    "vocab_size": 67,
    "d_model": 16,
    "decoder_layers": 2,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": 24,
    "forced_eos_token_id": None,
}
ROBERTA = BERT | {"model_type": "roberta", "type_vocab_size": 1}
TOKENS = {"decoder_start_token_id": 5, "pad_token_id": 0, "eos_token_id": 6}
LABELS = {"labels": np.array([[5, 9, 2, -100, -100], [8, 4, 17, 30, 6]])}


def calls(padding=0):
    source = padded(text(2, 7, vocabulary=61), padding=padding)
    answer = {"decoder_input_ids": integers("answer", (2, 5), 3, 61)}
    masked = {"decoder_attention_mask": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])}
    typed = {"token_type_ids": integers("types", (2, 7), 0, 2 if padding == 0 else 1)}
    embeds = {"inputs_embeds": weights("inputs_embeds", (2, 6, 16))}
    return [
        Call(source | answer, {"output_hidden_states": True, "output_attentions": True}),
        Call(source | typed | answer | masked),
        Call(embeds | answer),
        Call(source | LABELS, labels=LABELS),
        Call(source, greedy=6),
        Call(source | typed, greedy=6, beams=3),
    ]


def case(name, encoder, decoder, padding=0, **fields):
    config = {"encoder": {**encoder}, "decoder": decoder | DECODER, **TOKENS, "pad_token_id": padding, **fields}
    return Case(name, config, ["EncoderDecoderModel"], lambda _: calls(padding))


CASES = [
    case("bert_gpt2", BERT, GPT2, pad_token_id=66),  # which is no word of the encoder's
    case("bert_bert", BERT, BERT),
    case("bert_bart", BERT, BART),
    case("roberta_shared", ROBERTA, ROBERTA, padding=1, tie_encoder_decoder=True),
]
