"""Lets timm be imported where there is no torchvision, which it asks for at once and whose pictures and layers no
backbone here is made of: `import timm_alone` before."""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType


class Anything(type):
    """Of classes that have whatever is asked for: more of them."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything(name, (), {})


class Nothing(ModuleType):
    """A module that has classes of every name."""

    __path__ = []
    __getattr__ = Anything.__getattr__


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return ModuleSpec(name, Finder, is_package=True) if name.partition(".")[0] == "torchvision" else None

    @staticmethod
    def create_module(spec):
        return Nothing(spec.name)

    @staticmethod
    def exec_module(module):
        pass


if importlib.util.find_spec("torchvision") is None:
    sys.meta_path.append(Finder)
