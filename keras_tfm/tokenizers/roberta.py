"""RoBERTa's tokenizer: byte-level BPE, where a space belongs to the word that it precedes."""

from tokenizers import AddedToken, processors

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.byte_level import byte_level_backend, set_prefix_space


class RobertaTokenizer(Tokenizer):
    """Byte-level BPE with `<s> A </s>` and `<s> A </s></s> B </s>`.

    Options besides those of `Tokenizer`: `add_prefix_space` (default False: the first word is not encoded as one that a
    space precedes) and `trim_offsets` (default True: offsets leave out the space before a word).
    """

    vocab_files = ("vocab.json", "merges.txt")
    defaults = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "cls_token": "<s>",
        "mask_token": AddedToken("<mask>", lstrip=True, normalized=False),
        "add_prefix_space": False,
        "trim_offsets": True,
    }
    model_input_names = ("input_ids", "attention_mask")

    @classmethod
    def build(cls, files, config):
        special = [config["sep_token"], config["cls_token"]]
        backend = byte_level_backend(files["vocab.json"], files["merges.txt"], *special)
        sep, cls_ = ((token, backend.token_to_id(token)) for token in special)
        backend.post_processor = processors.RobertaProcessing(sep, cls_)
        return backend

    @classmethod
    def configure(cls, backend, config):
        space, trim = config["add_prefix_space"], config["trim_offsets"]
        set_prefix_space(backend, space)
        if isinstance(backend.post_processor, processors.RobertaProcessing):
            processor = backend.post_processor
            processor.add_prefix_space, processor.trim_offsets = space, trim
            backend.post_processor = processor


RobertaTokenizerFast = RobertaTokenizer
