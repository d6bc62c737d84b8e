"""Llama 3's tokenizer as Meta publishes it, a tokenizer.model of tiktoken's kind; elsewhere it is a tokenizer.json."""

from keras_tfm.tokenizers.frames import sentence_frame
from keras_tfm.tokenizers.tiktoken import TikTokenTokenizer


def reserved(*numbers):
    return [f"<|reserved_special_token_{number}|>" for number in range(*numbers)]


class Llama3Tokenizer(TikTokenTokenizer):
    """Byte-level BPE with `<|begin_of_text|> A`; options as for `TikTokenTokenizer`.

    The special tokens are those of Llama 3; later versions named some of the reserved ones, which
    `additional_special_tokens` can say.
    """

    defaults = {
        **TikTokenTokenizer.defaults,
        "bos_token": "<|begin_of_text|>",
        "eos_token": "<|end_of_text|>",
        "additional_special_tokens": [
            *("<|begin_of_text|>", "<|end_of_text|>", *reserved(4), "<|start_header_id|>", "<|end_header_id|>"),
            *(*reserved(4, 5), "<|eot_id|>", *reserved(5, 251)),
        ],
        "clean_up_tokenization_spaces": False,
    }
    padding_side = "left"

    @classmethod
    def build(cls, files, config):
        backend = super().build(files, config)
        backend.post_processor = sentence_frame(backend, {**config, "add_bos_token": True})
        return backend
