"""Processors of pictures and of sound: one file per family, named after its Hub model_type, loaded when one of its
classes is asked for.

`from keras_tfm.processors import ViTImageProcessor` looks for the module whose name (without underscores) is the
longest beginning of the lower-cased class name. Image processors' former names (ViTFeatureExtractor) are those of the
same classes.
"""

import importlib
import pkgutil

HOMES = {
    "ImageProcessor": "base",
    "FeatureExtractor": "features",
    "Processor": "joint",
    "Wav2Vec2ProcessorWithLM": "beams",
    "ASTFeatureExtractor": "audio_spectrogram_transformer",
    **dict.fromkeys(("load_image", "load_frames"), "images"),
    "load_audio": "audio",
    **dict.fromkeys(("Speech2TextFeatureExtractor", "Speech2TextProcessor"), "speech_to_text"),
}
SERVED_BY = {  # model_type -> class, where the names differ
    **dict.fromkeys(("dinov2", "focalnet"), "BitImageProcessor"),
    **dict.fromkeys(("data2vec-vision",), "BeitImageProcessor"),
    **dict.fromkeys(("git", "groupvit", "kosmos-2", "llava", "vipllava", "xclip"), "CLIPImageProcessor"),
    **dict.fromkeys(("convnextv2", "cvt", "regnet", "resnet", "van"), "ConvNextImageProcessor"),
    **dict.fromkeys(("depth_anything",), "DPTImageProcessor"),
    **dict.fromkeys(("table-transformer",), "DetrImageProcessor"),
    **dict.fromkeys(("align",), "EfficientNetImageProcessor"),
    **dict.fromkeys(("mobilevitv2",), "MobileViTImageProcessor"),
    **dict.fromkeys(("upernet",), "SegformerImageProcessor"),
    **dict.fromkeys(("clipseg", "dinat", "mgp-str", "nat", "swiftformer", "swin", "swinv2"), "ViTImageProcessor"),
    **dict.fromkeys(("vit_mae", "vit_msn"), "ViTImageProcessor"),
    **dict.fromkeys(("timesformer",), "VideoMAEImageProcessor"),
}


EXTRACTORS = {  # model_type -> feature extractor class, where the names differ
    "audio-spectrogram-transformer": "ASTFeatureExtractor",
    "musicgen": "EncodecFeatureExtractor",
    "speech_to_text": "Speech2TextFeatureExtractor",
    **dict.fromkeys(("seamless_m4t_v2", "wav2vec2-bert"), "SeamlessM4TFeatureExtractor"),
    **dict.fromkeys(("data2vec-audio", "hubert", "sew", "sew-d", "unispeech"), "Wav2Vec2FeatureExtractor"),
    **dict.fromkeys(("unispeech-sat", "wav2vec2-conformer", "wavlm"), "Wav2Vec2FeatureExtractor"),
}

JOINED = {  # model_type -> joint processor class, where the names differ
    "speech_to_text": "Speech2TextProcessor",
    **dict.fromkeys(("data2vec-audio", "hubert", "sew", "sew-d", "unispeech", "unispeech-sat"), "Wav2Vec2Processor"),
    **dict.fromkeys(("wav2vec2-conformer", "wavlm"), "Wav2Vec2Processor"),
}


def _module(name):
    """The module where a class of this name, in any case, would be; None if there is none."""
    families = [module.name for module in pkgutil.iter_modules(__path__)]
    matching = [family for family in families if name.lower().startswith(family.replace("_", ""))]
    home = HOMES.get(name) or max(matching, key=len, default=None)
    return home and importlib.import_module(f"{__name__}.{home}")


def image_processor_for(model_type):
    """The image processor class of the architecture that the Hub calls `model_type`; None if there is none."""
    return _class(SERVED_BY.get(model_type, _flat(model_type) + "imageprocessor"))


def feature_extractor_for(model_type):
    """The feature extractor class of the architecture that the Hub calls `model_type`; None if there is none."""
    return _class(EXTRACTORS.get(model_type, _flat(model_type) + "featureextractor"))


def processor_for(model_type):
    """The joint processor class of the architecture that the Hub calls `model_type`; None if there is none."""
    return _class(JOINED.get(model_type, _flat(model_type) + "processor"))


def _flat(model_type):
    return model_type.replace("-", "").replace("_", "")


def _class(name):
    """The class of this name, in any case; None if there is none."""
    return next((cls for key, cls in vars(_module(name) or object).items() if key.lower() == name.lower()), None)


def __getattr__(name):
    module = _module(name)
    for spelled in (name, name.replace("FeatureExtractor", "ImageProcessor")):
        if hasattr(module, spelled):
            return getattr(module, spelled)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
