"""OpenAI GPT: BERT's words, then byte-pair encoding."""

from tokenizer_recipe import CORPUS, TABLES, Case, Variant
from tokenizers import CharBPETokenizer

PADDED = {"pad_token": "<unk>"}


def write(folder):
    backend = CharBPETokenizer(lowercase=True)
    backend.train_from_iterator(
        CORPUS.split("\n"), vocab_size=420, special_tokens=["<unk>"], limit_alphabet=90, show_progress=False
    )
    backend.save_model(str(folder))


CASES = {
    "openai_gpt": Case(
        "OpenAIGPTTokenizer",
        "OpenAIGPTTokenizerFast",
        write,
        ("openai-gpt",),
        {"default": Variant(PADDED, differs=TABLES)},
    )
}
