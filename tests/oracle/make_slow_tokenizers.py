"""Makes tests/fixtures/tokenizers/slow.json: what the reference's slow classes say besides ids and decoded texts.

It needs what make_tokenizer_families.py needs, and sacremoses, emoji, fugashi and ipadic.
"""

import importlib
import json
import tempfile
from pathlib import Path

import transformers
from tokenizer_recipe import TEXTS

FIXTURE = Path(__file__).parents[1] / "fixtures" / "tokenizers" / "slow.json"
FAMILIES = {
    "phobert": {},
    "bertweet": {"normalization": True},
    "xlm": {},
    "esm": {},
    "bert_japanese": {"word_tokenizer_type": "mecab", "do_subword_tokenize": False},
}
# The reference's language is always English but for whoever calls a private method.
LANGUAGES = {
    "de": "„Hallo“, sagte z.B. Dr. Müller am 3. Mai; usw. Die Größe ist 3,5 m.",
    "fr": "L'été, c'est «la vie» : aujourd'hui Mme. X n'a-t-elle rien ? M. Y.",
    "ro": "Şi ţara, Ţara și țară; în Âmbele limbi Î, ăĂ.",
    "cs": "Např. „ahoj“ – 5. května atd. Žluťoučký kůň.",
    "fi": "EU:n jäsen, 5. kesä: Åbo's ja USA:ssa!",
}
ADDED = "the <new>cat < new > New </s> x<extra>y"


def main():
    tokens, spelled, decoded = {}, {}, {}
    for family, options in FAMILIES.items():
        case = importlib.import_module(f"tokenizer_recipes.{family}").CASES[family]
        with tempfile.TemporaryDirectory() as folder:
            case.write(Path(folder))
            tokenizer = getattr(transformers, case.slow).from_pretrained(folder, **options)
            tokens[family] = {"options": options}
            texts = {**TEXTS, **case.texts}
            texts.pop("half_a_character", None)  # such tokens cannot be written
            tokens[family]["texts"] = {name: [text, tokenizer.tokenize(text)] for name, text in texts.items()}
            if family == "xlm":
                spelled = {lang: tokenizer._tokenize(text.lower(), lang=lang) for lang, text in LANGUAGES.items()}
            tokenizer.add_tokens(["<new>"])
            tokenizer.add_special_tokens({"additional_special_tokens": ["<extra>"]})
            ids = tokenizer(ADDED)["input_ids"]
            decoded[family] = {"ids": ids, "text": tokenizer.decode(ids)}
            decoded[family]["without_special"] = tokenizer.decode(ids, skip_special_tokens=True)
    languages = {lang: [text, spelled[lang]] for lang, text in LANGUAGES.items()}
    fixture = {"tokens": tokens, "languages": languages, "added": {"text": ADDED, "families": decoded}}
    FIXTURE.write_text(json.dumps(fixture, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
