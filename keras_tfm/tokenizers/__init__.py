"""Tokenizers: one file per family, named after its Hub model_type, loaded when one of its classes is asked for.

`from keras_tfm.tokenizers import BertTokenizer` looks for the module whose name (without underscores) is the longest
beginning of the lower-cased class name. Classes named otherwise stand in `HOMES`.
"""

import importlib
import pkgutil

HOMES = {
    **dict.fromkeys(("Tokenizer", "PreTrainedTokenizerFast"), "base"),
    **dict.fromkeys(("MT5Tokenizer", "MT5TokenizerFast"), "t5"),
    "Speech2TextTokenizer": "speech_to_text",
}
SERVED_BY = {  # model_type -> class, where the names differ
    "dpr": "DPRQuestionEncoderTokenizer",
    "falcon": "Tokenizer",
    "nllb-moe": "NllbTokenizer",
    "phi": "CodeGenTokenizer",
    "qwen": "QWenTokenizer",
    **dict.fromkeys(("gpt_bigcode", "gpt_neo", "gptj", "opt", "starcoder2"), "GPT2Tokenizer"),
    **dict.fromkeys(("mpt", "rwkv", "stablelm"), "GPTNeoXTokenizer"),
    **dict.fromkeys(("bigbird_pegasus", "pegasus_x"), "PegasusTokenizer"),
    **dict.fromkeys(("longt5", "mt5", "musicgen", "pix2struct", "switch_transformers", "umt5"), "T5Tokenizer"),
    "speech_to_text": "Speech2TextTokenizer",
    **dict.fromkeys(("hubert", "mctct", "sew", "sew-d", "unispeech", "unispeech-sat", "wavlm"), "Wav2Vec2CTCTokenizer"),
    **dict.fromkeys(("data2vec-audio", "wav2vec2", "wav2vec2-bert", "wav2vec2-conformer"), "Wav2Vec2CTCTokenizer"),
    **dict.fromkeys(("clap",), "RobertaTokenizer"),
    **dict.fromkeys(("fuyu", "mistral", "mixtral", "open-llama", "persimmon"), "LlamaTokenizer"),
}


def _module(name):
    """The module where a class of this name, in any case, would be; None if there is none."""
    families = [module.name for module in pkgutil.iter_modules(__path__)]
    matching = [family for family in families if name.lower().startswith(family.replace("_", ""))]
    home = HOMES.get(name) or max(matching, key=len, default=None)
    return home and importlib.import_module(f"{__name__}.{home}")


def class_for(model_type):
    """The tokenizer class of the architecture that the Hub calls `model_type`; None if it has none of its own."""
    name = SERVED_BY.get(model_type, model_type.replace("-", "").replace("_", "") + "tokenizer")
    return next((cls for key, cls in vars(_module(name) or object).items() if key.lower() == name.lower()), None)


def __getattr__(name):
    module = _module(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(module, name)
