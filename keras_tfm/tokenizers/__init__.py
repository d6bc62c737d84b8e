"""Tokenizers: one file per family, named after its Hub model_type, loaded when one of its classes is asked for.

`from keras_tfm.tokenizers import BertTokenizer` looks for the module whose name (without underscores) is the longest
beginning of the lower-cased class name. Classes named otherwise stand in `HOMES`.
"""

import importlib
import pkgutil

HOMES = {"Tokenizer": "base"}


def __getattr__(name):
    families = [module.name for module in pkgutil.iter_modules(__path__)]
    matching = [family for family in families if name.lower().startswith(family.replace("_", ""))]
    home = HOMES.get(name) or max(matching, key=len, default=None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
