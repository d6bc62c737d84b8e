"""The support table: what the suite has shown, architecture by architecture, and how much code it took."""

import importlib.resources
import json
import tokenize

BACKENDS = ("tensorflow", "torch", "jax")
# Rows of Transformers' list that are another one's architecture with a tokenizer of their own, or a third one's.
VARIANTS = {
    "bert-japanese": ("bert", "BertJapaneseTokenizer"),
    "barthez": ("mbart", "BarthezTokenizer"),
    "bartpho": ("mbart", "BartphoTokenizer"),
    "bertweet": ("roberta", "BertweetTokenizer"),
    "bort": ("bert", "RobertaTokenizer"),
    "byt5": ("t5", "ByT5Tokenizer"),
    "code_llama": ("llama", "CodeLlamaTokenizer"),
    "cpm": ("gpt2", "CpmTokenizer"),
    "dialogpt": ("gpt2", "GPT2Tokenizer"),
    "dit": ("beit", "BeitImageProcessor"),
    "flan-t5": ("t5", "T5Tokenizer"),
    "flan-ul2": ("t5", "T5Tokenizer"),
    "gpt-sw3": ("gpt2", "GPTSw3Tokenizer"),
    "herbert": ("bert", "HerbertTokenizer"),
    "llama2": ("llama", "LlamaTokenizer"),
    "madlad-400": ("t5", "T5Tokenizer"),
    "mbart50": ("mbart", "MBart50Tokenizer"),
    "megatron_gpt2": ("gpt2", "GPT2Tokenizer"),
    "nllb": ("m2m_100", "NllbTokenizer"),
    "phobert": ("roberta", "PhobertTokenizer"),
    "t5v1.1": ("t5", "T5Tokenizer"),
    "tapex": ("bart", "TapexTokenizer"),
    "ul2": ("t5", "T5Tokenizer"),
    "xlm-v": ("xlm-roberta", "XLMRobertaTokenizer"),
}

# What the reference has besides: an architecture is not ticked before it is complete.
MISSING = {"esm": ["EsmForProteinFolding"]}


def support_table():
    """A Markdown table: a row an architecture, ticked where every class passed the parity suite on that backend.

    The tokenizer or processor is ticked where all of its fixtures passed. The results come from support.json beside
    this file, which `pytest --record` writes; nothing is ticked by hand. Below stands how many lines of code (neither
    blank nor comments nor docstrings) an architecture takes on average, in its files of models/ and presets/ together.
    """
    from keras_tfm import processors, tokenizers
    from keras_tfm.auto import architecture, public_classes

    recorded = json.loads(importlib.resources.files("keras_tfm").joinpath("support.json").read_text())
    results = recorded["models"]
    readers = {name: tokenizers.class_for(name) or processors.image_processor_for(name) for name in results}
    rows = {name: (name, getattr(reader, "__name__", None)) for name, reader in readers.items()} | VARIANTS
    table = [
        "| architecture | classes | TensorFlow | PyTorch | JAX | tokenizer, processor | lines of code |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, (model_type, reader) in sorted(rows.items()):
        module = architecture(model_type)
        classes = {*_reference_classes(public_classes(module)), *MISSING.get(row, ())}
        ticks = [_tick(classes, set(results[model_type].get(backend, ()))) for backend in BACKENDS]
        ticks.append("✓" if reader in recorded["readers"] else "")
        lines = lines_of(module) if row == model_type else ""
        table.append(f"| {row} | {len(classes)} | {' | '.join(ticks)} | {lines} |")
    mean = sum(lines_of(architecture(name)) for name in results) / len(results)
    return "\n".join([*table, "", f"Lines of code, mean of {len(results)} architectures: {mean:.0f}."])


def _reference_classes(classes):
    """The names of the classes that Transformers has, too: there the halves of most encoder-decoders are no models."""
    both = [cls for cls in classes.values() if hasattr(cls, "encoder_class")]
    halves = {half.__name__ for cls in both for half in (cls.encoder_class, cls.decoder_class)}
    return {name for name in classes if name not in halves or name.endswith("Model")}


def lines_of(module):
    """The lines of code of an architecture: those of its file in models/ and, if there is one, in presets/."""
    name = module.__name__.rpartition(".")[2] + ".py"
    files = [importlib.resources.files(f"keras_tfm.{package}").joinpath(name) for package in ("models", "presets")]
    return sum(code_lines(file) for file in files if file.is_file())


def code_lines(file):
    """The lines of a file on which anything stands but comments and docstrings."""
    lines, beginning = set(), True
    with file.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING):
                beginning = True
            elif token.type not in (tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER):
                if not (beginning and token.type == tokenize.STRING):
                    lines.update(range(token.start[0], token.end[0] + 1))
                beginning = False
    return len(lines)


def _tick(classes, passed):
    return "✓" if classes <= passed else f"{len(classes & passed)} of {len(classes)}"
