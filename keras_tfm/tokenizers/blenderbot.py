"""Blenderbot's tokenizer: byte-level BPE of a conversation."""

from keras_tfm.tokenizers.byte_level import byte_level_backend
from keras_tfm.tokenizers.frames import frame
from keras_tfm.tokenizers.roberta import RobertaTokenizer


class BlenderbotTokenizer(RobertaTokenizer):
    """Byte-level BPE with `A </s>`, and the two texts of a pair as they are; options as for `RobertaTokenizer`.

    Without a chat template of its own, `apply_chat_template` joins what is said by two spaces and puts one more before
    each of the user's turns, as the model has learnt it.
    """

    defaults = {
        **RobertaTokenizer.defaults,
        "chat_template": (
            "{% for message in messages %}{% if message['role'] == 'user' %} {% endif %}{{ message['content'] }}"
            "{% if not loop.last %}  {% endif %}{% endfor %}{{ eos_token }}"
        ),
    }

    @classmethod
    def build(cls, files, config):
        backend = byte_level_backend(files["vocab.json"], files["merges.txt"], config["eos_token"])
        backend.post_processor = frame(backend, f"$A {config['eos_token']}", "$A $B:1")
        return backend


BlenderbotTokenizerFast = BlenderbotTokenizer
