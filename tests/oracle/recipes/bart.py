"""BART: both halves of different sizes, padding on the right, decoders that are told what to see and that are not;
old checkpoints, whose summaries have a bias over the words; greedy and beam search."""

import numpy as np
from recipe import Call, Case, padded, text
from seeded import integers, weights

SIZES = {
    "vocab_size": 61,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 40,
    "max_position_embeddings": 24,
}
CONFIG = SIZES | {
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "forced_eos_token_id": None,
}
HEADS = [
    "BartModel",
    "BartForConditionalGeneration",
    "BartForSequenceClassification",
    "BartForQuestionAnswering",
    "BartForCausalLM",
]
TEXT = padded(text(2, 7, vocabulary=61), padding=1)
ANSWER = {"decoder_input_ids": integers("answer", (2, 5), 3, 61)}
ENDED = TEXT | {"input_ids": np.where(np.arange(7) == 4, 2, np.where(TEXT["input_ids"] == 2, 3, TEXT["input_ids"]))}
LABELS = {"labels": np.array([[5, 9, 2, -100, -100], [8, 4, 17, 30, 2]])}
CONTEXT = {
    "encoder_hidden_states": weights("encoder_hidden_states", (2, 6, 16)),
    "encoder_attention_mask": np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]]),
}


def calls(name):
    states = {"output_hidden_states": True, "output_attentions": True}
    if name.endswith("ForCausalLM"):
        ids = text(2, 5, vocabulary=61)
        return [Call(TEXT), Call(TEXT | CONTEXT), Call(ids, greedy=6)]
    if name.endswith(("ForConditionalGeneration", "MTModel")):
        first = Call(TEXT | ANSWER, states if name.startswith("Bart") else {})
        return [first, Call(TEXT | LABELS, labels=LABELS), Call(TEXT, greedy=6), Call(TEXT, greedy=6, beams=3)]
    if name.endswith("ForSequenceClassification"):
        return [Call(ENDED), Call(ENDED | {"decoder_input_ids": text(2, 7, vocabulary=61)["input_ids"]})]
    if name.endswith("ForQuestionAnswering"):
        return [Call(TEXT), Call(TEXT | ANSWER)]
    masked = {"decoder_attention_mask": np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])}
    embeds = {
        "inputs_embeds": weights("inputs_embeds", (2, 5, 16)),
        "decoder_inputs_embeds": weights("decoder_inputs_embeds", (2, 4, 16)),
    }
    first = TEXT if "BartModel" in name else TEXT | ANSWER  # the others have to be told what the decoder sees
    return [Call(first, states), Call(TEXT | ANSWER | masked), Call(embeds)]


CASES = [
    Case("base", CONFIG, HEADS, calls),
    Case(
        "scaled",
        CONFIG
        | {"scale_embedding": True, "activation_function": "relu", "num_labels": 2, "tie_word_embeddings": False},
        [HEADS[1], HEADS[4]],
        calls,
    ),
]
