"""Lets `keras.models.load_model` find our classes before their modules are imported.

A `.keras` file names its classes as they are registered, "keras_tfm>BertModel"; a class registers itself when its
module is imported, and our modules are imported when they are first used. So Keras' registry, which has no public way
to be told where to look, gets to know how.
"""

import importlib

from keras.src.saving import object_registration


class _Registry(dict):
    def __contains__(self, name):
        package, _, class_name = name.rpartition(">") if isinstance(name, str) else ("", "", "")
        if package == "keras_tfm" and not super().__contains__(name):
            getattr(importlib.import_module(package), class_name, None)  # imports its module, which registers it
        return super().__contains__(name)


def let_keras_find_our_classes():
    """Replaces Keras' table of registered classes by one that imports ours when they are asked for."""
    object_registration.GLOBAL_CUSTOM_OBJECTS = _Registry(object_registration.GLOBAL_CUSTOM_OBJECTS)
