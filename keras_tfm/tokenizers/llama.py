"""Llama's tokenizer, and Mistral's: SentencePiece pairs across spaces, with bytes for unknown characters."""

from tokenizers import AddedToken

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.frames import sentence_frame
from keras_tfm.tokenizers.sentencepiece import read_model, spaced_decoder

RANKS = b"IQ== 0\n"  # how tiktoken's files begin: the first token is "!"


class LlamaTokenizer(Tokenizer):
    """SentencePiece with `<s> A` and `<s> A <s> B`; shorter texts are padded at the left.

    Options besides those of `Tokenizer`: `add_bos_token` (default True) and `add_eos_token` (default False), which can
    be set later as well. For a tokenizer.model (a tokenizer.json says it itself) also `legacy` (default True: a space
    is put before each stretch of text between special tokens; False: only at the beginning) and `add_prefix_space`
    (default True; False with `legacy=False`: no space is put anywhere).
    """

    vocab_files = ("tokenizer.model",)
    defaults = {
        "bos_token": AddedToken("<s>", normalized=False),
        "eos_token": AddedToken("</s>", normalized=False),
        "unk_token": AddedToken("<unk>", normalized=False),
        "add_bos_token": True,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
    }
    model_input_names = ("input_ids", "attention_mask")
    padding_side = "left"

    @classmethod
    def build(cls, files, config):
        prefixed = config.get("add_prefix_space") is not False
        prefix = "first" if prefixed else "never"
        if config.get("legacy") is not False:
            prefix = "always"
        path = files["tokenizer.model"]
        if path.read_bytes().startswith(RANKS):
            raise ValueError(f"{path} is of tiktoken's kind, as Llama 3's: load it with Llama3Tokenizer.")
        backend = read_model(path).spaced_backend(prefix)
        backend.decoder = spaced_decoder(strips=prefixed)
        return backend

    @classmethod
    def configure(cls, backend, config):
        backend.post_processor = sentence_frame(backend, config)

    @property
    def add_bos_token(self):
        """Whether `bos_token` stands before each text."""
        return self.config["add_bos_token"]

    @add_bos_token.setter
    def add_bos_token(self, added):
        self._add("bos_token", added)

    @property
    def add_eos_token(self):
        """Whether `eos_token` stands behind each text."""
        return self.config["add_eos_token"]

    @add_eos_token.setter
    def add_eos_token(self, added):
        self._add("eos_token", added)

    def _add(self, name, added):
        config = {**self.config, f"add_{name}": added}
        self.configure(self.backend, {**config, "bos_token": self.bos_token, "eos_token": self.eos_token})
        self.config = config


LlamaTokenizerFast = LlamaTokenizer
