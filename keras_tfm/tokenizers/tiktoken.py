"""Files of the package tiktoken: the bytes of each token, in base64, and its rank, which is its id.

OpenAI's models have them, Llama 3 as Meta publishes it, and the first Qwen.
"""

import base64
import binascii

from tokenizers import models, processors

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.byte_level import byte_level
from keras_tfm.tokenizers.special import SPECIAL_TOKENS, content

CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]


class TikTokenTokenizer(Tokenizer):
    """Byte-level BPE from a file of ranks, without special tokens around.

    Options besides those of `Tokenizer`: `vocab_file`, the file's name (default "tokenizer.model"), and `pattern`, the
    regular expression of the parts of a text that no token crosses (default that of cl100k_base, GPT-4's, which Llama 3
    has too).

    The file has no special tokens. Those that are named get the ids behind the ranks, `additional_special_tokens`
    first, each in its order; `added_tokens_decoder={100257: {"content": "<|endoftext|>", "special": True}, ..}` gives
    them ids of your choice.
    """

    defaults = {"pattern": CL100K, "model_input_names": ["input_ids", "attention_mask"]}
    stored_as = "PreTrainedTokenizerFast"  # which the reference reads the saved tokenizer.json with

    @classmethod
    def vocab_files_for(cls, config):
        return (config.get("vocab_file") or "tokenizer.model",)

    @classmethod
    def build(cls, files, config):
        (path,) = files.values()
        ranks = read_ranks(path)
        vocab = {spelled(token): rank for token, rank in ranks.items()}
        vocab |= {content(token): int(index) for index, token in config.get("added_tokens_decoder", {}).items()}
        named = [config[name] for name in SPECIAL_TOKENS if config.get(name) is not None]
        for token in map(content, [*config.get("additional_special_tokens", ()), *named]):
            vocab.setdefault(token, max(vocab.values()) + 1)
        backend = byte_level(models.BPE(vocab, merges(ranks), ignore_merges=True), config["pattern"])
        backend.post_processor = processors.ByteLevel(trim_offsets=False)
        return backend


def read_ranks(path):
    """{bytes of a token: its rank}; ValueError if the file is damaged, or none of tiktoken's."""
    ranks = {}
    try:
        for line in path.read_bytes().splitlines():
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"{path} is damaged or no file of tiktoken's ranks ({error}). Fetch it again.") from error
    if lacking := [byte for byte in range(256) if bytes([byte]) not in ranks]:
        raise ValueError(f"{path} is damaged: it lacks {len(lacking)} of the 256 bytes. Fetch it again.")
    return ranks


def merges(ranks):
    """[(left, right)] of every token that two others make, the lowest ranks first."""
    pairs = [
        (rank, ranks[token[:cut]], ranks[token[cut:]], spelled(token[:cut]), spelled(token[cut:]))
        for token, rank in ranks.items()
        for cut in range(1, len(token))
        if token[:cut] in ranks and token[cut:] in ranks
    ]
    return [pair[3:] for pair in sorted(pairs)]


SPELLING = dict(zip(PRINTABLE, map(chr, PRINTABLE), strict=True))
SPELLING |= {byte: chr(0x100 + index) for index, byte in enumerate(byte for byte in range(256) if byte not in SPELLING)}


def spelled(token):
    """Bytes as GPT-2's vocabulary spells them, each by a character that can be printed."""
    return "".join(map(SPELLING.get, token))
