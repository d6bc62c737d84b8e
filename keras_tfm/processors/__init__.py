"""Image processors: one file per family, named after its Hub model_type, loaded when one of its classes is asked for.

`from keras_tfm.processors import ViTImageProcessor` looks for the module whose name (without underscores) is the
longest beginning of the lower-cased class name. The former names (ViTFeatureExtractor) are those of the same classes.
"""

import importlib
import pkgutil

HOMES = {"ImageProcessor": "base", "load_image": "images", "load_frames": "images"}
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


def _module(name):
    """The module where a class of this name, in any case, would be; None if there is none."""
    families = [module.name for module in pkgutil.iter_modules(__path__)]
    matching = [family for family in families if name.lower().startswith(family.replace("_", ""))]
    home = HOMES.get(name) or max(matching, key=len, default=None)
    return home and importlib.import_module(f"{__name__}.{home}")


def image_processor_for(model_type):
    """The image processor class of the architecture that the Hub calls `model_type`; None if there is none."""
    name = SERVED_BY.get(model_type, model_type.replace("-", "").replace("_", "") + "imageprocessor")
    return next((cls for key, cls in vars(_module(name) or object).items() if key.lower() == name.lower()), None)


def __getattr__(name):
    module = _module(name)
    for spelled in (name, name.replace("FeatureExtractor", "ImageProcessor")):
        if hasattr(module, spelled):
            return getattr(module, spelled)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
