"""LED: windows of different sizes, texts that fill them and that don't, tokens that see all, some of them padding."""

import numpy as np
from recipe import Call, Case, padded, text
from recipes import bart

CONFIG = {key: value for key, value in bart.CONFIG.items() if key != "max_position_embeddings"} | {
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "max_encoder_position_embeddings": 40,
    "max_decoder_position_embeddings": 24,
    "attention_window": [4, 8],
}
HEADS = ["LEDModel", "LEDForConditionalGeneration", "LEDForSequenceClassification", "LEDForQuestionAnswering"]
LONG = padded(text(2, 13, vocabulary=61), padding=1)
FULL = text(2, 16, vocabulary=61)
SEEN = {"global_attention_mask": np.zeros((2, 13), "int64")}
SEEN["global_attention_mask"][0, 0] = SEEN["global_attention_mask"][1, [0, 2, 9, 12]] = 1  # the last one is padding
ENDED = LONG | {"input_ids": np.where(np.arange(13) == 4, 2, np.where(LONG["input_ids"] == 2, 3, LONG["input_ids"]))}


def dense(outputs):
    """The outputs with attentions (B, H, S, S) in the place of the encoder's: (B, H, S, those that all see, then those
    in the window), and (B, H, S, those that see all)."""
    outputs = dict(outputs)
    full, everywhere = [], (SEEN["global_attention_mask"] * LONG["attention_mask"]).astype(bool)
    pairs = zip(outputs["encoder_attentions"], outputs.pop("encoder_global_attentions"), strict=True)
    for window, (near, far) in zip(CONFIG["attention_window"], pairs, strict=True):
        batch, heads, tokens, _ = near.shape
        seen = np.zeros((batch, heads, tokens, tokens), "float32")
        for i in range(batch):
            shared = np.flatnonzero(everywhere[i])
            for t in range(tokens):
                for place in range(max(t - window // 2, 0), min(t + window // 2 + 1, tokens)):
                    seen[i, :, t, place] = near[i, :, t, far.shape[-1] + place - t + window // 2]
            seen[i, :, :, shared] += near[i, :, :, : len(shared)].permute(2, 0, 1).numpy()
            seen[i, :, shared] = far[i, :, :tokens, : len(shared)].permute(2, 0, 1).numpy()
        full.append(seen)
    return outputs | {"encoder_attentions": full}


def calls(name):
    if name == "LEDModel":
        states = {"output_hidden_states": True, "output_attentions": True}
        one = {"global_attention_mask": np.eye(1, 16, dtype="int64").repeat(2, 0)}
        return [
            Call(LONG | SEEN | bart.ANSWER, states, arrange=dense),
            Call(LONG | SEEN | bart.ANSWER),
            Call(LONG),
            Call(FULL | one | bart.ANSWER),
        ]
    if name.endswith("ForConditionalGeneration"):
        return [
            Call(LONG | SEEN | bart.ANSWER),
            Call(LONG | SEEN | bart.LABELS, labels=bart.LABELS),
            Call(LONG | SEEN, greedy=6),
            Call(LONG, greedy=6, beams=3),
        ]
    if name.endswith("ForSequenceClassification"):
        return [Call(ENDED | SEEN), Call(ENDED)]
    return [Call(LONG | SEEN | bart.ANSWER), Call(FULL)]


CASES = [Case("base", CONFIG, HEADS, calls)]
