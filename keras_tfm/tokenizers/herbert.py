"""HerBERT's tokenizer: BERT's words, byte-pair encoding."""

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, normalizers, pre_tokenizers

from keras_tfm.tokenizers.base import Tokenizer
from keras_tfm.tokenizers.files import read_pair_model
from keras_tfm.tokenizers.frames import bert_frame


class HerbertTokenizer(Tokenizer):
    """BPE whose tokens end in `</w>` at the end of a word, with `<s> A </s>` and `<s> A </s> B </s>`."""

    vocab_files = ("vocab.json", "merges.txt")
    defaults = {
        "cls_token": "<s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
        "sep_token": "</s>",
        "bos_token": "<s>",
        "additional_special_tokens": [f"<special{number}>" for number in range(10)],
    }

    @classmethod
    def build(cls, files, config):
        unk_token, paths = config["unk_token"], (files["vocab.json"], files["merges.txt"])
        backend = Backend(read_pair_model(*paths, unk_token, unk_token=unk_token, end_of_word_suffix="</w>"))
        clean = normalizers.BertNormalizer(handle_chinese_chars=False, strip_accents=False, lowercase=False)
        backend.normalizer = normalizers.Sequence([clean, normalizers.NFC()])
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        backend.decoder = decoders.BPEDecoder(suffix="</w>")
        backend.post_processor = bert_frame(backend, config)
        return backend


HerbertTokenizerFast = HerbertTokenizer
