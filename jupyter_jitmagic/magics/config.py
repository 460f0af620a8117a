"""`%config JitMagic`: `jm.options` under IPython's own way to set things. Both are one: nothing is stored here."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import fields
from functools import cache
from typing import Any

from traitlets import TraitError, TraitType
from traitlets.config import Configurable

from jupyter_jitmagic.base.errors import OptionError
from jupyter_jitmagic.base.options import Options, options, wrong


class Configured(Configurable):
    """Takes the values that make sense. Of another one a line is told, and it is forgotten: IPython would keep it in its
    configuration and give it to everything that is loaded later."""

    def _load_config(self, cfg: Any, *args: Any, **named: Any) -> None:
        for config in (cfg, getattr(self.parent, "config", None) or {}):
            section = config.get(type(self).__name__, {})
            for name, value in list(section.items()):
                problem = wrong(name, value)
                if problem:
                    del section[name]
                    if config is cfg:
                        print(f"JitMagic.{problem}; it stays {getattr(options, name)!r}", file=sys.stderr)
        super()._load_config(cfg, *args, **named)


class Option(TraitType):  # type: ignore[type-arg]
    """One of `jm.options`, read and set in place."""

    def get(self, obj: Any, cls: Any = None) -> Any:
        return getattr(options, str(self.name))

    def set(self, obj: Any, value: Any) -> None:
        try:
            setattr(options, str(self.name), value)
        except OptionError as error:
            raise TraitError(str(error)) from None

    @property
    def help(self) -> str:
        return _documentation().get(str(self.name), "")

    @help.setter
    def help(self, value: str) -> None:
        """traitlets sets one; ours is read from the options themselves."""


@cache
def _documentation() -> dict[str, str]:
    """What stands below each option in its class."""
    (cls,) = ast.parse(inspect.getsource(Options)).body
    assert isinstance(cls, ast.ClassDef)
    found = {}
    for node, text in zip(cls.body, cls.body[1:], strict=False):
        match node, text:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(value=ast.Constant(str() as docstring)):
                found[name] = inspect.cleandoc(docstring)
    return found


_KINDS = {kind: type(kind.__name__, (Option,), {}) for kind in (str, int, float, bool)}
"""`%config` names the type of each option by its class."""

JitMagic = type(
    "JitMagic",
    (Configured,),
    {
        "__doc__": "The defaults and thresholds of jupyter_jitmagic (`jupyter_jitmagic.options`).",
        "__module__": __name__,
        **{
            field.name: _KINDS[type(field.default)](default_value=field.default).tag(config=True)  # type: ignore[index]
            for field in fields(Options)
        },
    },
)
