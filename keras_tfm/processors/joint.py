"""What joint processors share: a feature extractor for sounds, a tokenizer for texts, one preset for both."""

import difflib
import inspect

from keras_tfm import tokenizers


class Processor:
    """Sounds to what a model listens to, texts to its labels, and its predictions to texts.

    Arguments: feature_extractor, tokenizer.
    """

    extractor_class = None  # names of classes
    tokenizer_class = None  # None: the one that the preset names

    def __init__(self, feature_extractor, tokenizer):
        self.feature_extractor, self.tokenizer = feature_extractor, tokenizer

    @classmethod
    def from_preset(cls, source, **options):
        """Load both from a Hub id, `hf://id` or a folder.

        options: `revision`, `token`, `cache_dir` and `local_files_only` as for both; others for whichever has them
            (`target_lang`, say). See `FeatureExtractor.from_preset` and `Tokenizer.from_preset`.
        """
        from keras_tfm import processors
        from keras_tfm.auto import AutoTokenizer
        from keras_tfm.presets.io.hub import LOCATION

        extractor = getattr(processors, cls.extractor_class)
        tokenizer = getattr(tokenizers, cls.tokenizer_class) if cls.tokenizer_class else AutoTokenizer
        heard = {key: value for key, value in options.items() if key in (*LOCATION, *extractor.defaults)}
        read = {key: value for key, value in options.items() if key in LOCATION or key not in heard}
        return cls(extractor.from_preset(source, **heard), tokenizer.from_preset(source, **read))

    from_pretrained = from_preset

    def save_preset(self, folder):
        """Write the files of both into `folder` (made if need be)."""
        named = {"processor_class": type(self).__name__}
        self.feature_extractor.extra |= named
        self.tokenizer.config = {**self.tokenizer.config, **named}
        self.feature_extractor.save_preset(folder)
        self.tokenizer.save_preset(folder)

    save_pretrained = save_preset

    def __call__(self, audio=None, text=None, **options):
        """Sounds -> what the feature extractor makes of them; texts -> what the tokenizer makes of them; both -> the
        former with {"labels": the texts' input_ids}.

        options: those of calls of the feature extractor, of the tokenizer, or of both (`padding`, `max_length`, ...).
        ValueError for neither, TypeError for an option that nobody has.
        """
        if audio is None and text is None:
            raise ValueError("pass audio, text or both")
        self._check_options(options)
        return self._labelled(self._made(self.feature_extractor, audio, options), self._read(text, options))

    @staticmethod
    def _labelled(heard, read):
        """What the model hears, with the texts as its labels, or whichever there is."""
        if heard is None or read is None:
            return read if heard is None else heard
        return heard | {"labels": read["input_ids"]}

    def _check_options(self, options):
        known = [name for part in (self.feature_extractor, self.tokenizer) for name in call_options(part)]
        for name in options:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                raise TypeError(
                    f"neither sounds nor texts have an option {name!r}"
                    + (f"; did you mean {near[0]!r}?" if near else "")
                )

    def _made(self, part, value, options):
        """What the feature extractor or the tokenizer makes of a value with the options that it has; None of None."""
        if value is None:
            return None
        return part(value, **{name: options[name] for name in call_options(part) if name in options})

    def _read(self, text, options):
        return self._made(self.tokenizer, text, options)

    def pad(self, input_features=None, labels=None, **options):
        """Rows that are padded later: `FeatureExtractor.pad` of `input_features`, `Tokenizer.pad` of `labels`."""
        if input_features is None and labels is None:
            raise ValueError("pass input_features, labels or both")
        heard = None if input_features is None else self.feature_extractor.pad(input_features, **options)
        read = None if labels is None else self.tokenizer.pad(labels, **options)
        return self._labelled(heard, read)

    def decode(self, *arguments, **options):
        """The tokenizer's `decode`."""
        return self.tokenizer.decode(*arguments, **options)

    def batch_decode(self, *arguments, **options):
        """The tokenizer's `batch_decode`."""
        return self.tokenizer.batch_decode(*arguments, **options)


def call_options(part):
    """The names of the options of a call."""
    return [name for cls in type(part).__mro__ if "__call__" in vars(cls) for name in signature(cls)]


def signature(cls):
    return [name for name, each in inspect.signature(cls.__call__).parameters.items() if each.kind is each.KEYWORD_ONLY]
