"""PhoBERT's tokenizer: byte-pair encoding of words that spaces separate, for Vietnamese split into words beforehand."""

import re

from keras_tfm.tokenizers.files import read_text
from keras_tfm.tokenizers.frames import roberta_frame
from keras_tfm.tokenizers.slow import BytePairs, SlowTokenizer, slow_backend


class PhobertTokenizer(SlowTokenizer):
    """BPE whose tokens end in `@@` inside a word, with `<s> A </s>` and `<s> A </s></s> B </s>`.

    Words of several syllables are written with underscores ("sinh_viên"), as VnCoreNLP does.
    """

    vocab_files = ("vocab.txt", "bpe.codes")
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "cls_token": "<s>",
        "mask_token": "<mask>",
    }

    @classmethod
    def build(cls, files, config):
        vocab = fairseq_vocab(files["vocab.txt"], config)
        return slow_backend(vocab, cls.splitter(BytePairs(files["bpe.codes"]), config), roberta_frame, config)

    @classmethod
    def splitter(cls, pairs, config):
        """The function from text to tokens."""
        return WordPairs(pairs)

    def join(self, tokens):
        return " ".join(tokens).replace("@@ ", "").strip()


class WordPairs:
    """Text -> the symbols of its words; a line's end belongs to the word before it."""

    def __init__(self, pairs):
        self.pairs = pairs

    def __call__(self, text):
        tokens = []
        for word in re.findall(r"\S+\n?", text):
            *inside, last = self.pairs(word)
            tokens += [f"{symbol}@@" for symbol in inside] + [last.removesuffix("</w>")]
        return tokens


def fairseq_vocab(path, config):
    """A list of "token count" lines -> {token: id}, after the four tokens that fairseq puts first."""
    vocab = {config["bos_token"]: 0, config["pad_token"]: 1, config["eos_token"]: 2, config["unk_token"]: 3}
    for number, line in enumerate(read_text(path).removesuffix("\n").split("\n"), 1):
        token, space, _ = line.strip().rpartition(" ")
        if not space:
            raise ValueError(f"{path} is damaged: line {number} is not a token and its count. Fetch it again.")
        vocab[token] = len(vocab)
    return vocab
