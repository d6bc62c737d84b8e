"""Whisper: byte-level BPE, and tokens for languages, tasks and times: of four languages and half a second here."""

import json

from tokenizer_recipe import Case, Variant, train_byte_level_bpe

END = "<|endoftext|>"
SPECIAL = [
    *("<|startoftranscript|>", "<|en|>", "<|zh|>", "<|de|>", "<|es|>", "<|translate|>", "<|transcribe|>"),
    *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
]
TIMES = [f"<|{i / 50:.2f}|>" for i in range(26)]
TEXTS = {
    "transcript": "<|startoftranscript|><|en|><|transcribe|><|0.00|> the cat sat<|0.24|><|0.26|> on the mat.<|0.50|>",
    "prompt": "<|startofprev|> hello world<|startoftranscript|><|notimestamps|> the cat<|endoftext|>",
}


def write(folder, times=True):
    train_byte_level_bpe(folder, [])
    count = len(json.loads((folder / "vocab.json").read_text("utf-8")))
    added = [END, *SPECIAL, *(TIMES if times else ())]
    (folder / "added_tokens.json").write_text(json.dumps({token: count + i for i, token in enumerate(added)}))
    named = dict.fromkeys(("bos_token", "eos_token", "unk_token", "pad_token"), END)
    (folder / "special_tokens_map.json").write_text(json.dumps(named | {"additional_special_tokens": SPECIAL}))


CASES = {
    "whisper": Case(
        "WhisperTokenizer",
        "WhisperTokenizerFast",
        write,
        ("whisper",),
        {
            "default": Variant(words=False),
            "prefix": Variant({"language": "Spanish", "task": "translate"}, words=False),
            "times": Variant({"language": "de", "task": "transcribe", "predict_timestamps": True}, words=False),
        },
        texts=TEXTS,
    )
}
