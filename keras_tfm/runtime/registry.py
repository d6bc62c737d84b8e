"""Lets `keras.models.load_model` find our classes before their modules are imported.

A `.keras` file names its classes as they are registered, "keras_tfm>BertModel"; a class registers itself when its
module is imported, and our modules are imported when they are first used. So Keras' registry gets to know how to look.
"""

from keras.src.saving import object_registration

import keras_tfm


class _Registry(dict):
    def __contains__(self, name):
        package, _, class_name = name.rpartition(">") if isinstance(name, str) else ("", "", "")
        if package == "keras_tfm" and not super().__contains__(name):
            getattr(keras_tfm, class_name, None)  # imports its module, which registers it
        return super().__contains__(name)


object_registration.GLOBAL_CUSTOM_OBJECTS = _Registry(object_registration.GLOBAL_CUSTOM_OBJECTS)
