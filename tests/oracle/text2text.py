"""Makes tests/fixtures/pipelines/text2text.json: what the reference's pipelines of encoder-decoders return.

    python tests/oracle/text2text.py        (where transformers==4.39.3, sentencepiece and pandas are)

The tokenizers' files are those of fixtures/tokenizers/families; weights are seeded from their names (seeded.py).
"""

import base64
import copy
import json
import tempfile
from pathlib import Path
from unittest.mock import patch

import transformers
from make import seed
from pipelines import answer, call, write
from transformers.pipelines import SUPPORTED_TASKS

FAMILIES = Path(__file__).parents[1] / "fixtures" / "tokenizers" / "families"
BART = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 24,
    "max_position_embeddings": 160,
    "max_length": 12,
    "no_repeat_ngram_size": 1,  # else random models say one word for ever
}
BEAMS = {"num_beams": 2, "early_stopping": True, "max_length": 14}
T5 = {
    "d_model": 16,
    "d_kv": 8,
    "d_ff": 24,
    "num_layers": 1,
    "num_heads": 2,
    "decoder_start_token_id": 0,
    "no_repeat_ngram_size": 1,
    "task_specific_params": {
        "summarization": BEAMS | {"length_penalty": 2.0, "min_length": 5, "prefix": "summarize: "},
        "translation_en_to_de": BEAMS | {"prefix": "translate English to German: "},
        "translation_en_to_fr": BEAMS | {"prefix": "translate English to French: "},
    },
}
SHORT, OTHER = "the cat sat on the mat.", "We are very happy, hello world!"
LONG = " ".join(["The old library stands near the river, and the dogs are eating food."] * 4)
TEXTS = [SHORT, "hello", OTHER]
TABLE = {
    "City": ["Athens", "the cat", "Paris"],
    "Year": ["1896", "1900", "2004"],
    "Food, in words": ["bread", "wonderful food", ""],
}
NUMBERS = {"year": [1896, 1900], "city": ["Athens", "Paris"]}
QUERY, QUERIES = "Which City is it?", ["Which City is it?", "the dog", "in which year was the wonderful FOOD eaten?"]
ASK = {"table": TABLE, "query": QUERY}

TEXT2TEXT = [
    call(SHORT),
    call(TEXTS),
    call(TEXTS, generator=True),
    call([]),
    call(["hello"]),
    call(SHORT, return_tensors=True),
    call(TEXTS, return_tensors=True),
    call(SHORT, {"return_tensors": True}, return_tensors=False),
    call(LONG, truncation=True),
    call(TEXTS, stop_sequence=" he", return_tensors=True),
    call(TEXTS, {"stop_sequence": "} he"}),
    call(SHORT, num_beams=3, num_return_sequences=2),
    call(TEXTS[:2], num_beams=3, num_return_sequences=2),
    call(TEXTS[:2], num_beams=3, num_return_sequences=2, return_tensors=True),
]
FEW = [call(SHORT), call(TEXTS), call(OTHER, return_tensors=True)]
BETWEEN = {"src_lang": "de", "tgt_lang": "fr"}
TABLES = [
    call(**ASK),
    call(ASK),
    call([ASK]),
    call([ASK, {"table": TABLE, "query": QUERIES}]),
    call(table=TABLE, query=QUERIES),
    call(table=TABLE, query=[QUERY]),
    call(table=[{"a": "the cat", "b": "1"}, {"a": "the dog", "b": "2"}], query="the dog"),
    call(table=NUMBERS, query=QUERY),
    call(table=TABLE, query=QUERY, truncation=True),
]

MODELS = {
    "t5": ("T5ForConditionalGeneration", "t5", T5),
    "bart": ("BartForConditionalGeneration", "bart", BART | {"prefix": " "}),
    "m2m_100": ("M2M100ForConditionalGeneration", "m2m_100", BART | {"decoder_start_token_id": 2}),
    "marian": ("MarianMTModel", "marian", BART | {"num_beams": 2}),
}
TOKENIZERS = {  # family: the reference's class and what tokenizer_config.json says
    "t5": ("T5Tokenizer", {"model_max_length": 64}),
    "bart": ("BartTokenizer", {"model_max_length": 30}),
    "tapex": ("TapexTokenizer", {"model_max_length": 60}),
    "m2m_100": ("M2M100Tokenizer", {}),
    "marian": ("MarianTokenizer", {}),
    "mbart": ("MBartTokenizer", {}),
    "mbart50": ("MBart50Tokenizer", {}),
    "nllb": ("NllbTokenizer", {}),
}
NO_OPTIONS = ("_from_model_config", "transformers_version", "is_encoder_decoder")
CASES = {  # name: task, model, tokenizer, calls
    "bart": ("text2text-generation", "bart", "bart", TEXT2TEXT),
    "bart_summaries": ("summarization", "bart", "bart", FEW),
    "t5": ("text2text-generation", "t5", "t5", [call(SHORT), call(TEXTS)]),
    "t5_summaries": ("summarization", "t5", "t5", FEW),
    "t5_french": ("translation_en_to_fr", "t5", "t5", FEW),
    "t5_unnamed": ("translation", "t5", "t5", FEW[:1]),
    "t5_unlisted": ("translation_en_to_it", "t5", "t5", FEW[:1]),
    "m2m_100": (
        "translation",
        "m2m_100",
        "m2m_100",
        [call(SHORT, BETWEEN), call(SHORT, **BETWEEN), call(TEXTS, {"src_lang": "de"}, tgt_lang="en")],
    ),
    "m2m_100_french": ("translation_en_to_fr", "m2m_100", "m2m_100", FEW),
    "marian": ("translation", "marian", "marian", FEW),
    "marian_french": ("translation_en_to_fr", "marian", "marian", FEW[:1]),
    "tapex": ("table-question-answering", "bart", "tapex", TABLES),
}
# Languages from which and into which, for tokenizers that build a model's inputs.
PAIRS = {
    "m2m_100": ("de", "fr"),
    "mbart": ("en_XX", "ro_RO"),
    "mbart50": ("fr_XX", "gl_ES"),
    "nllb": ("eng_Latn", "fra_Latn"),
}


def write_tokenizer(folder, family):
    name, options = TOKENIZERS[family]
    for file, content in json.loads((FAMILIES / f"{family}.json").read_text("utf-8"))["files"].items():
        binary = "base64" in content
        (folder / file).write_bytes(base64.b64decode(content["base64"]) if binary else content["text"].encode())
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": name} | options))
    return transformers.AutoTokenizer.from_pretrained(folder)


def write_model(folder, class_name, config, tokenizer):
    """Saves a seeded model for the tokenizer's words; returns its configuration and the tensors' shapes."""
    words = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    if class_name == "MarianMTModel":
        words |= {"decoder_start_token_id": tokenizer.pad_token_id, "bad_words_ids": [[tokenizer.pad_token_id]]}
    cls = getattr(transformers, class_name)
    model = cls(cls.config_class(**config | words))
    shapes, _ = seed(model)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    return {"config": json.loads((folder / "config.json").read_text()), "tensors": shapes}


def record(folder, task, each):
    """A call with what the reference returns, and what it asks of `generate` on the way: for every text its ids, the
    ids (N, T) of the texts that come of it, and the options."""
    asked, generate = [], transformers.GenerationMixin.generate

    def recording(model, input_ids, attention_mask, **options):
        texts = generate(model, input_ids=input_ids, attention_mask=attention_mask, **options)
        config = copy.deepcopy(model.generation_config)
        config.update(**options)
        said = {name: value for name, value in config.to_diff_dict().items() if name not in NO_OPTIONS}
        its_texts = texts.view(len(input_ids), -1, texts.shape[1])
        for i, mask in enumerate(attention_mask):
            asked.append([input_ids[i][mask == 1], its_texts[i], said])
        return texts

    with patch.object(transformers.GenerationMixin, "generate", recording):
        output = answer(folder, task, copy.deepcopy(each))  # it makes DataFrames of the tables within
    return each | {"output": output, "asked": asked}


def defaults():
    """The model of each task where the caller names none."""
    tasks = {task: SUPPORTED_TASKS[task]["default"] for task in ("summarization", "text2text-generation")}
    tasks |= {f"translation_{a}_to_{b}": each for (a, b), each in SUPPORTED_TASKS["translation"]["default"].items()}
    return {task: "@".join(default["model"]["pt"]) for task, default in tasks.items()}


def built(family, source, target):
    """What a tokenizer makes of texts that are to be translated."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = write_tokenizer(Path(folder), family)
        options = {"src_lang": source, "tgt_lang": target, "return_tensors": None}
        inputs = [tokenizer._build_translation_inputs(text, **options) for text in TEXTS]
    ids = [each["input_ids"] for each in inputs]
    return {"languages": [source, target], "texts": TEXTS, "ids": ids, "first": inputs[0]["forced_bos_token_id"]}


if __name__ == "__main__":
    fixture = {"tokenizers": TOKENIZERS, "models": {}, "cases": {}, "defaults": defaults()}
    for name, (class_name, family, config) in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            fixture["models"][name] = write_model(folder, class_name, config, write_tokenizer(folder, family))
            for case, (task, model, tokenizer, calls) in CASES.items():
                if model == name:
                    write_tokenizer(folder, tokenizer)
                    recorded = [record(folder, task, each) for each in calls]
                    fixture["cases"][case] = {"task": task, "model": model, "tokenizer": tokenizer, "calls": recorded}
    fixture["built"] = {family: built(family, *pair) for family, pair in PAIRS.items()}
    write("text2text", fixture)
