"""Where fields stand in a file, as one-based lines: of a field its key, of a list's element its first line."""

import yaml

from fields import DEFAULTS
from manifests import PLAIN, Loader, canonical, document_of, pieces, plain


def line_of(content, identity, namespace, steps):
    """The line of a field of the last declaration of an object in a file; None where it is not written there."""
    found = None
    for text, before in pieces(content.decode("utf-8")):
        try:
            roots = list(yaml.compose_all(text, Loader)) if text.strip() else []
        except yaml.YAMLError:
            continue
        for node in (each for root in roots for each in _expand(root)):
            document = document_of(_value(node))
            if document and document.identity(namespace) == identity:
                line = _descend(node, steps)
                found = None if line is None else before + line + 1
    return found


def _value(node):
    """What a node is read as; merged keys are not looked at."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: _value(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    return plain(node.value) if node.tag == PLAIN else node.value


def _entry(node, name):
    entries = node.value if isinstance(node, yaml.MappingNode) else []
    return next(((key, value) for key, value in reversed(entries) if key.value == name), (None, None))


def _expand(node):
    kind, items = _entry(node, "kind")[1], _entry(node, "items")[1]
    if kind is not None and str(kind.value).endswith("List") and isinstance(items, yaml.SequenceNode):
        for item in items.value:
            yield from _expand(item)
    else:
        yield node


def _descend(node, steps):
    line = node.start_mark.line
    for kind, what in steps:
        if kind == "field":
            key, node = _entry(node, what)
            if key is None:
                return None
            line = key.start_mark.line
        elif kind in ("key", "item") and isinstance(node, yaml.SequenceNode):
            node = next((item for item in reversed(node.value) if _fits(item, kind, what)), None)
            if node is None:
                return None
            line = node.start_mark.line
        else:
            return None
    return line


def _fits(node, kind, what):
    value = _value(node)
    if kind == "item":
        return canonical(value) == canonical(what)
    return isinstance(value, dict) and all(
        canonical(value.get(name, DEFAULTS.get(name))) == canonical(wanted) for name, wanted in what)
