"""Why a call missed: the parts in which its signature differs from the nearest earlier one. Nothing is guessed.

`DIFFERENCES` is a list of small functions, each of which looks at one part of JAX's cache key and yields a `Cause` per
differing place. What they return together is the whole difference, in the order of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from jupyter_jitmagic.base.causes import Cause
from jupyter_jitmagic.base.paths import is_part
from jupyter_jitmagic.recording.causes.leaves import Leaf
from jupyter_jitmagic.recording.causes.signatures import DEFAULT, Node, Signature, Static

_EARLIER_LIMIT = 1000
_CANDIDATES = 8
_LEAVES_LIMIT = 200_000
"""So many leaves are compared for one miss, those of the latest signatures first."""
Difference = Callable[[Signature, Signature], Iterator[Cause]]


def causes_of(
    now: Signature,
    earlier: Sequence[Signature],
    *,
    cleared: bool = False,
    remade: Sequence[Signature] | None = None,
) -> tuple[Cause, ...]:
    """Every cause of a miss with signature `now`.

    Args:
        earlier: signatures of this function's earlier misses, oldest first, cleared ones included; the latest 1000 count.
        cleared: this function's cache is known to have been cleared since the entry that fits was made.
        remade: signatures that a function of the same name and place had before this one; None if there was none.

    Returns:
        ``first_call`` alone if nothing came before; the differences from the nearest earlier signature, one cause for each
        differing leaf, argument or option; ``cleared`` or, without evidence, ``unknown`` if nothing differs.
    """
    peers = [signature for signature in earlier[-_EARLIER_LIMIT:] if signature.transformation == now.transformation]
    if peers:
        found = nearest_difference(now, peers)
        return found or ((Cause("cleared"),) if cleared else (Cause("unknown"),))
    if remade is not None:
        return (Cause("new_function"), *_beside_remaking(now, remade))
    return (Cause("first_call", now=f"under {now.transformation}" if now.transformation and earlier else ""),)


def _beside_remaking(now: Signature, remade: Sequence[Signature]) -> tuple[Cause, ...]:
    """What would have missed even if the function had not been created again; nothing where its parameters changed,
    or which of them are static."""
    peers = [
        signature
        for signature in remade[-_EARLIER_LIMIT:]
        if signature.transformation == now.transformation
        and signature.parameters == now.parameters
        and _statics(signature).keys() == _statics(now).keys()
    ]
    return nearest_difference(now, peers) if peers else ()


def nearest_difference(now: Signature, earlier: Sequence[Signature]) -> tuple[Cause, ...]:
    """The differences from the earlier signature that has the fewest; of equals, from the latest. Empty: one is the same."""
    if now.is_among(earlier):
        return ()
    distances: list[tuple[int, int]] = []
    near = compared = 0
    for i in range(len(earlier) - 1, -1, -1):
        distances.append((_distance(now, earlier[i]), -i))
        near += distances[-1][0] <= 1
        compared += len(now.leaves)
        enough = compared > _LEAVES_LIMIT and len(distances) >= _CANDIDATES
        if (
            near == _CANDIDATES or enough
        ):  # the others would not be ranked before these; with 1000 shapes a miss would cost milliseconds
            break
    return min([difference(now, earlier[-i]) for _, i in sorted(distances)[:_CANDIDATES]], key=len)


def difference(now: Signature, before: Signature) -> tuple[Cause, ...]:
    """Every part of the key in which the two differ."""
    now, before = _completed(now, before), _completed(before, now)
    return tuple(cause for differ in DIFFERENCES for cause in differ(now, before))


def _completed(signature: Signature, other: Signature) -> Signature:
    """With the defaults of the traced arguments that the other call passes: how they differ from what was passed counts."""
    given = {argument for argument, _ in other.structure}
    missing = [(name, node, leaves) for name, node, leaves in signature.defaults if name in given]
    if not missing:
        return signature
    return replace(
        signature,
        structure=(*signature.structure, *((name, node) for name, node, _ in missing)),
        leaves=(*signature.leaves, *(leaf for _, _, leaves in missing for leaf in leaves)),
    )


def _distance(now: Signature, before: Signature) -> int:
    """How many parts differ, counted cheaply."""
    if now.leaves is before.leaves or now.leaves == before.leaves:
        leaves = 0
    elif len(now.leaves) == len(before.leaves):
        leaves = sum(map(Leaf.__ne__, now.leaves, before.leaves))
    else:
        leaves = len(set(now.leaves) ^ set(before.leaves))
    statics = sum(a.value != b.value for a, b in zip(now.statics, before.statics, strict=False)) + abs(
        len(now.statics) - len(before.statics)
    )
    config = 0 if now.config is before.config else len(set(now.config) - set(before.config))
    return leaves + statics + config + (now.structure != before.structure) + (now.passed != before.passed)


# ---- how arguments were passed


def convention(now: Signature, before: Signature) -> Iterator[Cause]:
    """The same parameter by position, by keyword or left to its default."""
    earlier = dict(before.passed)
    for argument, how in now.passed:
        was = earlier.get(argument)
        if was is None or was == how:
            continue
        if DEFAULT in (how, was) and _differs_from_default(argument, now, before):
            continue  # told as what it differs in
        yield Cause("calling_convention", argument, was, how)


def _differs_from_default(argument: str, now: Signature, before: Signature) -> bool:
    new, old = _statics(now).get(argument), _statics(before).get(argument)
    if new and old:
        return new.value != old.value
    return _traced_key(argument, now) != _traced_key(argument, before)


def _traced_key(argument: str, signature: Signature) -> tuple[Node | None, list[Leaf]]:
    """What JAX's key holds of one traced argument."""
    node = dict(signature.structure).get(argument)
    return node, [leaf for leaf in signature.leaves if is_part(leaf.path, argument)]


# ---- pytrees


def structure(now: Signature, before: Signature) -> Iterator[Cause]:
    """Arguments that came or went, and containers of another kind, with other keys or other metadata."""
    new, old = dict(now.structure), dict(before.structure)
    for argument in dict.fromkeys((*old, *new)):
        if argument in old and argument in new:
            yield from _node_difference(argument, new[argument], old[argument], now, before)
        elif argument not in _statics(now) and argument not in _statics(before):
            was, is_ = (_described(side, argument, signature) for side, signature in ((old, before), (new, now)))
            yield Cause("pytree_structure", argument, was, is_)


def _described(arguments: dict[str, Node | None], argument: str, signature: Signature) -> str:
    return _child_text(arguments[argument], argument, signature) if argument in arguments else "not given"


def _node_difference(path: str, new: Node | None, old: Node | None, now: Signature, before: Signature) -> Iterator[Cause]:
    if new == old:
        return
    if new is None or old is None or (new.kind, new.type_id) != (old.kind, old.type_id):
        was, is_ = _child_text(old, path, before), _child_text(new, path, now)
        yield Cause("pytree_structure", path, was, f"{is_} (its class was created again)" if was == is_ else is_)
        return
    if sorted(new.keys) != sorted(old.keys):
        yield Cause("pytree_structure", path, _keys_text(old, new), _keys_text(new, old))
    elif new.keys != old.keys:
        yield Cause("pytree_structure", path, _keys_text(old, None), _keys_text(new, None))
    yield from _metadata_difference(path, new, old)
    earlier = dict(zip(old.keys, old.children, strict=True))
    for key, child in zip(new.keys, new.children, strict=True):
        if key in earlier:
            yield from _node_difference(path + key, child, earlier[key], now, before)


def _metadata_difference(path: str, new: Node, old: Node) -> Iterator[Cause]:
    if len(new.metadata) != len(old.metadata):
        yield Cause("pytree_structure", path, _metadata_text(old), _metadata_text(new))
        return
    for one, other in zip(new.metadata, old.metadata, strict=True):
        if one.value == other.value:
            continue
        names = one.fields & other.fields
        name = min(names) if len(names) == 1 else ""
        was, is_ = other.value.text, one.value.text
        yield Cause("pytree_structure", path + name, was, is_ if was != is_ else f"{is_} (another object)")


def _metadata_text(node: Node) -> str:
    return f"({', '.join(part.value.text for part in node.metadata)})"


def _child_text(node: Node | None, path: str, signature: Signature) -> str:
    if node is None:
        return next((leaf.text for leaf in signature.leaves if leaf.path == path), "a leaf")
    if node.kind == "None":
        return "None"
    return f"{node.kind} of {len(node.keys)}" if node.kind in ("list", "tuple") else _keys_text(node, None)


_KEYS_SHOWN = 6


def _keys_text(node: Node, other: Node | None) -> str:
    """As "{'a', 'b'}" or "Params(w, b)"; of many keys those come first that the other one lacks."""
    if node.kind in ("list", "tuple"):
        return f"{node.kind} of {len(node.keys)}"
    keys = list(node.keys)
    if other is not None and len(keys) > _KEYS_SHOWN:
        keys.sort(key=lambda key: key in other.keys)
    shown = [key[1:-1] if key.startswith("[") else key.lstrip(".") for key in keys[:_KEYS_SHOWN]]
    more = ["…"] * (len(keys) > _KEYS_SHOWN)
    left, right = ("{", "}") if node.kind == "dict" else (f"{node.kind}(", ")")
    return f"{left}{', '.join(shown + more)}{right}"


# ---- static arguments


def statics(now: Signature, before: Signature) -> Iterator[Cause]:
    """Static arguments by value, or equal-looking ones that hash by identity."""
    old, new = _statics(before), _statics(now)
    for argument in dict.fromkeys((*old, *new)):
        if argument in old and argument in new:
            yield from _static_difference(new[argument], old[argument])
        else:
            was, is_ = (side[argument].value.text if argument in side else "not given" for side in (old, new))
            yield Cause("static_value", argument, was, is_)


def _static_difference(new: Static, old: Static) -> Iterator[Cause]:
    if new.value == old.value:
        return
    was, is_ = _passed_text(old), _passed_text(new)
    if was == is_ or ("…" in was and "…" in is_):
        was, is_ = old.value.part_unlike(new.value) or was, new.value.part_unlike(old.value) or is_
    if new.value.looks_like(old.value) and (new.value.by_identity or old.value.by_identity):
        yield Cause("static_identity", new.argument, was, f"{is_} (another object)" if was == is_ else is_)
    else:
        why = "never equal to itself" if is_ == "nan" else "differs in what is not shown"
        yield Cause("static_value", new.argument, was, f"{is_} ({why})" if was == is_ else is_)


def _passed_text(static: Static) -> str:
    return f"{static.value.text} (default)" if static.passed == DEFAULT else static.value.text


def _statics(signature: Signature) -> dict[str, Static]:
    return {static.argument: static for static in signature.statics}


# ---- avals and where they live


def _pairs(now: Signature, before: Signature) -> Iterator[tuple[Leaf, Leaf]]:
    """Leaves at the same path that differ, in the order of the call."""
    if now.leaves == before.leaves:
        return
    if now.structure == before.structure:
        yield from ((leaf, was) for leaf, was in zip(now.leaves, before.leaves, strict=True) if leaf is not was and leaf != was)
        return
    earlier = {leaf.path: leaf for leaf in before.leaves}
    for leaf in now.leaves:
        was = earlier.get(leaf.path)
        if was is not None and was != leaf:
            yield leaf, was


def avals(now: Signature, before: Signature) -> Iterator[Cause]:
    """Shape, dtype and weak type, leaf by leaf."""
    for new, old in _pairs(now, before):
        if new.shape != old.shape:
            yield Cause("shape", new.path, old.aval, new.aval)
        if new.dtype != old.dtype:
            yield Cause("dtype", new.path, old.aval, new.aval)
        if new.weak != old.weak:
            yield Cause("weak_type", new.path, _weak_text(old), _weak_text(new))


def _weak_text(leaf: Leaf) -> str:
    """In JAX's own words for it."""
    return f"{leaf.aval}{{weak_type={leaf.weak}}}"


def placement(now: Signature, before: Signature) -> Iterator[Cause]:
    """Devices and shardings, leaf by leaf: `device` is other devices under the same sharding."""
    for new, old in _pairs(now, before):
        if new.layout != old.layout and len(new.shape) == len(old.shape):
            yield Cause("sharding", new.path, *(f"layout {_layout_text(leaf)}" for leaf in (old, new)))
        if (new.devices, new.sharding, new.typing) == (old.devices, old.sharding, old.typing):
            if new.aval != old.aval and (new.shape, new.dtype) == (old.shape, old.dtype):
                yield Cause("sharding", new.path, old.aval, new.aval)
            continue
        if _same_sharding(new, old):
            yield Cause("device", new.path, _device_text(old), _device_text(new))
        else:
            only_typing = (new.devices, new.sharding) == (old.devices, old.sharding)
            yield Cause("sharding", new.path, _sharding_text(old, only_typing), _sharding_text(new, only_typing))


def _same_sharding(new: Leaf, old: Leaf) -> bool:
    """Neither is spread over a mesh, or both are in the same way."""
    alone = ("", "one device")
    return new.typing == old.typing and (new.sharding == old.sharding or (new.sharding in alone and old.sharding in alone))


def _device_text(leaf: Leaf) -> str:
    return leaf.devices or "uncommitted"


def _layout_text(leaf: Leaf) -> str:
    return leaf.layout or str(tuple(range(len(leaf.shape))))


def _sharding_text(leaf: Leaf, only_typing: bool) -> str:
    if only_typing:
        return leaf.typing or "no mesh"
    if not leaf.sharding:
        return leaf.typing or "uncommitted"
    return f"{leaf.sharding} ({leaf.devices})" if leaf.sharding.startswith("one device") else leaf.sharding


# ---- configuration


def configuration(now: Signature, before: Signature) -> Iterator[Cause]:
    """Options and contexts that tracing depends on, each by the name that ``jax.config`` knows."""
    if now.config is before.config:
        return
    old, new = dict(before.config), dict(now.config)
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield Cause("config", name, old.get(name, "None"), new.get(name, "None"))


DIFFERENCES: tuple[Difference, ...] = (structure, convention, statics, avals, placement, configuration)
