"""Byte-level BPE of which the checkpoints hold a tokenizer.json alone: GPT-NeoX, BLOOM, Falcon."""

from tokenizer_recipe import CORPUS, Case, Variant
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

PADDED = {"pad_token": "<|endoftext|>"}


def write(folder, special, splitters, normalizer=None, processor=None):
    backend = Tokenizer(models.BPE())
    if normalizer:
        backend.normalizer = normalizer
    backend.pre_tokenizer = splitters[0] if len(splitters) == 1 else pre_tokenizers.Sequence(splitters)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processor or processors.ByteLevel(trim_offsets=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(CORPUS.split("\n"), trainer)
    backend.save(str(folder / "tokenizer.json"))


def write_neox(folder):
    splitter = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True)
    write(folder, ["<|endoftext|>", "<|padding|>"], [splitter], normalizers.NFC())


def write_bloom(folder):
    words = pre_tokenizers.Split(Regex(r" ?[^(\s|[.,!?…。，、।۔،])]+"), "isolated")
    splitter = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    processor = processors.ByteLevel(add_prefix_space=True, trim_offsets=False)
    write(folder, ["<unk>", "<s>", "</s>", "<pad>"], [words, splitter], None, processor)


def write_falcon(folder):
    words = [pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    digits = [
        pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated"),
    ]
    write(folder, [">>TITLE<<", "<|endoftext|>"], [*words, *digits])


CASES = {
    "gpt_neox": Case(
        None,
        "GPTNeoXTokenizerFast",
        write_neox,
        ("gpt_neox", "mpt", "rwkv"),
        {"default": Variant(PADDED), "prefix_space": Variant({**PADDED, "add_prefix_space": True})},
    ),
    "bloom": Case(
        None,
        "BloomTokenizerFast",
        write_bloom,
        ("bloom",),
        {"default": Variant(words=False), "prefix_space": Variant({"add_prefix_space": True})},
    ),
    "falcon": Case(
        None,
        "PreTrainedTokenizerFast",
        write_falcon,
        ("falcon",),
        {"default": Variant({"eos_token": "<|endoftext|>", **PADDED})},
        name="Tokenizer",
    ),
}
