"""AutoX classes: from what a checkpoint says of itself to the class that loads it."""

import difflib
import importlib
import inspect
import pkgutil

from keras_tfm import models

FILES = sorted(m.name for m in pkgutil.iter_modules(models.__path__))
ALIASES = {}  # model_type -> the architecture file that serves it, where the two names differ


def architecture(model_type, source="config.json"):
    """The module of the architecture that the Hub calls `model_type`.

    Raises:
        ValueError: unknown; the message names those that are spelled alike.
    """
    file = ALIASES.get(model_type, str(model_type).replace("-", "_"))
    if file not in FILES:
        near = difflib.get_close_matches(str(model_type), [*FILES, *ALIASES], 3, 0.5)
        raise ValueError(
            f"{source} has the model_type {model_type!r}, which keras_tfm does not have"
            + (f"; did you mean {' or '.join(near)}?" if near else f"; it has {', '.join(FILES)}")
        )
    return importlib.import_module(f"keras_tfm.models.{file}")


def architecture_of(name):
    """The module that defines a public class such as BertForMaskedLM: the file its name begins with. None if there
    is none."""
    spelled = {file.replace("_", ""): file for file in [*FILES, *ALIASES]}
    begins = [flat for flat in spelled if name.lower().startswith(flat)]
    return architecture(spelled[max(begins, key=len)]) if begins else None


def public_classes(module):
    """{name: class} of the models that an architecture file defines."""
    from keras_tfm.layers.base import Model

    return {
        name: cls
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, Model) and cls.__module__ == module.__name__ and not name.startswith("_")
    }


def model_type_of(stored):
    """The model_type of a config.json's keys; where it is not said, of the file that its `architectures` name."""
    if stored.get("model_type"):
        return stored["model_type"]
    for name in stored.get("architectures") or ():
        module = architecture_of(name)
        if hasattr(module, name):  # BertGenerationEncoder is none of BERT's
            return config_class_in(module).model_type
    return None


def config_class_of(stored, source):
    """The Config class for the keys of a `config.json`.

    Raises:
        ValueError: there is no model_type, and none can be told from `architectures`; or it is unknown.
    """
    model_type = model_type_of(stored)
    if model_type is None:
        raise ValueError(
            f"config.json of {source} has no model_type: add one (such as 'bert'), or load it with the class itself "
            "(BertModel.from_preset)"
        )
    return config_class_in(architecture(model_type, f"config.json of {source}"))


def class_of(config):
    """The class that the configuration's `architectures` name, else the backbone."""
    classes = public_classes(architecture(config.model_type))
    named = [classes[name] for name in config.architectures or () if name in classes]
    return named[0] if named else AutoModel.class_for(config)


def config_class_in(module):
    """The Config class of an architecture file."""
    return next(iter(public_classes(module).values())).config_class


class AutoConfig:
    """Reads the configuration of any architecture."""

    @staticmethod
    def from_preset(source, **options):
        """A `Config` of the architecture that `config.json` names. Options: see `Model.from_preset`."""
        from keras_tfm.presets.io.load import load_config

        return load_config(source, **options)

    from_pretrained = from_preset


class AutoModel:
    """Loads the backbone of any architecture. The other AutoModelFor.. classes load it with a head."""

    endings = ("Model",)

    @classmethod
    def class_for(cls, config):
        """The class of this kind for a configuration.

        Raises:
            ValueError: the architecture has no such head; the message names those that it has.
        """
        classes = public_classes(architecture(config.model_type))
        fits = [c for ending in cls.endings for name, c in classes.items() if name.endswith(ending)]
        if not fits and cls is AutoModel:  # DPR has three classes and no DPRModel: the checkpoint says which it is of
            fits = [classes[name] for name in config.architectures or () if name in classes]
        if not fits:
            raise ValueError(f"{config.model_type} has no class for {cls.__name__}; it has {', '.join(classes)}")
        if cls is AutoModel:
            return min(fits, key=lambda c: len(c.__name__))
        return next((c for c in fits if c.__name__ in (config.architectures or ())), fits[0])

    @classmethod
    def from_config(cls, config, **options):
        """A model with random weights. `options`: dtype."""
        return cls.class_for(config)(config, **options)

    @classmethod
    def from_preset(cls, source, **options):
        """Loads a checkpoint with the class that fits its `config.json`. Options: see `Model.from_preset`."""
        from keras_tfm.presets.io.hub import LOCATION

        where = {k: options[k] for k in LOCATION if k in options}
        return cls.class_for(AutoConfig.from_preset(source, **where)).from_preset(source, **options)

    from_pretrained = from_preset


def _auto(name, *endings):
    return type(name, (AutoModel,), {"endings": endings, "__doc__": f"Loads XFor{name[12:]} of any architecture."})


AutoModelForPreTraining = _auto("AutoModelForPreTraining", "ForPreTraining", "ForMaskedLM", "WithLMHeadModel")
AutoModelForMaskedLM = _auto("AutoModelForMaskedLM", "ForMaskedLM", "WithLMHeadModel")
AutoModelForCausalLM = _auto("AutoModelForCausalLM", "ForCausalLM", "LMHeadModel")
AutoModelForSeq2SeqLM = _auto("AutoModelForSeq2SeqLM", "ForConditionalGeneration", "MTModel", "EncoderDecoderModel")
AutoModelForNextSentencePrediction = _auto("AutoModelForNextSentencePrediction", "ForNextSentencePrediction")
AutoModelForSequenceClassification = _auto("AutoModelForSequenceClassification", "ForSequenceClassification")
AutoModelForMultipleChoice = _auto("AutoModelForMultipleChoice", "ForMultipleChoice")
AutoModelForTokenClassification = _auto("AutoModelForTokenClassification", "ForTokenClassification")
AutoModelForQuestionAnswering = _auto(
    "AutoModelForQuestionAnswering", "ForQuestionAnsweringSimple", "ForQuestionAnswering"
)
AutoBackbone = _auto("AutoBackbone", "Backbone")
AutoModelForImageClassification = _auto(
    "AutoModelForImageClassification", "ForImageClassification", "ForImageClassificationWithTeacher"
)
AutoModelForMaskedImageModeling = _auto("AutoModelForMaskedImageModeling", "ForMaskedImageModeling")
AutoModelForVideoClassification = _auto("AutoModelForVideoClassification", "ForVideoClassification")
AutoModelForObjectDetection = _auto("AutoModelForObjectDetection", "ForObjectDetection")
AutoModelForSemanticSegmentation = _auto("AutoModelForSemanticSegmentation", "ForSemanticSegmentation")
AutoModelForInstanceSegmentation = _auto("AutoModelForInstanceSegmentation", "ForInstanceSegmentation")
AutoModelForUniversalSegmentation = _auto(
    "AutoModelForUniversalSegmentation", "ForUniversalSegmentation", "ForInstanceSegmentation", "ForSegmentation"
)
AutoModelForImageSegmentation = _auto("AutoModelForImageSegmentation", "ForSegmentation")
AutoModelForDepthEstimation = _auto("AutoModelForDepthEstimation", "ForDepthEstimation")
AutoModelForMaskGeneration = _auto("AutoModelForMaskGeneration", "SamModel")


class AutoTokenizer:
    """Loads the tokenizer of any preset."""

    @staticmethod
    def from_preset(source, **options):
        """The class that `tokenizer_config.json` or `config.json` names, else the architecture's, else one of
        `tokenizer.json` alone.

        Options: see `Tokenizer.from_preset`.
        """
        from keras_tfm import tokenizers
        from keras_tfm.presets.io.hub import LOCATION, open_preset

        where = {k: options[k] for k in LOCATION if k in options}
        preset = open_preset(source, **where)
        if preset.metadata is not None:
            from keras_tfm.tokenizers.gguf import read_tokenizer

            return read_tokenizer(preset, **{k: v for k, v in options.items() if k not in LOCATION})
        stored = preset.json("config.json") or {}
        name = (preset.json("tokenizer_config.json") or {}).get("tokenizer_class") or stored.get("tokenizer_class")
        model_type = model_type_of(stored)
        if model_type == "encoder-decoder":  # what the encoder reads
            model_type = model_type_of(stored["encoder"])
        if name is None and model_type:
            cls = tokenizers.class_for(model_type)
        else:
            cls = getattr(tokenizers, (name or "").removesuffix("Fast"), None)
        return (cls or tokenizers.Tokenizer).from_preset(source, **options)

    from_pretrained = from_preset


class AutoImageProcessor:
    """Loads the image processor of any preset."""

    @staticmethod
    def from_preset(source, **options):
        """The class that `preprocessor_config.json` names, else that of the architecture in `config.json`.

        Options: see `ImageProcessor.from_preset`. FileNotFoundError if there is no preprocessor_config.json, ValueError
        if neither file tells of an image processor that keras_tfm has.
        """
        from keras_tfm import processors
        from keras_tfm.presets.io.hub import LOCATION, open_preset
        from keras_tfm.processors.preset import read_config

        preset = open_preset(source, **{k: options[k] for k in LOCATION if k in options})
        stored = read_config(preset, "image_processor")
        name = stored.get("image_processor_type") or stored.get("feature_extractor_type")
        model_type = None if name else model_type_of(preset.json("config.json") or {})
        cls = getattr(processors, name.removesuffix("Fast"), None) if name else None
        if model_type:
            cls = processors.image_processor_for(model_type)
        if cls is None:
            raise ValueError(
                f"{preset.name} has no image processor that keras_tfm knows: preprocessor_config.json names the class "
                f"{name!r}, config.json the model_type {model_type!r}. Load it with the class that suits it "
                "(ViTImageProcessor.from_preset)"
            )
        return cls.from_preset(source, **options)

    from_pretrained = from_preset


class AutoFeatureExtractor:
    """Loads what turns the sounds, or the pictures, of any preset into arrays."""

    @staticmethod
    def from_preset(source, **options):
        """The class that `preprocessor_config.json` names, else that of the architecture in `config.json`: a
        `FeatureExtractor`, or of an architecture that sees, an `ImageProcessor`.

        Options: see `FeatureExtractor.from_preset`. FileNotFoundError if there is no preprocessor_config.json,
        ValueError if neither file tells of a class that keras_tfm has.
        """
        from keras_tfm import processors
        from keras_tfm.presets.io.hub import LOCATION, open_preset
        from keras_tfm.processors.preset import read_config

        preset = open_preset(source, **{k: options[k] for k in LOCATION if k in options})
        stored = read_config(preset, "feature_extractor")
        name = stored.get("feature_extractor_type") or stored.get("image_processor_type")
        model_type = None if name else model_type_of(preset.json("config.json") or {})
        cls = getattr(processors, name.removesuffix("Fast"), None) if name else None
        if model_type:
            cls = processors.feature_extractor_for(model_type) or processors.image_processor_for(model_type)
        if cls is None:
            raise ValueError(
                f"{preset.name} has no feature extractor that keras_tfm knows: preprocessor_config.json names the "
                f"class {name!r}, config.json the model_type {model_type!r}. Load it with the class that suits it "
                "(Wav2Vec2FeatureExtractor.from_preset)"
            )
        return cls.from_preset(source, **options)

    from_pretrained = from_preset


class AutoProcessor:
    """Loads what turns the sounds, pictures and texts of any preset into arrays, in one object."""

    @staticmethod
    def from_preset(source, **options):
        """The class that processor_config.json, preprocessor_config.json, tokenizer_config.json or config.json names as
        its `processor_class`, else that of the architecture in config.json.

        Options: see `Processor.from_preset`. ValueError if none of them tells of a class that keras_tfm has.
        """
        from keras_tfm import processors
        from keras_tfm.presets.io.hub import LOCATION, open_preset

        preset = open_preset(source, **{k: options[k] for k in LOCATION if k in options})
        files = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json", "config.json")
        stored = [preset.json(file) or {} for file in files]
        name = next((each["processor_class"] for each in stored if each.get("processor_class")), None)
        model_type = None if name else model_type_of(stored[-1])
        cls = getattr(processors, name, None) if name else processors.processor_for(model_type) if model_type else None
        if cls is None:
            raise ValueError(
                f"{preset.name} has no processor that keras_tfm knows: its files name the class {name!r}, and the "
                f"model_type {model_type!r}. Load its parts, with AutoTokenizer, AutoFeatureExtractor or "
                "AutoImageProcessor"
            )
        return cls.from_preset(source, **options)

    from_pretrained = from_preset
